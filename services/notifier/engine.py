"""The engine of the clock: fires the steps of obligations when their time has come.

It sleeps until the next step and is woken by NOTIFY when an earlier one appears.  Time is the database's `now()`,
the start of the transaction, so nothing fires early.  Claims skip rows locked by other replicas; the step, its
history, its event and its notices commit together, so nothing fires twice.
"""

import asyncio
import heapq
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text

from services.notifier import announcements
from services.notifier.commands.obligations import ENGINE_SLEEP, history_row, level_row
from services.notifier.domain.ladder import Person, resolve
from services.notifier.duty import COLUMNS, Duty, step_moment
from services.notifier.telling import DIGEST_WINDOW, NOBODY, Directory, News, directory, tell
from services.notifier.writing import WAKE_CHANNEL, Changes, write
from shared.base import fault_points
from shared.persistence.database import Database
from shared.runtime.service import ServiceContext

BATCH = 500
STORM_LANES = 2
LOCKED_ELSEWHERE = 0.01

_HISTORY = {"warning": "warned", "breach": "breached", "escalation": "escalated", "limit": "limit_reached"}
_CLAIM = text(
    f"""
    WITH due AS (
        SELECT {", ".join(COLUMNS)} FROM obligations WHERE next_at <= now()
        ORDER BY next_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    SELECT now() AS at,
        (SELECT extract(epoch FROM o.next_at - clock_timestamp())::float8 FROM obligations o
          WHERE o.next_at IS NOT NULL AND o.id NOT IN (SELECT id FROM due) ORDER BY o.next_at LIMIT 1) AS seconds,
        due.*
    FROM (SELECT) AS always LEFT JOIN due ON true ORDER BY due.next_at, due.id
    """
)


async def run(context: ServiceContext) -> None:
    """Fire until cancelled."""
    wakeup = context.listen(WAKE_CHANNEL)
    window = timedelta(seconds=context.settings.digest_seconds)
    while True:
        fired, seconds = await fire(context.database, BATCH, window)
        if fired >= BATCH:
            # While PostgreSQL writes one batch, this process prepares another.
            async with asyncio.TaskGroup() as lanes:
                for _ in range(STORM_LANES):
                    lanes.create_task(fire_all_due(context.database, BATCH, window))
            continue
        if seconds <= 0 and not fired:
            seconds = LOCKED_ELSEWHERE
        if seconds > 0:
            await wakeup.wait(min(seconds, ENGINE_SLEEP.total_seconds()))


async def fire_all_due(database: Database, limit: int, window: timedelta) -> None:
    while (await fire(database, limit, window))[0] >= limit:
        pass


@dataclass
class _Batch:
    """What one transaction fires."""

    at: datetime
    directory: Directory
    changes: Changes = field(default_factory=Changes)
    news: list[News] = field(default_factory=list)


async def fire_due(database: Database, limit: int = BATCH, window: timedelta = DIGEST_WINDOW) -> int:
    """Fire what is due, the oldest first, in one transaction; returns the number of steps."""
    return (await fire(database, limit, window))[0]


async def fire(database: Database, limit: int, window: timedelta) -> tuple[int, float]:
    """The number of steps, and the seconds until the next one: of those that were left, or of those that fired."""
    async with database.worker() as session:
        rows = (await session.execute(_CLAIM, {"limit": limit})).all()
        at: datetime = rows[0].at
        seconds = ENGINE_SLEEP.total_seconds() if rows[0].seconds is None else rows[0].seconds
        duties = [Duty(*row[2:]) for row in rows if row.id is not None]
        looked = time.monotonic()
        if not duties:
            return 0, seconds
        fault_points.reach("clock.claimed")
        somebody = any(step["role"] for duty in duties for step in duty.schedule)
        offices = {duty.office_id for duty in duties}
        batch = _Batch(at, await directory(session, offices, at) if somebody else NOBODY)
        # With a full batch there may be unclaimed rows behind the last one: later steps wait their turn.
        horizon = max(duty.next_at or at for duty in duties) if len(duties) == limit else at
        queue = [(duty.next_at or at, place, duty) for place, duty in enumerate(duties)]  # In order: a heap.
        while queue:
            _, place, duty = heapq.heappop(queue)
            _fire(duty, batch)
            if duty.next_at is not None and duty.next_at <= horizon:
                heapq.heappush(queue, (duty.next_at, place, duty))
        batch.changes.fired = duties
        await tell(session, batch.changes, batch.directory, batch.news, at, window)
        await write(session, batch.changes)
        fault_points.reach("clock.fired")
    fault_points.reach("clock.committed")
    own = [(duty.next_at - at).total_seconds() for duty in duties if duty.next_at is not None]
    return len(batch.changes.levels), min([seconds, *own]) - (time.monotonic() - looked)


def _fire(duty: Duty, batch: _Batch) -> None:
    """The duty's next step; then the clock stands on the one after it."""
    assert duty.next_step is not None
    step, changes = duty.schedule[duty.next_step], batch.changes
    role: str | None = None
    told: list[Person] = []
    if step["role"] is not None:
        responsible = duty.responsible_staff_id
        responsible = batch.directory.substitutes.get(responsible, responsible) if responsible else None
        role, told = resolve(step["role"], duty.office_id, responsible, batch.directory.people)
    if step["kind"] == "warning":
        duty.warned_at = duty.warned_at or batch.at
        changes.events.append(announcements.warned(duty, batch.at))
    elif step["kind"] == "breach":
        duty.breached_at = batch.at
        changes.events.append(announcements.breached(duty, batch.at))
    elif step["kind"] == "limit" and step["action"] is not None:
        changes.events.append(announcements.limit_reached(duty, step["action"], batch.at))
    ids = [str(person.id) for person in told]
    changes.history.append(history_row(duty, _HISTORY[step["kind"]], batch.at, {"role": role, "told": ids}))
    changes.levels.append(level_row(duty, step, batch.at, role, ids))
    batch.news += [News(person, duty, step["kind"], step["level"], role) for person in told]
    following = duty.next_step + 1
    if following < len(duty.schedule):
        duty.next_step, duty.next_at = following, step_moment(duty.schedule[following])
    else:
        duty.next_step = duty.next_at = None
