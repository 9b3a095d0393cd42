"""The engine of the clock: fires the steps of obligations when their time has come.

It sleeps until the next step and is woken by NOTIFY when an earlier one appears.  Time is the database's `now()`,
the start of the transaction, so nothing fires early.  Claims skip rows locked by other replicas; the step, its
history, its event and its notices commit together, so nothing fires twice.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier import announcements
from services.notifier.commands.obligations import ENGINE_SLEEP, history_row, level_row
from services.notifier.domain.delivery import KEEP_TRYING
from services.notifier.domain.ladder import Person, resolve
from services.notifier.duty import COLUMNS, Duty, duties_of, step_moment
from services.notifier.models import Office, StaffMember
from services.notifier.rendering import one_line
from services.notifier.writing import GENERIC_PLANS, WAKE_CHANNEL, Changes, write
from shared import faultpoints
from shared.database import Database, new_id
from shared.service import ServiceContext

BATCH = 500
LOCKED_ELSEWHERE = 0.01

_HISTORY = {"warning": "warned", "breach": "breached", "escalation": "escalated", "limit": "limit_reached"}
_UNTIL_NEXT = text("SELECT extract(epoch FROM min(next_at) - clock_timestamp())::float8 FROM obligations")
_CLAIM = text(
    f"""
    WITH due AS (
        SELECT {", ".join(COLUMNS)} FROM obligations WHERE next_at <= now()
        ORDER BY next_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    SELECT now() AS at, {GENERIC_PLANS}, (SELECT json_agg(due)::text FROM due) AS duties
    """
)


async def run(context: ServiceContext) -> None:
    """Fire until cancelled."""
    wakeup = context.listen(WAKE_CHANNEL)
    while True:
        fired = await fire_due(context.database)
        if fired:
            continue
        async with context.database.worker() as session:
            seconds = (await session.execute(_UNTIL_NEXT)).scalar_one()
        if seconds is None:
            seconds = ENGINE_SLEEP.total_seconds()
        elif seconds <= 0:
            seconds = LOCKED_ELSEWHERE
        await wakeup.wait(min(seconds, ENGINE_SLEEP.total_seconds()))


@dataclass
class _Batch:
    """What one transaction fires."""

    at: datetime
    offices: dict[UUID, Office]
    people: Sequence[Person]
    changes: Changes = field(default_factory=Changes)


async def fire_due(database: Database, limit: int = BATCH) -> int:
    """Fire what is due, the oldest first, in one transaction; returns the number of steps."""
    async with database.worker() as session:
        claimed = (await session.execute(_CLAIM, {"limit": limit})).one()
        duties = duties_of(claimed.duties)
        if not duties:
            return 0
        faultpoints.reach("clock.claimed")
        at: datetime = claimed.at
        batch = _Batch(at, *await _directory(session, {duty.office_id for duty in duties}))
        # With a full batch there may be unclaimed rows behind the last one: later steps wait their turn.
        horizon = max(duty.next_at or at for duty in duties) if len(duties) == limit else at
        queue = [(duty.next_at or at, duty.id, duty) for duty in duties]
        heapq.heapify(queue)
        while queue:
            _, _, duty = heapq.heappop(queue)
            _fire(duty, batch)
            if duty.next_at is not None and duty.next_at <= horizon:
                heapq.heappush(queue, (duty.next_at, duty.id, duty))
        batch.changes.fired = duties
        await write(session, batch.changes)
        faultpoints.reach("clock.fired")
    faultpoints.reach("clock.committed")
    return len(batch.changes.levels)


async def _directory(session: AsyncSession, office_ids: set[UUID]) -> tuple[dict[UUID, Office], list[Person]]:
    """Offices and active people as they are at the moment of firing."""
    offices = (await session.execute(select(Office).where(Office.office_id.in_(office_ids)))).scalars()
    here = or_(StaffMember.office_id.in_(office_ids), StaffMember.office_id.is_(None))
    staff = (await session.execute(select(StaffMember).where(StaffMember.active, here))).scalars()
    people = [Person(row.staff_id, row.office_id, row.role, row.full_name, row.email) for row in staff]
    return {office.office_id: office for office in offices}, people


def _fire(duty: Duty, batch: _Batch) -> None:
    """The duty's next step; then the clock stands on the one after it."""
    assert duty.next_step is not None
    step, changes = duty.schedule[duty.next_step], batch.changes
    role: str | None = None
    told: list[Person] = []
    if step["role"] is not None:
        role, told = resolve(step["role"], duty.office_id, duty.responsible_staff_id, batch.people)
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
    changes.notices += [_notice(duty, step, role, person, batch) for person in told]
    following = duty.next_step + 1
    if following < len(duty.schedule):
        duty.next_step, duty.next_at = following, step_moment(duty.schedule[following])
    else:
        duty.next_step = duty.next_at = None


def _notice(duty: Duty, step: dict[str, Any], role: str | None, person: Person, batch: _Batch) -> dict[str, Any]:
    """A letter to one person; it is written when it is sent, with what is true then."""
    office = batch.offices[duty.office_id]
    return {
        "id": new_id(),
        "office_id": duty.office_id,
        "channel": "email",
        "purpose": "staff",
        "template": "escalation",
        "client_id": duty.client_id,
        "staff_id": person.id,
        "obligation_id": duty.id,
        "subject_kind": duty.subject_kind,
        "subject_id": duty.subject_id,
        "recipient": person.email,
        "recipient_name": one_line(person.full_name),
        "time_zone": office.time_zone,
        "sender_name": one_line(office.name),
        "context": {
            "kind": step["kind"],
            "generation": duty.generation,
            "level": step["level"],
            "role": role,
            "fired_at": batch.at.isoformat(),
        },
        "state": "queued",
        "attempts": 0,
        "next_attempt_at": batch.at,
        "expires_at": batch.at + KEEP_TRYING,
    }
