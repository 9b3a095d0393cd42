"""Bodies of shipments."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from services.orders.schemas.positions import PositionOut
from shared.web import Output


class ShipmentSummary(Output):
    id: UUID
    number: str
    office_id: UUID
    client_id: UUID
    total: Decimal
    disclosures: list[str]
    issued_by: UUID
    issued_at: datetime
    version: int


class ShipmentOut(ShipmentSummary):
    positions: list[PositionOut]
