"""A duty as the clock works on it: a row of `obligations` without the weight of the ORM."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.notifier.models import Obligation


@dataclass(slots=True)
class Duty:
    """The columns have the meaning of `Obligation`'s."""

    id: UUID
    office_id: UUID
    version: int
    generation: int
    duty: str
    rule_id: UUID
    rule_code: str
    rule_version: int
    clause: str
    title: str
    penalty_points: int
    subject_kind: str
    subject_id: UUID
    subject_label: str | None
    client_id: UUID | None
    responsible_staff_id: UUID | None
    calendar_digest: str
    opened_at: datetime
    soon_at: datetime
    due_at: datetime
    warned_at: datetime | None
    breached_at: datetime | None
    state: str
    closed_at: datetime | None
    schedule: list[dict[str, Any]]
    next_step: int | None
    next_at: datetime | None
    paused_at: datetime | None = None
    spans: list[dict[str, Any]] = field(default_factory=list)
    agreed_due_at: datetime | None = None
    acknowledged_by: UUID | None = None
    acknowledged_until: datetime | None = None
    urgent: bool = False

    @classmethod
    def of(cls, row: Obligation) -> "Duty":
        return cls(**{name: getattr(row, name) for name in COLUMNS})


COLUMNS = tuple(column.name for column in fields(Duty))
_DUTIES = TypeAdapter(list[Duty])


def duties_of(rows: str | None) -> list[Duty]:
    """From the JSON that PostgreSQL makes of rows."""
    return _DUTIES.validate_json(rows) if rows else []


def step_moment(step: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(step["at"])


def only(duties: Iterable[Duty], state: str) -> list[Duty]:
    return [duty for duty in duties if duty.state == state]
