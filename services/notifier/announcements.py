"""Obligations as events of the contract."""

from datetime import datetime
from typing import Any

from services.notifier.domain.rules import CALENDAR_KINDS
from services.notifier.duty import Duty
from shared.contracts.base import Event
from shared.contracts.notifier import (
    CalendarDutyChanged,
    ObligationBreached,
    ObligationClosed,
    ObligationLimitReached,
    ObligationOpened,
    ObligationWarned,
)


def _facts(duty: Duty, at: datetime) -> dict[str, Any]:
    """What all of them share.  Every event is a new version of the duty."""
    duty.version += 1
    return {
        "office_id": duty.office_id,
        "version": duty.version,
        "occurred_at": at,
        "obligation_id": duty.id,
        "rule_code": duty.rule_code,
        "clause": duty.clause,
        "rule_version": duty.rule_version,
        "generation": duty.generation,
        "subject_kind": duty.subject_kind,
        "subject_id": duty.subject_id,
        "client_id": duty.client_id,
        "responsible_staff_id": duty.responsible_staff_id,
        "opened_at": duty.opened_at,
        "due_at": duty.due_at,
    }


def _of_calendar(duty: Duty, at: datetime, happened: str, closed_at: datetime | None = None) -> CalendarDutyChanged:
    facts = _facts(duty, at)
    ended = closed_at or at
    return CalendarDutyChanged.model_validate(
        {
            **facts,
            "happened": happened,
            "per": duty.subject_kind,
            "label": duty.subject_label or "",
            "closed_at": closed_at,
            "breached": duty.breached_at is not None and ended >= duty.due_at,
            "penalty_points": duty.penalty_points,
        }
    )


def opened(duty: Duty, at: datetime) -> Event:
    if duty.subject_kind in CALENDAR_KINDS:
        return _of_calendar(duty, at, "opened")
    return ObligationOpened(**_facts(duty, at))


def warned(duty: Duty, at: datetime) -> Event:
    if duty.subject_kind in CALENDAR_KINDS:
        return _of_calendar(duty, at, "warned")
    return ObligationWarned(**_facts(duty, at))


def breached(duty: Duty, at: datetime) -> Event:
    if duty.subject_kind in CALENDAR_KINDS:
        return _of_calendar(duty, at, "breached")
    return ObligationBreached(**_facts(duty, at), breached_at=duty.due_at, penalty_points=duty.penalty_points)


def limit_reached(duty: Duty, action: str, at: datetime) -> Event:
    """Only orders and clients have limits: the check of rules sees to it."""
    return ObligationLimitReached.model_validate({**_facts(duty, at), "action": action, "reached_at": at})


def closed(duty: Duty, outcome: str, closed_at: datetime, at: datetime) -> Event:
    """`breached` says whether the deadline had passed when it happened, whatever was heard first."""
    if duty.subject_kind in CALENDAR_KINDS:
        return _of_calendar(duty, at, outcome, closed_at)
    return ObligationClosed.model_validate(
        {
            **_facts(duty, at),
            "outcome": outcome,
            "breached": duty.breached_at is not None and closed_at > duty.due_at,
            "closed_at": closed_at,
        }
    )
