"""Composition root of `control`."""

from services.control.api import offices, policy, reports, staff
from services.control.commands.staff import ensure_head_office
from services.control.consumers import consumers
from services.control.models import Base
from services.control.settings import ControlSettings
from shared.base.clock import now
from shared.contracts.control import OfficeChanged, StaffChanged
from shared.runtime.service import Service, ServiceContext


async def make_first_account(context: ServiceContext) -> None:
    """Create the first account of head office: a network without one could not hire."""
    settings: ControlSettings = context.settings
    if not (settings.head_office_login and settings.head_office_password and settings.head_office_email):
        return
    async with context.database.worker() as session:
        await ensure_head_office(
            session,
            settings.head_office_login,
            settings.head_office_password.get_secret_value(),
            settings.head_office_email,
            at=now(),
        )


service = Service(
    name="control",
    title="Головной офис",
    routers=[offices.router, staff.router, policy.penalties, policy.figures, reports.router],
    consumers=consumers,
    publishes=[OfficeChanged, StaffChanged],
    metadata=Base.metadata,
    settings=ControlSettings,
    on_start=[make_first_account],
    signs_in=True,
)
