"""What is known about the subjects of obligations."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.notifier.clock.domain.facts import CONCERNS, subject_id
from services.notifier.clock.domain.rules import SubjectKind
from shared.contracts.base import Event


@dataclass(slots=True)
class SubjectRecord:
    """A row of `subjects`."""

    kind: str
    subject_id: UUID
    office_id: UUID
    client_id: UUID | None
    staff_id: UUID | None
    label: str | None
    facts: dict[str, list[Any]]
    moments: dict[str, str]


_SUBJECTS = TypeAdapter(list[SubjectRecord])


def subjects_from_json(rows: str | None) -> dict[str, SubjectRecord]:
    """Return the subjects by kind, from the JSON that PostgreSQL makes of rows."""
    return {known.kind: known for known in _SUBJECTS.validate_json(rows)} if rows else {}


def subjects_of(event: Event) -> dict[SubjectKind, UUID]:
    """Return kind → id of the subjects that the event names."""
    found = {concern.kind: subject_id(event, concern.kind) for concern in CONCERNS[event.type]}
    return {kind: value for kind, value in found.items() if value is not None}


def number_of(event: Event, kind: str) -> str | None:
    """Return the number of an order, request, claim or invoice; of the event's own subject only."""
    own = {"request_id": "vin_request"}.get(event.subject_field, event.subject_field.removesuffix("_id"))
    number = getattr(event, "number", None)
    return number if own == kind and isinstance(number, str) else None
