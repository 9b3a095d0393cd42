"""`ledger` enters every printed page and says so; some pages it cannot bear."""

import os
import signal

from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import now
from shared.database import new_id
from shared.messaging import Consumers, publish
from shared.service import Service
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
    if event.text == "failing":
        raise RuntimeError("a page of this kind always fails")
    if event.text == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)


service = Service(
    name="ledger",
    title="Журнал",
    package="tests.faults.sample.ledger",
    routers=[],
    consumers=consumers,
    publishes=[PageEntered],
    metadata=Base.metadata,
)
