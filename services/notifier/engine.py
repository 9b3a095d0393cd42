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

from sqlalchemy import func, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier import announcements
from services.notifier.commands.notices import SEND_CHANNEL
from services.notifier.commands.obligations import ENGINE_SLEEP, WAKE_CHANNEL, history_row
from services.notifier.domain.delivery import KEEP_TRYING
from services.notifier.domain.ladder import Person, resolve
from services.notifier.domain.schedule import Step
from services.notifier.models import Notice, Obligation, ObligationHistory, ObligationLevel, Office, StaffMember
from services.notifier.rendering import one_line
from shared import faultpoints
from shared.contracts.base import Event
from shared.database import Database, new_id
from shared.messaging import publish
from shared.service import ServiceContext

BATCH = 500
LOCKED_ELSEWHERE = 0.01

_HISTORY = {"warning": "warned", "breach": "breached", "escalation": "escalated", "limit": "limit_reached"}
_UNTIL_NEXT = text("SELECT extract(epoch FROM min(next_at) - clock_timestamp())::float8 FROM obligations")


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
    """What one transaction fires; written with a statement per table."""

    at: datetime
    offices: dict[UUID, Office]
    people: Sequence[Person]
    levels: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)


async def fire_due(database: Database, limit: int = BATCH) -> int:
    """Fire what is due, the oldest first, in one transaction; returns the number of steps."""
    async with database.worker() as session:
        claim = (
            select(Obligation, func.now().label("at"))
            .where(Obligation.next_at <= func.now())
            .order_by(Obligation.next_at, Obligation.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = (await session.execute(claim)).all()
        if not rows:
            return 0
        faultpoints.reach("clock.claimed")
        obligations = [row[0] for row in rows]
        at: datetime = rows[0].at
        batch = _Batch(at, *await _directory(session, {obligation.office_id for obligation in obligations}))
        # With a full batch there may be unclaimed rows behind the last one: later steps wait their turn.
        horizon = (obligations[-1].next_at or at) if len(obligations) == limit else at
        queue = [(o.next_at or at, o.id, o) for o in obligations]
        heapq.heapify(queue)
        while queue:
            _, _, obligation = heapq.heappop(queue)
            _fire(obligation, batch)
            if obligation.next_at is not None and obligation.next_at <= horizon:
                heapq.heappush(queue, (obligation.next_at, obligation.id, obligation))
        await _write(session, batch)
        faultpoints.reach("clock.fired")
    faultpoints.reach("clock.committed")
    return len(batch.levels)


async def _directory(session: AsyncSession, office_ids: set[UUID]) -> tuple[dict[UUID, Office], list[Person]]:
    """Offices and active people as they are at the moment of firing."""
    offices = (await session.execute(select(Office).where(Office.office_id.in_(office_ids)))).scalars()
    here = or_(StaffMember.office_id.in_(office_ids), StaffMember.office_id.is_(None))
    staff = (await session.execute(select(StaffMember).where(StaffMember.active, here))).scalars()
    people = [Person(row.staff_id, row.office_id, row.role, row.full_name, row.email) for row in staff]
    return {office.office_id: office for office in offices}, people


def _fire(obligation: Obligation, batch: _Batch) -> None:
    """The obligation's next step; then the clock stands on the one after it."""
    assert obligation.next_step is not None
    step = Step.model_validate(obligation.schedule[obligation.next_step])
    role: str | None = None
    told: list[Person] = []
    if step.role is not None:
        role, told = resolve(step.role, obligation.office_id, obligation.responsible_staff_id, batch.people)
    if step.kind == "warning":
        obligation.warned_at = obligation.warned_at or batch.at
        batch.events.append(announcements.warned(obligation, batch.at))
    elif step.kind == "breach":
        obligation.breached_at = batch.at
        batch.events.append(announcements.breached(obligation, batch.at))
    elif step.kind == "limit" and step.action is not None:
        batch.events.append(announcements.limit_reached(obligation, step.action, batch.at))
    ids = [str(person.id) for person in told]
    batch.history.append(history_row(obligation, _HISTORY[step.kind], batch.at, {"role": role, "told": ids}))
    batch.levels.append(
        {
            "obligation_id": obligation.id,
            "generation": obligation.generation,
            "level": step.level,
            "office_id": obligation.office_id,
            "kind": step.kind,
            "role": role,
            "told": ids,
            "planned_at": step.at,
            "fired_at": batch.at,
        }
    )
    batch.notices += [_notice(obligation, step, role, person, batch) for person in told]
    following = obligation.next_step + 1
    if following < len(obligation.schedule):
        obligation.next_step = following
        obligation.next_at = Step.model_validate(obligation.schedule[following]).at
    else:
        obligation.next_step = obligation.next_at = None


def _notice(obligation: Obligation, step: Step, role: str | None, person: Person, batch: _Batch) -> dict[str, Any]:
    """A letter to one person; it is written when it is sent, with what is true then."""
    office = batch.offices[obligation.office_id]
    return {
        "id": new_id(),
        "office_id": obligation.office_id,
        "channel": "email",
        "purpose": "staff",
        "template": "escalation",
        "client_id": obligation.client_id,
        "staff_id": person.id,
        "obligation_id": obligation.id,
        "subject_kind": obligation.subject_kind,
        "subject_id": obligation.subject_id,
        "recipient": person.email,
        "recipient_name": one_line(person.full_name),
        "time_zone": office.time_zone,
        "sender_name": one_line(office.name),
        "context": {
            "kind": step.kind,
            "generation": obligation.generation,
            "level": step.level,
            "role": role,
            "fired_at": batch.at.isoformat(),
        },
        "state": "queued",
        "attempts": 0,
        "next_attempt_at": batch.at,
        "expires_at": batch.at + KEEP_TRYING,
    }


async def _write(session: AsyncSession, batch: _Batch) -> None:
    await session.flush()
    await session.execute(insert(ObligationLevel), batch.levels)
    await session.execute(insert(ObligationHistory), batch.history)
    await publish(session, *batch.events)
    if batch.notices:
        await session.execute(insert(Notice), batch.notices)
        await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": SEND_CHANNEL})
