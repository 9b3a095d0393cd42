"""Bodies of orders."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from services.orders.domain.disclosures import Disclosure
from services.orders.domain.order import OrderState
from services.orders.domain.position import PositionState
from services.orders.models import Order, Position
from services.orders.models.order import Channel, Delivery
from services.orders.schemas.positions import BalanceOut, PositionOut
from services.orders.schemas.related import RelatedRows
from shared.contracts.clients import Vehicle
from shared.vocabulary.fields import Comment, PlaceName
from shared.web import Input, Output


class PlaceOrder(Input):
    """Вся корзина клиента становится заказом."""

    client_id: UUID
    check_requested: bool = Field(default=False, description="Проверить применимость (ORD-06)")
    vehicle_id: UUID | None = None
    disclosures: list[Disclosure] = Field(default=[], max_length=10)
    delivery: Delivery = "office"
    delivery_city: PlaceName | None = None
    delivery_note: Comment | None = Field(default=None, description="О чём договорились с менеджером (ORD-18)")

    @model_validator(mode="after")
    def _delivery_is_complete(self) -> Self:
        if self.delivery == "courier" and self.delivery_city is None:
            raise ValueError("для доставки нужен город")
        return self


class OrderSummary(Output):
    id: UUID
    number: str
    office_id: UUID
    client_id: UUID
    client_name: str | None
    state: OrderState = Field(description="Выводится из состояний позиций (ORD-14)")
    state_label: str
    position_states: dict[PositionState, int] = Field(description="Сколько позиций в каком состоянии")
    channel: Channel
    total: Decimal
    check_requested: bool
    check_completed_at: datetime | None
    paid_at: datetime | None
    processed_at: datetime | None
    placed_at: datetime
    version: int

    @classmethod
    def of(cls, order: Order, client_name: str | None, position_states: dict[PositionState, int]) -> Self:
        return cls(
            **{name: getattr(order, name) for name in _ORDER_AS_STORED},
            client_name=client_name,
            state_label=order.state.label,
            position_states=position_states,
        )


_ORDER_AS_STORED = [
    name for name in OrderSummary.model_fields if name not in ("client_name", "state_label", "position_states")
]


class OrderOut(OrderSummary):
    vehicle: Vehicle | None
    disclosures: list[str]
    delivery: Delivery
    delivery_city: str | None
    delivery_note: str | None
    client_balance: BalanceOut | None
    positions: list[PositionOut]

    @classmethod
    def of_positions(cls, order: Order, positions: Sequence[Position], related: RelatedRows, *, internal: bool) -> Self:
        client = related.clients.get(order.client_id)
        balance = related.balances.get(order.client_id)
        summary = OrderSummary.of(
            order,
            client.display_name if client else None,
            dict(Counter(position.state for position in positions)),
        )
        return cls(
            **dict(summary),
            vehicle=order.vehicle,
            disclosures=order.disclosures,
            delivery=order.delivery,
            delivery_city=order.delivery_city,
            delivery_note=order.delivery_note,
            client_balance=BalanceOut.model_validate(balance) if balance else None,
            positions=[PositionOut.of(position, related, internal=internal) for position in positions],
        )
