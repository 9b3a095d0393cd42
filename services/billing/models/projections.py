"""Projections of offices, clients and orders."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.models.base import Base
from shared.contracts.control import OfficeChanged
from shared.persistence.database import (
    ClientOwned,
    Instant,
    Money,
    new_id,
)


class Office(Base):
    """Projection of `control.office.changed.v1`, whole: requisites, bank accounts and VAT go into documents."""

    __tablename__ = "offices"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]

    @property
    def state(self) -> OfficeChanged:
        return OfficeChanged.model_validate(self.facts)


class Client(Base, ClientOwned):
    """Projection of `clients.client.*`."""

    __tablename__ = "clients"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    organization_name: Mapped[str | None]
    phone: Mapped[str | None]
    active: Mapped[bool]
    version: Mapped[int]


class Order(Base, ClientOwned):
    """Projection of an order.  `announced` once `billing.order.paid.v1` is published."""

    __tablename__ = "orders"
    __table_args__ = (Index("ix_orders_client_id", "client_id", "placed_at", "order_id"),)

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    placed_at: Mapped[Instant]
    vehicle: Mapped[str | None]
    announced: Mapped[bool] = mapped_column(default=False)


class Position(Base, ClientOwned):
    """A position as it was placed; pieces that `orders` splits off are counted against it.

    `due` is what it still may cost the client: the placed amount less what was removed, refused for good or issued.
    `held` is the money set aside for it, never more than `due`.
    """

    __tablename__ = "positions"
    __table_args__ = (Index("ix_positions_order_id", "order_id", "line"),)

    position_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    line: Mapped[int]
    article: Mapped[str]
    brand: Mapped[str]
    description: Mapped[str]
    quantity: Mapped[int]
    sale_price: Mapped[Money]
    amount: Mapped[Money]
    due: Mapped[Money]
    held: Mapped[Money]


class EarlyChange(Base):
    """What happened to a position before its order arrived: the order of events is not guaranteed."""

    __tablename__ = "early_changes"
    __table_args__ = (Index("ix_early_changes_position_id", "position_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    position_id: Mapped[UUID]
    amount: Mapped[Money]
