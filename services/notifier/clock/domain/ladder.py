"""Resolve whom a level of the ladder reaches, at the moment of firing (NTF-03, ORG-03, K7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.notifier.clock.domain.rules import LADDER, LadderRole


@dataclass(frozen=True)
class Person:
    """An active member of staff; people of head office have no office."""

    id: UUID
    office_id: UUID | None
    role: str
    full_name: str
    email: str
    phone: str | None = None


def with_substitutes(
    people: Sequence[Person], absences: Mapping[UUID, UUID | None]
) -> tuple[list[Person], dict[UUID, UUID]]:
    """Return who is present, substitutes in the roles of those they act for included, and who acts for whom.

    `absences` is person → substitute, None without one: then the ladder skips that person.
    """
    present = {person.id: person for person in people if person.id not in absences}
    substitutes = {absent: other for absent, other in absences.items() if other in present}
    acting = [
        replace(present[substitutes[absent.id]], office_id=absent.office_id, role=absent.role)
        for absent in people
        if absent.id in substitutes
    ]
    return [*present.values(), *acting], {absent: other for absent, other in substitutes.items() if other is not None}


def resolve_recipients(
    role: LadderRole, office_id: UUID, responsible_id: UUID | None, people: Sequence[Person]
) -> tuple[LadderRole, list[Person]]:
    """Return who is notified, and as which role; `people` are the active staff of the office and of head office.

    An obligation of a manager reaches the responsible manager, or all managers while none is responsible.  Where there
    is no director the senior manager acts (ORG-03).  A level without people passes on to the next one.
    """
    for candidate in LADDER[LADDER.index(role) :]:
        found = _at(candidate, office_id, responsible_id, people)
        if not found and candidate == "director":
            found = _at("senior_manager", office_id, responsible_id, people)
        if found:
            return candidate, list({person.id: person for person in found}.values())
    return "head_office", []


def _at(role: LadderRole, office_id: UUID, responsible_id: UUID | None, people: Sequence[Person]) -> list[Person]:
    if role == "head_office":
        return [person for person in people if person.role == "head_office"]
    here = [person for person in people if person.office_id == office_id]
    if role == "manager":
        # A senior manager or an assistant may serve a client too; then the obligation is that person's.
        responsible = [person for person in here if person.id == responsible_id and person.role != "director"]
        if responsible:
            return responsible
    return [person for person in here if person.role == role]
