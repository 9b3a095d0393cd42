"""The roles of people and the caller of a request (ORG-02)."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.persistence.scope import NETWORK, Scope


class Role(StrEnum):
    """A role as it stands in tokens and tables (ORG-02)."""

    CLIENT = "client"
    ASSISTANT = "assistant"
    MANAGER = "manager"
    SENIOR_MANAGER = "senior_manager"
    DIRECTOR = "director"
    HEAD_OFFICE = "head_office"
    MYSTERY_CHECKER = "mystery_checker"
    SERVICE = "service"

    @property
    def label(self) -> str:
        """The role's name in Russian."""
        return LABELS[self]


LABELS = {
    Role.CLIENT: "клиент",
    Role.ASSISTANT: "помощник менеджера",
    Role.MANAGER: "менеджер",
    Role.SENIOR_MANAGER: "старший менеджер",
    Role.DIRECTOR: "управляющий",
    Role.HEAD_OFFICE: "головной офис",
    Role.MYSTERY_CHECKER: "тайный проверяющий",
    Role.SERVICE: "служебная учётная запись",
}

SENIORS = (Role.SENIOR_MANAGER, Role.DIRECTOR)
OFFICE_STAFF = (Role.ASSISTANT, Role.MANAGER, *SENIORS)
STAFF = (*OFFICE_STAFF, Role.HEAD_OFFICE)
EVERYONE = (*STAFF, Role.CLIENT)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.  For a client `id` is the client's id."""

    id: UUID
    role: Role
    office_id: UUID | None
    name: str

    @property
    def scope(self) -> Scope:
        """The rows that the caller sees (ORG-04): staff their office, clients their own, head office all."""
        if self.role in (Role.HEAD_OFFICE, Role.SERVICE):
            return NETWORK
        if self.role == Role.CLIENT:
            return Scope("client", self.office_id, self.id)
        return Scope("office", self.office_id)
