"""Which rows a transaction sees (ORG-04)."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Scope:
    """All rows (`network`), those of one office, or those of one client."""

    kind: Literal["network", "office", "client"]
    office_id: UUID | None = None
    client_id: UUID | None = None


NETWORK = Scope("network")
