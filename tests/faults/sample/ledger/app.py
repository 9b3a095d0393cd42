"""`ledger` enters every printed page and publishes that; some pages make it fail."""

import os
import signal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base.clock import now
from shared.messaging import Consumers, publish
from shared.messaging.context import causation_id
from shared.persistence.database import new_id
from shared.persistence.tables import failed_message
from shared.runtime.service import Service
from tests.faults.sample.contract import PageEntered, PagePrinted
from tests.faults.sample.ledger.models import Base, Line

consumers = Consumers("ledger")
CURED = "REGLAMENT_FAULTS_CURED"


@consumers.on(PagePrinted)
async def enter_page(event: PagePrinted, session: AsyncSession) -> None:
    session.add(Line(id=new_id(), page_id=event.page_id, number=event.number))
    await session.flush()
    fact = PageEntered(
        office_id=event.office_id, version=1, occurred_at=now(), page_id=event.page_id, number=event.number
    )
    await publish(session, fact)
    if os.environ.get(CURED):
        return
    if event.text == "failing at first" and not await failed_before(session):
        raise RuntimeError("a page of this kind fails once")
    if event.text == "failing" or (event.text == "deadly when retried" and not await failed_before(session)):
        raise RuntimeError("a page of this kind always fails")
    if event.text.startswith("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)


async def failed_before(session: AsyncSession) -> bool:
    """Return whether the event is in the table of failures."""
    mine = failed_message.c.event_id == UUID(causation_id.get())
    return await session.scalar(select(failed_message.c.id).where(mine)) is not None


service = Service(
    name="ledger",
    title="Журнал",
    package="tests.faults.sample.ledger",
    routers=[],
    consumers=consumers,
    publishes=[PageEntered],
    metadata=Base.metadata,
)
