"""Obligations as events of the contract."""

from datetime import datetime
from typing import Any

from services.notifier.models import Obligation
from shared.contracts.notifier import (
    ObligationBreached,
    ObligationClosed,
    ObligationLimitReached,
    ObligationOpened,
    ObligationWarned,
)


def _facts(obligation: Obligation, at: datetime) -> dict[str, Any]:
    """What all of them share.  Every event is a new version of the obligation."""
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


def opened(obligation: Obligation, at: datetime) -> ObligationOpened:
    return ObligationOpened(**_facts(obligation, at))


def warned(obligation: Obligation, at: datetime) -> ObligationWarned:
    return ObligationWarned(**_facts(obligation, at))


def breached(obligation: Obligation, at: datetime) -> ObligationBreached:
    return ObligationBreached(
        **_facts(obligation, at), breached_at=obligation.due_at, penalty_points=obligation.penalty_points
    )


def limit_reached(obligation: Obligation, action: str, at: datetime) -> ObligationLimitReached:
    return ObligationLimitReached.model_validate({**_facts(obligation, at), "action": action, "reached_at": at})


def closed(obligation: Obligation, outcome: str, closed_at: datetime, at: datetime) -> ObligationClosed:
    """`breached` says whether the deadline had passed when it happened, whatever was heard first."""
    return ObligationClosed.model_validate(
        {
            **_facts(obligation, at),
            "outcome": outcome,
            "breached": obligation.breached_at is not None and closed_at > obligation.due_at,
            "closed_at": closed_at,
        }
    )
