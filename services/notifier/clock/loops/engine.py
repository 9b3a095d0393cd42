"""The engine of the clock: fires the steps of obligations when their time has come (NTF-03).

It sleeps until the next step and is woken by NOTIFY when an earlier one appears.  Time is the database's `now()`, the
start of the transaction, so nothing fires early.  Claims skip rows locked by other replicas; the step, its history, its
event and its notices commit together, so nothing fires twice.
"""

import asyncio
import heapq
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.notifier.clock.commands.notify_staff import (
    DIGEST_WINDOW,
    EMPTY_DIRECTORY,
    Directory,
    StaffNotification,
    load_directory,
    notify_staff,
)
from services.notifier.clock.commands.obligations import MAX_ENGINE_SLEEP, history_row, level_row
from services.notifier.clock.domain import obligation_events
from services.notifier.clock.domain.ladder import Person, resolve_recipients
from services.notifier.clock.domain.obligation import ObligationRecord, step_moment
from services.notifier.clock.store.due import claim_due
from services.notifier.clock.store.unit_of_work import WAKE_CHANNEL, UnitOfWork, flush
from shared.base import fault_points
from shared.persistence.database import Database
from shared.runtime.service import ServiceContext

BATCH = 500
PARALLEL_BATCHES = 2
LOCKED_RETRY_SECONDS = 0.01

_HISTORY = {"warning": "warned", "breach": "breached", "escalation": "escalated", "limit": "limit_reached"}


async def run(context: ServiceContext) -> None:
    """Fire until cancelled."""
    wakeup = context.listen(WAKE_CHANNEL)
    window = timedelta(seconds=context.settings.digest_seconds)
    while True:
        fired, seconds = await fire(context.database, BATCH, window)
        if fired >= BATCH:
            # While PostgreSQL writes one batch, this process prepares another.
            async with asyncio.TaskGroup() as lanes:
                for _ in range(PARALLEL_BATCHES):
                    lanes.create_task(fire_all_due(context.database, BATCH, window))
            continue
        if seconds <= 0 and not fired:
            seconds = LOCKED_RETRY_SECONDS
        if seconds > 0:
            await wakeup.wait(min(seconds, MAX_ENGINE_SLEEP.total_seconds()))


async def fire_all_due(database: Database, limit: int, window: timedelta) -> None:
    """Fire full batches until one is not full."""
    while (await fire(database, limit, window))[0] >= limit:
        pass


@dataclass
class _Batch:
    """What one transaction fires."""

    at: datetime
    directory: Directory
    work: UnitOfWork = field(default_factory=UnitOfWork)
    notifications: list[StaffNotification] = field(default_factory=list)


async def fire_due(database: Database, limit: int = BATCH, window: timedelta = DIGEST_WINDOW) -> int:
    """Fire what is due, the oldest first, in one transaction; return the number of steps."""
    return (await fire(database, limit, window))[0]


async def fire(database: Database, limit: int, window: timedelta) -> tuple[int, float]:
    """Fire what is due in one transaction; return the number of steps and the seconds until the next one.

    The next one is the earliest of the obligations that were not claimed and of those that fired.
    """
    async with database.worker() as session:
        due = await claim_due(session, limit)
        at, obligations = due.at, due.obligations
        seconds = MAX_ENGINE_SLEEP.total_seconds() if due.seconds is None else due.seconds
        claimed_at = time.monotonic()
        if not obligations:
            return 0, seconds
        fault_points.reach("clock.claimed")
        has_recipients = any(step["role"] for obligation in obligations for step in obligation.schedule)
        offices = {obligation.office_id for obligation in obligations}
        batch = _Batch(at, await load_directory(session, offices, at) if has_recipients else EMPTY_DIRECTORY)
        # With a full batch there may be unclaimed rows behind the last one: later steps are left to the next batch.
        horizon = max(obligation.next_at or at for obligation in obligations) if len(obligations) == limit else at
        queue = [
            (obligation.next_at or at, place, obligation) for place, obligation in enumerate(obligations)
        ]  # In order: a heap.
        while queue:
            _, place, obligation = heapq.heappop(queue)
            _fire(obligation, batch)
            if obligation.next_at is not None and obligation.next_at <= horizon:
                heapq.heappush(queue, (obligation.next_at, place, obligation))
        batch.work.fired = obligations
        await notify_staff(session, batch.work, batch.directory, batch.notifications, at, window)
        await flush(session, batch.work)
        fault_points.reach("clock.fired")
    fault_points.reach("clock.committed")
    own = [(obligation.next_at - at).total_seconds() for obligation in obligations if obligation.next_at is not None]
    return len(batch.work.levels), min([seconds, *own]) - (time.monotonic() - claimed_at)


def _fire(obligation: ObligationRecord, batch: _Batch) -> None:
    """Fire the obligation's next step and advance it to the one after."""
    assert obligation.next_step is not None
    step, work = obligation.schedule[obligation.next_step], batch.work
    role: str | None = None
    recipients: list[Person] = []
    if step["role"] is not None:
        responsible = obligation.responsible_staff_id
        responsible = batch.directory.substitutes.get(responsible, responsible) if responsible else None
        role, recipients = resolve_recipients(step["role"], obligation.office_id, responsible, batch.directory.people)
    if step["kind"] == "warning":
        obligation.warned_at = obligation.warned_at or batch.at
        work.events.append(obligation_events.warned(obligation, batch.at))
    elif step["kind"] == "breach":
        obligation.breached_at = batch.at
        work.events.append(obligation_events.breached(obligation, batch.at))
    elif step["kind"] == "limit" and step["action"] is not None:
        work.events.append(obligation_events.limit_reached(obligation, step["action"], batch.at))
    ids = [str(person.id) for person in recipients]
    work.history.append(history_row(obligation, _HISTORY[step["kind"]], batch.at, {"role": role, "told": ids}))
    work.levels.append(level_row(obligation, step, batch.at, role, ids))
    batch.notifications += [
        StaffNotification(person, obligation, step["kind"], step["level"], role) for person in recipients
    ]
    following = obligation.next_step + 1
    if following < len(obligation.schedule):
        obligation.next_step, obligation.next_at = following, step_moment(obligation.schedule[following])
    else:
        obligation.next_step = obligation.next_at = None
