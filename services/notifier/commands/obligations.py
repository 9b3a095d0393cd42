"""Small guarded changes of one obligation, each with its history and event."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier import announcements
from services.notifier.domain.rules import Rule
from services.notifier.domain.schedule import Schedule, schedule
from services.notifier.models import Client, Obligation, ObligationHistory, ObligationLevel, Office, Subject
from shared.database import new_id
from shared.messaging import publish
from shared.worktime import WorkingCalendar

WAKE_CHANNEL = "notifier_clock"
ENGINE_SLEEP = timedelta(minutes=1)
"""The longest that the engine sleeps without looking."""


class OfficeUnknown(Exception):
    """The office's calendar has not arrived yet; the event is retried until it has."""


def history_row(
    obligation: Obligation, event: str, at: datetime, details: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "obligation_id": obligation.id,
        "office_id": obligation.office_id,
        "generation": obligation.generation,
        "event": event,
        "at": at,
        "details": details or {},
    }


async def open_obligation(
    session: AsyncSession,
    rule: Rule,
    rule_id: UUID,
    subject: Subject,
    facts: dict[str, Any],
    opened_at: datetime,
    *,
    at: datetime,
) -> Obligation:
    """Start a clock.  Raises OfficeUnknown, NoWorkingTime."""
    office = await session.get(Office, subject.office_id)
    if office is None:
        raise OfficeUnknown(f"no calendar of office {subject.office_id} yet")
    obligation = Obligation(
        id=new_id(),
        office_id=subject.office_id,
        version=0,
        generation=1,
        duty=rule.duty,
        subject_kind=subject.kind,
        subject_id=subject.subject_id,
        subject_label=subject.label,
        client_id=subject.client_id,
        responsible_staff_id=await _responsible(session, subject),
        calendar_digest=office.calendar_digest,
        opened_at=opened_at,
        state="open",
    )
    plan = schedule(rule, WorkingCalendar.model_validate(office.calendar), opened_at, facts)
    _set_clock(obligation, rule, rule_id, plan)
    session.add(obligation)
    await session.flush()
    event = announcements.opened(obligation, at)
    await _record(session, history_row(obligation, "opened", opened_at, _figures(obligation)))
    await publish(session, event)
    await wake_engine(session, obligation, at)
    return obligation


async def supersede(
    session: AsyncSession, obligation: Obligation, rule: Rule, rule_id: UUID, facts: dict[str, Any], *, at: datetime
) -> None:
    """A new generation by another rule, counted from the original opening by the office's calendar of today."""
    office = await session.get(Office, obligation.office_id)
    if office is None:
        raise OfficeUnknown(f"no calendar of office {obligation.office_id} yet")
    plan = schedule(rule, WorkingCalendar.model_validate(office.calendar), obligation.opened_at, facts)
    ended = announcements.closed(obligation, "superseded", at, at)
    details = {"rule": obligation.rule_code, "due_at": obligation.due_at.isoformat(), "by": rule.code}
    superseded = history_row(obligation, "superseded", at, details)
    obligation.generation += 1
    obligation.calendar_digest = office.calendar_digest
    obligation.warned_at = obligation.breached_at = None
    _set_clock(obligation, rule, rule_id, plan)
    started = announcements.opened(obligation, at)
    await _record(session, superseded, history_row(obligation, "opened", obligation.opened_at, _figures(obligation)))
    await publish(session, ended, started)
    await wake_engine(session, obligation, at)


async def close(
    session: AsyncSession, obligation: Obligation, outcome: str, closed_at: datetime, *, at: datetime
) -> None:
    """End a duty.  One that ended after its deadline is breached even if the engine had not got to it yet."""
    rows = []
    events: list[Any] = []
    if closed_at > obligation.due_at and obligation.breached_at is None and outcome == "done":
        obligation.breached_at = obligation.due_at
        events.append(announcements.breached(obligation, at))
        rows.append(history_row(obligation, "breached", obligation.due_at))
        await session.execute(insert(ObligationLevel).values(**_breach_level(obligation, at)))
    obligation.state = "done" if outcome == "done" else "cancelled"
    obligation.closed_at = closed_at
    obligation.next_step = obligation.next_at = None
    events.append(announcements.closed(obligation, outcome, closed_at, at))
    rows.append(history_row(obligation, outcome, closed_at))
    await _record(session, *rows)
    await publish(session, *events)


def _breach_level(obligation: Obligation, at: datetime) -> dict[str, Any]:
    step = next(step for step in obligation.schedule if step["kind"] == "breach")
    return {
        "obligation_id": obligation.id,
        "generation": obligation.generation,
        "level": step["level"],
        "office_id": obligation.office_id,
        "kind": "breach",
        "role": None,
        "told": [],
        "planned_at": obligation.due_at,
        "fired_at": at,
    }


def _set_clock(obligation: Obligation, rule: Rule, rule_id: UUID, plan: Schedule) -> None:
    obligation.rule_id, obligation.rule_code, obligation.rule_version = rule_id, rule.code, rule.version
    obligation.clause, obligation.title, obligation.penalty_points = rule.clause, rule.title, rule.penalty_points
    obligation.due_at, obligation.soon_at = plan.due_at, plan.soon_at
    obligation.schedule = [step.model_dump(mode="json") for step in plan.steps]
    obligation.next_step, obligation.next_at = 0, plan.steps[0].at


def _figures(obligation: Obligation) -> dict[str, Any]:
    return {
        "rule": obligation.rule_code,
        "rule_version": obligation.rule_version,
        "due_at": obligation.due_at.isoformat(),
        "calendar": obligation.calendar_digest,
    }


async def _responsible(session: AsyncSession, subject: Subject) -> UUID | None:
    """CL-10: the client's manager; else whoever dealt with the matter last."""
    if subject.client_id is None:
        return subject.staff_id
    client = await session.get(Client, subject.client_id)
    if client is not None and client.manager_id is not None:
        return client.manager_id
    if subject.kind == "client":
        return subject.staff_id
    last_caller = select(Subject.staff_id).where(Subject.kind == "client", Subject.subject_id == subject.client_id)
    return (await session.execute(last_caller)).scalar_one_or_none() or subject.staff_id


async def _record(session: AsyncSession, *rows: dict[str, Any]) -> None:
    await session.execute(insert(ObligationHistory), list(rows))


async def wake_engine(session: AsyncSession, obligation: Obligation, at: datetime) -> None:
    """Delivered at commit.  A step further away than the engine ever sleeps is found without waking it."""
    if obligation.next_at is not None and obligation.next_at < at + 2 * ENGINE_SLEEP:
        await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": WAKE_CHANNEL})
