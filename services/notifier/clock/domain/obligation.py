"""An obligation as the clock works on it: a row of `obligations` without the cost of the ORM."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, TypeAdapter


@dataclass(slots=True)
class ObligationRecord:
    """A row of `obligations`; the columns have the meaning of `Obligation`'s."""

    id: UUID
    office_id: UUID
    version: int
    generation: int
    obligation_kind: Annotated[str, Field(alias="duty")]
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
    def of(cls, row: Any) -> "ObligationRecord":
        """Return the record of a row that the ORM has read."""
        return cls(**{name: getattr(row, name) for name in _FIELDS})


_FIELDS = tuple(column.name for column in fields(ObligationRecord))
COLUMNS = tuple("duty" if name == "obligation_kind" else name for name in _FIELDS)
_OBLIGATIONS = TypeAdapter(list[ObligationRecord])


def obligations_from_json(rows: str | None) -> list[ObligationRecord]:
    """Return records from the JSON that PostgreSQL makes of rows."""
    return _OBLIGATIONS.validate_json(rows) if rows else []


def obligations_as_json(obligations: list[ObligationRecord]) -> str:
    """Return rows as `json_populate_recordset` reads them."""
    return _OBLIGATIONS.dump_json(obligations, by_alias=True).decode()


def step_moment(step: dict[str, Any]) -> datetime:
    """Return when a step of a schedule fires."""
    return datetime.fromisoformat(step["at"])


def with_state(obligations: Iterable[ObligationRecord], state: str) -> list[ObligationRecord]:
    """Return the obligations in this state."""
    return [obligation for obligation in obligations if obligation.state == state]
