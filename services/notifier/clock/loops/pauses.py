"""Lets the clock go on where it has stood still for as long as the rule allows."""

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.commands.handling import PAUSES_CHANNEL
from services.notifier.clock.commands.waiting import resume_if_expired
from services.notifier.clock.domain.obligation import ObligationRecord
from services.notifier.clock.models.obligations import Obligation
from services.notifier.clock.store.rule_book import rule_book
from services.notifier.clock.store.unit_of_work import UnitOfWork, flush
from services.notifier.people.queries import load_calendar
from shared.runtime.service import ServiceContext

MAX_SLEEP = 30.0
BATCH = 200
_NEXT = text(
    "SELECT extract(epoch FROM min((spans -> -1 ->> 'until')::timestamptz) - clock_timestamp())::float8"
    " FROM obligations WHERE paused_at IS NOT NULL"
)


async def run(context: ServiceContext) -> None:
    """Sleeps until the next pause is over.  The clock goes on from that moment, however late this wakes up."""
    wakeup = context.listen(PAUSES_CHANNEL)
    while True:
        async with context.database.worker() as session:
            ended = await end_pauses(session)
            seconds = (await session.execute(_NEXT)).scalar_one()
        if ended < BATCH:
            await wakeup.wait(MAX_SLEEP if seconds is None else min(max(seconds, 0.05), MAX_SLEEP))


async def end_pauses(session: AsyncSession) -> int:
    """In one transaction; returns how many."""
    at = (await session.execute(text("SELECT now()"))).scalar_one()
    over = text("(spans -> -1 ->> 'until')::timestamptz <= now()")
    query = select(Obligation).where(Obligation.paused_at.is_not(None), over).order_by(Obligation.id).limit(BATCH)
    rows = (await session.execute(query.with_for_update(skip_locked=True))).scalars().all()
    book = await rule_book(session)
    work = UnitOfWork()
    for obligation in map(ObligationRecord.of, rows):
        office_calendar = await load_calendar(session, obligation.calendar_digest)
        resume_if_expired(work, obligation, book.by_id[obligation.rule_id], office_calendar, at, at=at)
    await flush(session, work)
    return len(rows)
