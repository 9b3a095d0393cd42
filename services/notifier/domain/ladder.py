"""Whom a level of the ladder reaches, resolved at the moment of firing (NTF-03, ORG-03, K7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.notifier.domain.rules import LADDER, LadderRole


@dataclass(frozen=True)
class Person:
    id: UUID
    office_id: UUID | None
    role: str
    full_name: str
    email: str


def resolve(
    role: LadderRole, office_id: UUID, responsible_id: UUID | None, people: Sequence[Person]
) -> tuple[LadderRole, list[Person]]:
    """Who is told, and as which role; `people` are the active staff of the office and of head office.

    A manager's duty reaches the responsible manager, or all managers while nobody is responsible.  Where there is no
    director the senior manager stands in (ORG-03).  Where nobody is left at a level, the next one up is told.
    """
    for candidate in LADDER[LADDER.index(role) :]:
        found = _at(candidate, office_id, responsible_id, people)
        if not found and candidate == "director":
            found = _at("senior_manager", office_id, responsible_id, people)
        if found:
            return candidate, found
    return "head_office", []


def _at(role: LadderRole, office_id: UUID, responsible_id: UUID | None, people: Sequence[Person]) -> list[Person]:
    if role == "head_office":
        return [person for person in people if person.role == "head_office"]
    here = [person for person in people if person.office_id == office_id]
    if role == "manager":
        # A senior manager or an assistant may serve a client too; then the duty is theirs.
        responsible = [person for person in here if person.id == responsible_id and person.role != "director"]
        if responsible:
            return responsible
    return [person for person in here if person.role == role]
