"""Update what is known about the subjects of obligations."""

from typing import Any

from services.notifier.clock.domain.facts import CONCERNS, merge, moment_of
from services.notifier.clock.domain.subjects import SubjectRecord, number_of, subjects_of
from services.notifier.clock.store.unit_of_work import UnitOfWork
from shared.contracts.base import Event


def update_subjects(
    work: UnitOfWork, known: dict[str, SubjectRecord], event: Event, body: dict[str, Any]
) -> dict[str, SubjectRecord]:
    """Return the event's subjects by kind, with the facts that the event adds.  The caller holds the client's lock."""
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
        subject.label = number_of(event, concern.kind) or subject.label
        subject.facts = merge(subject.facts, body, event, concern)
    work.subjects += [{name: getattr(row, name) for name in SubjectRecord.__slots__} for row in known.values()]
    return known
