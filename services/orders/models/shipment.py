"""Shipments: goods handed over (ORD-10)."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.models.base import Base, Strings
from shared.persistence.database import ClientOwned


class Shipment(ClientOwned, Base):
    """Goods handed over to one client with one action, perhaps from several orders."""

    __tablename__ = "shipment"
    __table_args__ = (
        Index("ix_shipment_office", "office_id", text("issued_at DESC"), text("id DESC")),
        Index("ix_shipment_client", "client_id", text("issued_at DESC"), text("id DESC")),
        Index("ix_shipment_issued", text("issued_at DESC"), text("id DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    total: Mapped[Decimal]
    disclosures: Mapped[Strings]
    issued_by: Mapped[UUID]
    issued_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
