"""Obligations as events of the contract."""

from datetime import datetime
from typing import Any

from services.notifier.duty import Duty
from shared.contracts.notifier import (
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


def opened(duty: Duty, at: datetime) -> ObligationOpened:
    return ObligationOpened(**_facts(duty, at))


def warned(duty: Duty, at: datetime) -> ObligationWarned:
    return ObligationWarned(**_facts(duty, at))


def breached(duty: Duty, at: datetime) -> ObligationBreached:
    return ObligationBreached(**_facts(duty, at), breached_at=duty.due_at, penalty_points=duty.penalty_points)


def limit_reached(duty: Duty, action: str, at: datetime) -> ObligationLimitReached:
    return ObligationLimitReached.model_validate({**_facts(duty, at), "action": action, "reached_at": at})


def closed(duty: Duty, outcome: str, closed_at: datetime, at: datetime) -> ObligationClosed:
    """`breached` says whether the deadline had passed when it happened, whatever was heard first."""
    return ObligationClosed.model_validate(
        {
            **_facts(duty, at),
            "outcome": outcome,
            "breached": duty.breached_at is not None and closed_at > duty.due_at,
            "closed_at": closed_at,
        }
    )
