"""Resume the clock of obligations whose pause has reached the limit of their rule."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.commands.waiting import resume_if_expired
from services.notifier.clock.store.due import claim_expired_pauses, seconds_until_next_pause_ends
from services.notifier.clock.store.rule_book import rule_book
from services.notifier.clock.store.unit_of_work import PAUSES_CHANNEL, UnitOfWork, flush
from services.notifier.people.queries import load_calendar
from shared.runtime.service import ServiceContext

MAX_SLEEP = 30.0
BATCH = 200


async def run(context: ServiceContext) -> None:
    """End pauses until cancelled; the clock resumes at the limit, however late this loop wakes up."""
    wakeup = context.listen(PAUSES_CHANNEL)
    while True:
        async with context.database.worker() as session:
            ended = await end_pauses(session)
            seconds = await seconds_until_next_pause_ends(session)
        if ended < BATCH:
            await wakeup.wait(MAX_SLEEP if seconds is None else min(max(seconds, 0.05), MAX_SLEEP))


async def end_pauses(session: AsyncSession) -> int:
    """End the pauses that have reached their limit, in one transaction; return how many there were."""
    expired = await claim_expired_pauses(session, BATCH)
    book = await rule_book(session)
    work = UnitOfWork()
    for at, obligation in expired:
        office_calendar = await load_calendar(session, obligation.calendar_digest)
        resume_if_expired(work, obligation, book.by_id[obligation.rule_id], office_calendar, at, at=at)
    await flush(session, work)
    return len(expired)
