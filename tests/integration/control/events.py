"""Events of the other services that control projects."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.base.clock import now
from shared.contracts.billing import PaymentReceived
from shared.contracts.clients import CallLogged
from shared.contracts.notifier import (
    CalendarDutyChanged,
    ObligationBreached,
    ObligationClosed,
    ObligationOpened,
    ObligationWarned,
)
from shared.contracts.orders import InquiryRecorded, InquiryStatusChanged
from shared.persistence.database import new_id


def inquiry_recorded(office_id: UUID, **changes: Any) -> InquiryRecorded:
    at = changes.pop("at", now())
    return InquiryRecorded.model_validate(
        {
            "office_id": office_id,
            "version": 1,
            "occurred_at": at,
            "recorded_at": at,
            "inquiry_id": new_id(),
            "staff_id": new_id(),
            "channel": "visit",
            "status": "open",
        }
        | changes
    )


def inquiry_changed(recorded: InquiryRecorded, version: int, **changes: Any) -> InquiryStatusChanged:
    return InquiryStatusChanged.model_validate(
        {
            "office_id": recorded.office_id,
            "version": version,
            "occurred_at": recorded.occurred_at,
            "inquiry_id": recorded.inquiry_id,
            "staff_id": recorded.staff_id,
            "mark": recorded.mark,
        }
        | changes
    )


def call_logged(office_id: UUID, **changes: Any) -> CallLogged:
    at = changes.pop("at", now())
    return CallLogged.model_validate(
        {
            "office_id": office_id,
            "version": 1,
            "occurred_at": at,
            "called_at": at,
            "client_id": new_id(),
            "call_id": new_id(),
            "staff_id": new_id(),
            "outcome": "reached",
            "goals": ["first_call"],
            "first_attempt": True,
        }
        | changes
    )


def payment_received(office_id: UUID, amount: str, at: datetime) -> PaymentReceived:
    return PaymentReceived(
        office_id=office_id,
        version=1,
        occurred_at=at,
        payment_id=new_id(),
        client_id=new_id(),
        method="cash",
        amount=Decimal(amount),
        received_at=at,
    )


class Duty:
    """One obligation through its life; each event is a version of it."""

    def __init__(self, office_id: UUID, *, staff_id: UUID | None = None, hours: int = 1) -> None:
        opened_at = now()
        self.due_at = opened_at + timedelta(hours=hours)
        self.facts = {
            "office_id": office_id,
            "occurred_at": opened_at,
            "obligation_id": new_id(),
            "rule_code": "order-contact",
            "clause": "ORD-04",
            "rule_version": 1,
            "generation": 1,
            "subject_kind": "order",
            "subject_id": new_id(),
            "responsible_staff_id": staff_id,
            "opened_at": opened_at,
        }

    @property
    def _facts(self) -> dict[str, Any]:
        return self.facts | {"due_at": self.due_at}

    def opened(self, version: int = 1, generation: int = 1) -> ObligationOpened:
        return ObligationOpened.model_validate(self._facts | {"version": version, "generation": generation})

    def warned(self, version: int = 2) -> ObligationWarned:
        return ObligationWarned.model_validate(self._facts | {"version": version})

    def breached(self, version: int = 3, points: int = 5) -> ObligationBreached:
        breached_at = min(self.due_at, now())
        return ObligationBreached.model_validate(
            self._facts | {"version": version, "breached_at": breached_at, "penalty_points": points}
        )

    def closed(self, version: int = 4, *, outcome: str = "done", breached: bool = False) -> ObligationClosed:
        return ObligationClosed.model_validate(
            self._facts | {"version": version, "outcome": outcome, "breached": breached, "closed_at": now()}
        )


def calendar_duty(office_id: UUID, happened: str, version: int, **changes: Any) -> CalendarDutyChanged:
    """RPT-01, due an hour ago."""
    due_at = now() - timedelta(hours=1)
    facts = {
        "office_id": office_id,
        "version": version,
        "occurred_at": now(),
        "rule_code": "RPT-01",
        "clause": "RPT-01",
        "rule_version": 1,
        "generation": 1,
        "happened": happened,
        "per": "staff",
        "label": "Иванов Иван Иванович, неделя 16.11.2026",
        "opened_at": due_at - timedelta(days=1),
        "due_at": due_at,
        "breached": happened == "breached",
        "penalty_points": 2,
        **changes,
    }
    return CalendarDutyChanged.model_validate(facts)
