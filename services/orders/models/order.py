"""Orders and their positions; each position has its own state (ORD-01)."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.domain.order import OrderState
from services.orders.domain.position import PositionState, ensure_allowed
from services.orders.domain.statistics import days_late
from services.orders.models.base import Base, OptionalJson, Strings, stored
from services.orders.models.basket import OfferedPart
from shared.base.errors import Invalid
from shared.contracts.orders import (
    PositionLine,
    PositionOrdered,
    PositionReceived,
    PositionRefused,
    PositionRemoved,
)
from shared.persistence.database import ClientOwned, new_id

KOPECK = Decimal("0.01")
Channel = Literal["cabinet", "office"]
Delivery = Literal["office", "courier"]


class Order(ClientOwned, Base):
    """An order.

    `state` is derived from the positions (ORD-14) and stored for lists; `version` grows with every change.
    """

    __tablename__ = "customer_order"
    __table_args__ = (
        Index("ix_customer_order_office", "office_id", text("placed_at DESC"), text("id DESC")),
        Index("ix_customer_order_office_state", "office_id", "state", text("placed_at DESC"), text("id DESC")),
        Index("ix_customer_order_state", "state", text("placed_at DESC"), text("id DESC")),
        Index("ix_customer_order_client", "client_id", text("placed_at DESC"), text("id DESC")),
        Index("ix_customer_order_placed", text("placed_at DESC"), text("id DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[OrderState] = mapped_column(stored(OrderState))
    client_category: Mapped[str] = mapped_column(String(50))
    client_kind: Mapped[str] = mapped_column(String(24))
    wholesale: Mapped[bool]
    channel: Mapped[Channel] = mapped_column(String(16))
    total: Mapped[Decimal]
    check_requested: Mapped[bool]
    check_completed_at: Mapped[datetime | None]
    checked_by: Mapped[UUID | None]
    vehicle: Mapped[OptionalJson]
    """`shared.contracts.clients.Vehicle` as it was when the order was placed."""
    disclosures: Mapped[Strings]
    delivery: Mapped[Delivery] = mapped_column(String(16))
    delivery_city: Mapped[str | None] = mapped_column(String(100))
    delivery_note: Mapped[str | None] = mapped_column(String(1000))
    placed_by: Mapped[UUID]
    placed_at: Mapped[datetime]
    processed_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    version: Mapped[int]


class Position(ClientOwned, OfferedPart, Base):
    """One part of one order.

    Commands lock positions, detach them, change them through the methods below and write all of them back with one
    statement (`store.write_positions`): a bulk action of 500 positions costs a handful of round trips.
    """

    __tablename__ = "position"
    __table_args__ = (
        Index("ix_position_office", "office_id", text("state_changed_at DESC"), text("id DESC")),
        Index("ix_position_office_state", "office_id", "state", text("state_changed_at DESC"), text("id DESC")),
        Index("ix_position_state", "state", text("state_changed_at DESC"), text("id DESC")),
        Index("ix_position_client", "client_id", text("state_changed_at DESC"), text("id DESC")),
        Index("ix_position_changed", text("state_changed_at DESC"), text("id DESC")),
        Index(
            "ix_position_supplier",
            "supplier_id",
            text("state_changed_at DESC"),
            text("id DESC"),
            postgresql_where=text("supplier_id IS NOT NULL"),
        ),
        Index("ix_position_moderated", "client_id", postgresql_where=text("state = 'moderation'")),
        Index("ix_position_order", "order_id", "line", "id"),
        Index("ix_position_shipment", "shipment_id", postgresql_where=text("shipment_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("customer_order.id"))
    order_number: Mapped[str] = mapped_column(String(40))
    line: Mapped[int]
    state: Mapped[PositionState] = mapped_column(stored(PositionState))
    state_changed_at: Mapped[datetime]
    paid: Mapped[bool] = mapped_column(default=False)
    applicable: Mapped[bool | None]
    """The result of the check (ORD-06); None while unchecked."""
    check_comment: Mapped[str | None] = mapped_column(String(1000))
    checked_at: Mapped[datetime | None]
    manager_comment: Mapped[str | None] = mapped_column(String(1000))
    """Internal; the client never sees it (ORD-08)."""
    client_comment: Mapped[str | None] = mapped_column(String(1000))
    """«Комментарий к заказу», addressed to the client (ORD-08)."""
    removal_reason: Mapped[str | None] = mapped_column(String(50))
    refusal_reason: Mapped[str | None] = mapped_column(String(1000))
    finally_refused: Mapped[bool] = mapped_column(default=False)
    discounted: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    """Roubles that went back to the client for all these pieces although they stayed (RET-03, RET-04, RET-05, RET-06)."""
    purchase_order_id: Mapped[UUID | None]
    shipment_id: Mapped[UUID | None]
    ordered_at: Mapped[datetime | None]
    promised_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    issued_at: Mapped[datetime | None]
    origin_id: Mapped[UUID | None]
    """The position of the placed order that this one was split from; None for a position of the placed order."""
    split_from_id: Mapped[UUID | None]
    """The position that this one was split from directly."""
    version: Mapped[int]

    def ordered(
        self, *, supplier_id: UUID, purchase_price: Decimal, purchase_order_id: UUID, at: datetime
    ) -> PositionOrdered:
        """Move to «Заказ отправлен» (ORD-01, ORD-13).  Raises IllegalTransition."""
        self._move(PositionState.ORDERED, at)
        self.supplier_id, self.purchase_price, self.purchase_order_id = supplier_id, purchase_price, purchase_order_id
        self.ordered_at = at
        self.promised_at = None if self.term_days is None else at + timedelta(days=self.term_days)
        self.refusal_reason = None
        return PositionOrdered(
            office_id=self.office_id,
            version=self.version,
            occurred_at=at,
            order_id=self.order_id,
            position_id=self.id,
            client_id=self.client_id,
            supplier_id=supplier_id,
            purchase_order_id=purchase_order_id,
            amount=self.amount,
            origin_position_id=self.origin_id,
        )

    def receive(self, at: datetime) -> PositionReceived:
        """Move to «Готов к выдаче» (ORD-09).  Raises IllegalTransition."""
        self._move(PositionState.READY, at)
        self.received_at = at
        return PositionReceived(
            office_id=self.office_id,
            version=self.version,
            occurred_at=at,
            order_id=self.order_id,
            position_id=self.id,
            client_id=self.client_id,
            amount=self.amount,
            origin_position_id=self.origin_id,
        )

    def issue(self, shipment_id: UUID, at: datetime) -> PositionLine:
        """Move to «Выдано» (ORD-10).  Raises IllegalTransition."""
        self._move(PositionState.ISSUED, at)
        self.shipment_id, self.issued_at = shipment_id, at
        return self.as_line()

    def remove(self, *, reason_code: str, comment: str, automatic: bool, at: datetime) -> PositionRemoved:
        """Move to «Снят» with a comment for the client (ORD-08).  Raises IllegalTransition."""
        self._move(PositionState.REMOVED, at)
        self.removal_reason, self.client_comment = reason_code, comment
        return PositionRemoved(
            office_id=self.office_id,
            version=self.version,
            occurred_at=at,
            order_id=self.order_id,
            order_number=self.order_number,
            position_id=self.id,
            client_id=self.client_id,
            article=self.article,
            brand=self.brand,
            description=self.description,
            amount=self.amount,
            reason_code=reason_code,
            comment=comment,
            automatic=automatic,
            origin_position_id=self.origin_id,
        )

    def refuse(self, *, reason: str, final: bool, at: datetime) -> PositionRefused:
        """Move to «Отказ поставщика»; a refusal that was not final may become final.  Raises IllegalTransition."""
        if not (self.state is PositionState.REFUSED and final and not self.finally_refused):
            ensure_allowed(self.state, PositionState.REFUSED, finally_refused=self.finally_refused)
        assert self.supplier_id is not None, "a position that was ordered has a supplier"
        self.state, self.state_changed_at, self.version = PositionState.REFUSED, at, self.version + 1
        self.refusal_reason, self.finally_refused = reason, final
        return PositionRefused(
            office_id=self.office_id,
            version=self.version,
            occurred_at=at,
            order_id=self.order_id,
            order_number=self.order_number,
            position_id=self.id,
            client_id=self.client_id,
            supplier_id=self.supplier_id,
            article=self.article,
            brand=self.brand,
            description=self.description,
            amount=self.amount,
            reason=reason,
            final=final,
            origin_position_id=self.origin_id,
        )

    def take_back(self, at: datetime) -> None:
        """Move to «Возврат» after a return was accepted.  Raises IllegalTransition."""
        self._move(PositionState.RETURNED, at)

    def split(self, quantity: int) -> "Position | None":
        """Keep `quantity` pieces here and return the rest as a new position, or None when nothing is left over.

        The next change of this position leaves the rest as it is.  Raises Invalid.
        """
        if not 1 <= quantity <= self.quantity:
            raise Invalid(f"Количество — от 1 до {self.quantity}.", field="quantity")
        if quantity == self.quantity:
            return None
        values = {column.key: getattr(self, column.key) for column in Position.__table__.columns}
        rest = Position(
            **values
            | {
                "id": new_id(),
                "quantity": self.quantity - quantity,
                "origin_id": self.origin_id or self.id,
                "split_from_id": self.id,
                "discounted": self.discounted - self.discount_on(quantity),
                "version": 1,
            }
        )
        self.discounted = self.discount_on(quantity)
        self.quantity = quantity
        return rest

    def discount_on(self, quantity: int) -> Decimal:
        """Return the share of `discounted` that falls on that many pieces, in roubles."""
        return (self.discounted * quantity / self.quantity).quantize(KOPECK, ROUND_HALF_UP)

    @property
    def days_late(self) -> int:
        """Return whole days past the supplier's first term, 0 until received; a noted delay (K10) still counts."""
        promised_at = self.promised_at
        if self.ordered_at is not None and self.term_days is not None:
            promised_at = self.ordered_at + timedelta(days=self.term_days)
        return 0 if self.received_at is None else days_late(promised_at, self.received_at)

    def as_line(self) -> PositionLine:
        return PositionLine(
            position_id=self.id,
            article=self.article,
            brand=self.brand,
            description=self.description,
            quantity=self.quantity,
            sale_price=self.sale_price,
            amount=self.amount,
            origin_position_id=self.origin_id,
        )

    def _move(self, target: PositionState, at: datetime) -> None:
        ensure_allowed(self.state, target, finally_refused=self.finally_refused)
        self.state, self.state_changed_at, self.version = target, at, self.version + 1
