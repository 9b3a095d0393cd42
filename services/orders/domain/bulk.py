"""What becomes of the positions of one bulk action (ORD-03)."""

from dataclasses import dataclass
from uuid import UUID

from services.orders.domain.position import PositionState
from shared.base.errors import BusinessError


@dataclass
class BulkResult:
    """The outcome for one marked position."""

    position_id: UUID
    problem: BusinessError | None = None
    version: int | None = None
    state: PositionState | None = None
    remainder_id: UUID | None = None
    """The new position that holds the rest of a partial action."""
