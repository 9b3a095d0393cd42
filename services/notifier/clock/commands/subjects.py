"""What is remembered about the subjects of duties."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.notifier.clock.domain.facts import CONCERNS, merge, moment_of, subject_id
from services.notifier.clock.domain.rules import SubjectKind
from services.notifier.clock.store.unit_of_work import UnitOfWork
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
    """By kind, from the JSON that PostgreSQL makes of rows."""
    return {known.kind: known for known in _SUBJECTS.validate_json(rows)} if rows else {}


def subjects_of(event: Event) -> dict[SubjectKind, UUID]:
    """Kind → id of the subjects that the event names."""
    found = {concern.kind: subject_id(event, concern.kind) for concern in CONCERNS[event.type]}
    return {kind: value for kind, value in found.items() if value is not None}


def update_subjects(
    work: UnitOfWork, known: dict[str, SubjectRecord], event: Event, body: dict[str, Any]
) -> dict[str, SubjectRecord]:
    """What is known of the event's subjects with what the event tells, by kind.  The caller holds the client's lock."""
    concerned = subjects_of(event)
    if event.office_id is None:
        return {}
    for concern in CONCERNS[event.type]:
        if concern.kind not in concerned:
            continue
        subject = known.get(concern.kind)
        if subject is None:
            subject = SubjectRecord(concern.kind, concerned[concern.kind], event.office_id, None, None, None, {}, {})
            known[concern.kind] = subject
        moment = moment_of(event, concern).isoformat(timespec="microseconds")
        subject.moments[event.type] = max(subject.moments.get(event.type, ""), moment)
        subject.client_id = getattr(event, "client_id", None) or subject.client_id
        subject.staff_id = getattr(event, "staff_id", None) or subject.staff_id
        subject.label = _label(event, concern.kind) or subject.label
        subject.facts = merge(subject.facts, body, event, concern)
    work.subjects += [{name: getattr(row, name) for name in SubjectRecord.__slots__} for row in known.values()]
    return known


def _label(event: Event, kind: str) -> str | None:
    """The number of an order, request, claim or invoice; the event's own subject only."""
    own = {"request_id": "vin_request"}.get(event.subject_field, event.subject_field.removesuffix("_id"))
    number = getattr(event, "number", None)
    return number if own == kind and isinstance(number, str) else None
