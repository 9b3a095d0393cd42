"""Items of baskets."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.models.base import Base, OptionalJson
from shared.contracts.orders import PartKind
from shared.persistence.database import ClientOwned


class OfferedPart:
    """The part, its price and its supplier as offered; shared by basket items and positions."""

    article: Mapped[str] = mapped_column(String(100))
    brand: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(300))
    kind: Mapped[PartKind] = mapped_column(String(24))
    quantity: Mapped[int]
    sale_price: Mapped[Decimal]
    purchase_price: Mapped[Decimal | None]
    supplier_id: Mapped[UUID | None]
    term_days: Mapped[int | None]
    """The term in days as it was at pricing (ORD-15)."""
    supply_label: Mapped[str | None] = mapped_column(String(20))
    """«96/3» as the client saw it when the part was offered (ORD-16)."""
    no_catalogue: Mapped[bool] = mapped_column(default=False)
    chosen_by: Mapped[UUID | None]
    """The employee who chose the part (VIN-09); None when the client did."""
    vin_request_id: Mapped[UUID | None]
    offer_id: Mapped[UUID | None]

    @property
    def amount(self) -> Decimal:
        return self.sale_price * self.quantity


class BasketItem(ClientOwned, OfferedPart, Base):
    __tablename__ = "basket_item"
    __table_args__ = (Index(None, "client_id", "added_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vehicle: Mapped[OptionalJson]
    """The car a VIN answer was for; becomes the order's car."""
    added_by: Mapped[UUID]
    added_at: Mapped[datetime]
