"""How rows look on the wire.  What is internal stands in `internal`, which clients get as null (ORD-08)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.order import OrderState
from services.orders.domain.position import PositionState
from services.orders.domain.return_matrix import KIND_LABELS
from services.orders.models import Order, Position
from services.orders.models.order import Channel, Delivery
from services.orders.queries.positions import RelatedRows, UnderModeration, load_related_rows
from shared.base.errors import BusinessError
from shared.contracts.clients import Vehicle
from shared.contracts.orders import PartKind
from shared.identity.roles import Principal, Role
from shared.web import Output


class BalanceOut(Output):
    """Баланс клиента (BILL-04), рубли."""

    balance: Decimal
    held: Decimal
    available: Decimal


class ModerationOut(Output):
    """Все позиции клиента «На модерации»."""

    count: int
    amount: Decimal


class PositionInternal(Output):
    """Видят только сотрудники."""

    supplier_id: UUID | None
    supplier_name: str | None
    supplier_statistics: str | None = Field(description="«96/3»: поставлено, % / среднее опоздание, дни (ORD-16)")
    purchase_price: Decimal | None
    purchase_order_id: UUID | None
    manager_comment: str | None
    refusal_reason: str | None
    removal_reason: str | None
    chosen_by: UUID | None
    client_phone: str | None
    client_name_verified: bool | None = Field(description="CL-05")


class PositionOut(Output):
    id: UUID
    office_id: UUID
    client_id: UUID
    client_name: str | None
    order_id: UUID
    order_number: str
    line: int
    article: str
    brand: str
    description: str
    kind: PartKind
    kind_label: str
    quantity: int
    sale_price: Decimal
    amount: Decimal
    state: PositionState
    state_label: str
    state_changed_at: datetime
    paid: bool
    check_requested: bool
    applicable: bool | None = Field(description="Отметка проверки применимости (ORD-06); null — не проверена")
    check_comment: str | None
    client_comment: str | None = Field(description="«Комментарий к заказу» (ORD-08)")
    finally_refused: bool
    term_days: int | None
    promised_at: datetime | None
    supply_statistics: str | None = Field(description="«96/3» на момент предложения (ORD-15, ORD-16)")
    no_catalogue: bool
    vehicle: Vehicle | None
    shipment_id: UUID | None
    origin_id: UUID | None = Field(description="Позиция заказа, от которой отделена эта часть")
    split_from_id: UUID | None
    client_balance: BalanceOut | None
    client_under_moderation: ModerationOut | None = Field(description="null в ответе на оформление заказа")
    version: int
    internal: PositionInternal | None

    @classmethod
    def of(cls, position: Position, related: RelatedRows, *, internal: bool) -> Self:
        order = related.orders.get(position.order_id)
        client = related.clients.get(position.client_id)
        balance = related.balances.get(position.client_id)
        supplier = related.suppliers.get(position.supplier_id) if position.supplier_id else None
        statistics = related.statistics.get(position.supplier_id) if position.supplier_id else None
        return cls(
            **{name: getattr(position, name) for name in _AS_STORED},
            client_name=client.display_name if client else None,
            kind_label=KIND_LABELS[position.kind],
            state_label=position.state.label,
            check_requested=bool(order and order.check_requested),
            supply_statistics=position.supply_label,
            vehicle=Vehicle.model_validate(order.vehicle) if order and order.vehicle else None,
            client_balance=BalanceOut.model_validate(balance) if balance else None,
            client_under_moderation=None
            if related.moderated is None
            else ModerationOut.model_validate(related.moderated.get(position.client_id, UnderModeration())),
            internal=PositionInternal(
                supplier_id=position.supplier_id,
                supplier_name=supplier.name if supplier else None,
                supplier_statistics=statistics.label if statistics else None,
                purchase_price=position.purchase_price,
                purchase_order_id=position.purchase_order_id,
                manager_comment=position.manager_comment,
                refusal_reason=position.refusal_reason,
                removal_reason=position.removal_reason,
                chosen_by=position.chosen_by,
                client_phone=client.phone if client else None,
                client_name_verified=client.name_verified if client else None,
            )
            if internal
            else None,
        )


_AS_STORED = [
    "id",
    "office_id",
    "client_id",
    "order_id",
    "order_number",
    "line",
    "article",
    "brand",
    "description",
    "kind",
    "quantity",
    "sale_price",
    "amount",
    "state",
    "state_changed_at",
    "paid",
    "applicable",
    "check_comment",
    "client_comment",
    "finally_refused",
    "term_days",
    "promised_at",
    "no_catalogue",
    "shipment_id",
    "origin_id",
    "split_from_id",
    "version",
]


def is_staff(caller: Principal) -> bool:
    return caller.role is not Role.CLIENT


async def show_positions(
    session: AsyncSession, positions: Sequence[Position], *, caller: Principal, at: datetime
) -> list[PositionOut]:
    staff = is_staff(caller)
    related = await load_related_rows(session, positions, with_suppliers=staff, at=at)
    return [PositionOut.of(position, related, internal=staff) for position in positions]


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


class ProblemOut(Output):
    """Почему именно эта позиция не прошла (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str

    @classmethod
    def of(cls, error: BusinessError) -> Self:
        return cls(
            type=f"urn:reglament:problem:{error.code}", title=error.title, status=error.status, detail=error.detail
        )
