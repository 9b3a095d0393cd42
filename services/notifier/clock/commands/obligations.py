"""Small guarded changes of one obligation, each with its history and event.  Nothing here talks to the database."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.notifier.clock.domain import obligation_events
from services.notifier.clock.domain.obligation import ObligationRecord
from services.notifier.clock.domain.rules import Rule
from services.notifier.clock.domain.schedule import Schedule
from services.notifier.clock.store.unit_of_work import UnitOfWork
from shared.persistence.database import new_id

MAX_ENGINE_SLEEP = timedelta(minutes=1)
"""The longest that the engine sleeps without looking."""


def history_row(
    obligation: ObligationRecord, event: str, at: datetime, details: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a row of the obligation's history."""
    return {
        "id": new_id(),
        "obligation_id": obligation.id,
        "office_id": obligation.office_id,
        "generation": obligation.generation,
        "event": event,
        "at": at,
        "details": details or {},
    }


def open_obligation(
    work: UnitOfWork,
    rule: Rule,
    rule_id: UUID,
    plan: Schedule,
    opened_at: datetime,
    *,
    office_id: UUID,
    calendar_digest: str,
    subject: tuple[str, UUID, str | None],
    client_id: UUID | None,
    responsible_id: UUID | None,
    at: datetime,
) -> ObligationRecord:
    """Start a clock; `subject` is its kind, id and label."""
    obligation = ObligationRecord(
        id=new_id(),
        office_id=office_id,
        version=0,
        generation=1,
        obligation_kind=rule.obligation_kind,
        rule_id=rule_id,
        rule_code=rule.code,
        rule_version=rule.version,
        clause=rule.clause,
        title=rule.title,
        penalty_points=rule.penalty_points,
        subject_kind=subject[0],
        subject_id=subject[1],
        subject_label=subject[2],
        client_id=client_id,
        responsible_staff_id=responsible_id,
        calendar_digest=calendar_digest,
        opened_at=opened_at,
        soon_at=plan.soon_at,
        due_at=plan.due_at,
        warned_at=None,
        breached_at=None,
        state="open",
        closed_at=None,
        schedule=plan.rows,
        next_step=0,
        next_at=plan.steps[0].at,
        urgent=rule.urgent,
    )
    work.opened.append(obligation)
    work.events.append(obligation_events.opened(obligation, at))
    work.history.append(history_row(obligation, "opened", opened_at, deadline_details(obligation)))
    wake_engine(work, obligation, at)
    return obligation


def supersede(
    work: UnitOfWork,
    obligation: ObligationRecord,
    rule: Rule,
    rule_id: UUID,
    plan: Schedule,
    calendar_digest: str,
    *,
    at: datetime,
) -> None:
    """Start a new generation by another rule, counted from the original opening by the given calendar."""
    ended = obligation_events.closed(obligation, "superseded", at, at)
    details = {"rule": obligation.rule_code, "due_at": obligation.due_at.isoformat(), "by": rule.code}
    work.history.append(history_row(obligation, "superseded", at, details))
    obligation.generation += 1
    obligation.calendar_digest = calendar_digest
    obligation.warned_at = obligation.breached_at = obligation.acknowledged_by = obligation.acknowledged_until = None
    obligation.urgent = rule.urgent
    obligation.rule_id, obligation.rule_code, obligation.rule_version = rule_id, rule.code, rule.version
    obligation.clause, obligation.title, obligation.penalty_points = rule.clause, rule.title, rule.penalty_points
    obligation.due_at, obligation.soon_at, obligation.schedule = plan.due_at, plan.soon_at, plan.rows
    obligation.next_step, obligation.next_at = 0, None if obligation.paused_at else plan.steps[0].at
    work.events += [ended, obligation_events.opened(obligation, at)]
    work.history.append(history_row(obligation, "opened", obligation.opened_at, deadline_details(obligation)))
    work.mark_changed(obligation)
    wake_engine(work, obligation, at)


def close(work: UnitOfWork, obligation: ObligationRecord, outcome: str, closed_at: datetime, *, at: datetime) -> None:
    """End an obligation; one that ended after its deadline is breached even if the engine has not fired that step."""
    was_paused = obligation.paused_at is not None and obligation.paused_at <= obligation.due_at
    if closed_at > obligation.due_at and obligation.breached_at is None and outcome == "done" and not was_paused:
        obligation.breached_at = obligation.due_at
        work.events.append(obligation_events.breached(obligation, at))
        work.history.append(history_row(obligation, "breached", obligation.due_at))
        work.levels.append(_breach_level(obligation, at))
    obligation.state = "done" if outcome == "done" else "cancelled"
    obligation.closed_at = closed_at
    if obligation.spans and obligation.spans[-1]["ended_at"] is None:
        began = datetime.fromisoformat(obligation.spans[-1]["began_at"])
        obligation.spans = [
            *obligation.spans[:-1],
            {**obligation.spans[-1], "ended_at": max(closed_at, began).isoformat()},
        ]
    obligation.paused_at = None
    obligation.next_step = obligation.next_at = None
    work.events.append(obligation_events.closed(obligation, outcome, closed_at, at))
    work.history.append(history_row(obligation, outcome, closed_at))
    work.mark_changed(obligation)


def level_row(
    obligation: ObligationRecord,
    step: dict[str, Any],
    fired_at: datetime,
    role: str | None = None,
    recipients: list[str] | None = None,
) -> dict[str, Any]:
    """Return the row of a step that fired."""
    return {
        "obligation_id": obligation.id,
        "generation": obligation.generation,
        "level": step["level"],
        "office_id": obligation.office_id,
        "kind": step["kind"],
        "role": role,
        "told": recipients or [],
        "planned_at": step["at"],
        "fired_at": fired_at,
    }


def _breach_level(obligation: ObligationRecord, at: datetime) -> dict[str, Any]:
    step = next(step for step in obligation.schedule if step["kind"] == "breach")
    return level_row(obligation, step, at) | {"planned_at": obligation.due_at}


def deadline_details(obligation: ObligationRecord) -> dict[str, Any]:
    """Return what the history keeps of a deadline."""
    return {
        "rule": obligation.rule_code,
        "rule_version": obligation.rule_version,
        "due_at": obligation.due_at.isoformat(),
        "calendar": obligation.calendar_digest,
    }


def wake_engine(work: UnitOfWork, obligation: ObligationRecord, at: datetime) -> None:
    """Wake the engine at commit, unless the next step is further away than the engine ever sleeps."""
    if obligation.next_at is not None and obligation.next_at < at + 2 * MAX_ENGINE_SLEEP:
        work.wake_engine = True
