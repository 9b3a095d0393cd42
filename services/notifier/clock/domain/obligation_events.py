"""Build the contract's events of obligations."""

from datetime import datetime
from typing import Any

from services.notifier.clock.domain.obligation import ObligationRecord
from services.notifier.clock.domain.rules import CALENDAR_KINDS
from shared.contracts.base import Event
from shared.contracts.notifier import (
    CalendarDutyChanged,
    ObligationBreached,
    ObligationClosed,
    ObligationLimitReached,
    ObligationOpened,
    ObligationWarned,
)


def _facts(obligation: ObligationRecord, at: datetime) -> dict[str, Any]:
    """Return what all of them share, and count the obligation's version up: every event is a new version."""
    obligation.version += 1
    return {
        "office_id": obligation.office_id,
        "version": obligation.version,
        "occurred_at": at,
        "obligation_id": obligation.id,
        "rule_code": obligation.rule_code,
        "clause": obligation.clause,
        "rule_version": obligation.rule_version,
        "generation": obligation.generation,
        "subject_kind": obligation.subject_kind,
        "subject_id": obligation.subject_id,
        "client_id": obligation.client_id,
        "responsible_staff_id": obligation.responsible_staff_id,
        "opened_at": obligation.opened_at,
        "due_at": obligation.due_at,
    }


def _of_calendar(
    obligation: ObligationRecord, at: datetime, happened: str, closed_at: datetime | None = None
) -> CalendarDutyChanged:
    facts = _facts(obligation, at)
    ended = closed_at or at
    return CalendarDutyChanged.model_validate(
        {
            **facts,
            "happened": happened,
            "per": obligation.subject_kind,
            "label": obligation.subject_label or "",
            "closed_at": closed_at,
            "breached": obligation.breached_at is not None and ended >= obligation.due_at,
            "penalty_points": obligation.penalty_points,
        }
    )


def opened(obligation: ObligationRecord, at: datetime) -> Event:
    """Return the event of an opening or of a new generation."""
    if obligation.subject_kind in CALENDAR_KINDS:
        return _of_calendar(obligation, at, "opened")
    return ObligationOpened(**_facts(obligation, at))


def warned(obligation: ObligationRecord, at: datetime) -> Event:
    """Return the event of a warning before the deadline."""
    if obligation.subject_kind in CALENDAR_KINDS:
        return _of_calendar(obligation, at, "warned")
    return ObligationWarned(**_facts(obligation, at))


def breached(obligation: ObligationRecord, at: datetime) -> Event:
    """Return the event of a breach, dated to the deadline."""
    if obligation.subject_kind in CALENDAR_KINDS:
        return _of_calendar(obligation, at, "breached")
    return ObligationBreached(
        **_facts(obligation, at), breached_at=obligation.due_at, penalty_points=obligation.penalty_points
    )


def limit_reached(obligation: ObligationRecord, action: str, at: datetime) -> Event:
    """Return the request of the hard limit; the check of rules allows it for orders and clients only."""
    return ObligationLimitReached.model_validate({**_facts(obligation, at), "action": action, "reached_at": at})


def closed(obligation: ObligationRecord, outcome: str, closed_at: datetime, at: datetime) -> Event:
    """Return the event of an end; `breached` says whether the deadline had passed when it happened."""
    if obligation.subject_kind in CALENDAR_KINDS:
        return _of_calendar(obligation, at, outcome, closed_at)
    return ObligationClosed.model_validate(
        {
            **_facts(obligation, at),
            "outcome": outcome,
            "breached": obligation.breached_at is not None and closed_at > obligation.due_at,
            "closed_at": closed_at,
        }
    )
