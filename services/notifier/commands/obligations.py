"""Small guarded changes of one duty, each with its history and event.  Nothing here talks to the database."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.notifier import announcements
from services.notifier.domain.rules import Rule
from services.notifier.domain.schedule import Schedule
from services.notifier.duty import Duty
from services.notifier.writing import Changes
from shared.persistence.database import new_id

ENGINE_SLEEP = timedelta(minutes=1)
"""The longest that the engine sleeps without looking."""


class OfficeUnknown(Exception):
    """The office's calendar has not arrived yet; the event is retried until it has."""


def history_row(duty: Duty, event: str, at: datetime, details: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "id": new_id(),
        "obligation_id": duty.id,
        "office_id": duty.office_id,
        "generation": duty.generation,
        "event": event,
        "at": at,
        "details": details or {},
    }


def open_duty(
    changes: Changes,
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
) -> Duty:
    """Start a clock; `subject` is its kind, id and label."""
    duty = Duty(
        id=new_id(),
        office_id=office_id,
        version=0,
        generation=1,
        duty=rule.duty,
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
    changes.opened.append(duty)
    changes.events.append(announcements.opened(duty, at))
    changes.history.append(history_row(duty, "opened", opened_at, figures(duty)))
    wake_engine(changes, duty, at)
    return duty


def supersede(
    changes: Changes, duty: Duty, rule: Rule, rule_id: UUID, plan: Schedule, calendar_digest: str, *, at: datetime
) -> None:
    """A new generation by another rule, counted from the original opening by the office's calendar of today."""
    ended = announcements.closed(duty, "superseded", at, at)
    details = {"rule": duty.rule_code, "due_at": duty.due_at.isoformat(), "by": rule.code}
    changes.history.append(history_row(duty, "superseded", at, details))
    duty.generation += 1
    duty.calendar_digest = calendar_digest
    duty.warned_at = duty.breached_at = duty.acknowledged_by = duty.acknowledged_until = None
    duty.urgent = rule.urgent
    duty.rule_id, duty.rule_code, duty.rule_version = rule_id, rule.code, rule.version
    duty.clause, duty.title, duty.penalty_points = rule.clause, rule.title, rule.penalty_points
    duty.due_at, duty.soon_at, duty.schedule = plan.due_at, plan.soon_at, plan.rows
    duty.next_step, duty.next_at = 0, None if duty.paused_at else plan.steps[0].at
    changes.events += [ended, announcements.opened(duty, at)]
    changes.history.append(history_row(duty, "opened", duty.opened_at, figures(duty)))
    changes.change(duty)
    wake_engine(changes, duty, at)


def close(changes: Changes, duty: Duty, outcome: str, closed_at: datetime, *, at: datetime) -> None:
    """End a duty.  One that ended after its deadline is breached even if the engine had not got to it yet."""
    stood_still = duty.paused_at is not None and duty.paused_at <= duty.due_at
    if closed_at > duty.due_at and duty.breached_at is None and outcome == "done" and not stood_still:
        duty.breached_at = duty.due_at
        changes.events.append(announcements.breached(duty, at))
        changes.history.append(history_row(duty, "breached", duty.due_at))
        changes.levels.append(_breach_level(duty, at))
    duty.state = "done" if outcome == "done" else "cancelled"
    duty.closed_at = closed_at
    if duty.spans and duty.spans[-1]["ended_at"] is None:
        began = datetime.fromisoformat(duty.spans[-1]["began_at"])
        duty.spans = [*duty.spans[:-1], {**duty.spans[-1], "ended_at": max(closed_at, began).isoformat()}]
    duty.paused_at = None
    duty.next_step = duty.next_at = None
    changes.events.append(announcements.closed(duty, outcome, closed_at, at))
    changes.history.append(history_row(duty, outcome, closed_at))
    changes.change(duty)


def level_row(
    duty: Duty, step: dict[str, Any], fired_at: datetime, role: str | None = None, told: list[str] | None = None
) -> dict[str, Any]:
    return {
        "obligation_id": duty.id,
        "generation": duty.generation,
        "level": step["level"],
        "office_id": duty.office_id,
        "kind": step["kind"],
        "role": role,
        "told": told or [],
        "planned_at": step["at"],
        "fired_at": fired_at,
    }


def _breach_level(duty: Duty, at: datetime) -> dict[str, Any]:
    step = next(step for step in duty.schedule if step["kind"] == "breach")
    return level_row(duty, step, at) | {"planned_at": duty.due_at}


def figures(duty: Duty) -> dict[str, Any]:
    return {
        "rule": duty.rule_code,
        "rule_version": duty.rule_version,
        "due_at": duty.due_at.isoformat(),
        "calendar": duty.calendar_digest,
    }


def wake_engine(changes: Changes, duty: Duty, at: datetime) -> None:
    """Delivered at commit.  A step further away than the engine ever sleeps is found without waking it."""
    if duty.next_at is not None and duty.next_at < at + 2 * ENGINE_SLEEP:
        changes.wake_engine = True
