"""Read orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.order import OrderState
from services.orders.domain.position import PositionState
from services.orders.models import Client, Order, Position
from services.orders.queries.access import is_staff
from services.orders.queries.positions import load_related_rows
from services.orders.schemas.orders import OrderOut, OrderSummary
from shared.base.errors import NotFound
from shared.identity.roles import Principal

NEWEST_FIRST = (Order.placed_at.desc(), Order.id.desc())


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What a list of orders is narrowed to; None narrows nothing."""

    client_id: UUID | None = None
    office_id: UUID | None = None
    state: OrderState | None = None
    number: str | None = None
    placed_from: datetime | None = None
    placed_to: datetime | None = None


def orders_matching(wanted: OrderFilter) -> Select[Any]:
    """Select orders placed from `placed_from` up to, not including, `placed_to`."""
    query = select(Order)
    for column, value in (
        (Order.client_id, wanted.client_id),
        (Order.office_id, wanted.office_id),
        (Order.state, wanted.state),
        (Order.number, wanted.number),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.placed_from is not None:
        query = query.where(Order.placed_at >= wanted.placed_from)
    if wanted.placed_to is not None:
        query = query.where(Order.placed_at < wanted.placed_to)
    return query


async def summarize_orders(session: AsyncSession, orders: Sequence[Order]) -> list[OrderSummary]:
    """Return list rows with the clients' names and the number of positions in each state (ORD-14)."""
    ids = [order.id for order in orders]
    counted = await session.execute(
        select(Position.order_id, Position.state, func.count())
        .where(Position.order_id.in_(ids))
        .group_by(Position.order_id, Position.state)
    )
    states: dict[UUID, dict[PositionState, int]] = {order_id: {} for order_id in ids}
    for order_id, position_state, count in counted:
        states[order_id][position_state] = count
    clients = await session.scalars(select(Client).where(Client.client_id.in_({order.client_id for order in orders})))
    names = {client.client_id: client.display_name for client in clients}
    return [OrderSummary.of(order, names.get(order.client_id), states[order.id]) for order in orders]


async def find_order(session: AsyncSession, order_id: UUID) -> Order:
    """Return one order of the caller's scope.  Raises NotFound."""
    order = await session.scalar(select(Order).where(Order.id == order_id))
    if order is None:
        raise NotFound("Заказ не найден.")
    return order


async def show_order(session: AsyncSession, order: Order, *, caller: Principal, at: datetime) -> OrderOut:
    """Return an order with its positions, each in its own state (ORD-14), and the client's balance (BILL-04)."""
    query = select(Position).where(Position.order_id == order.id).order_by(Position.line, Position.id)
    positions = list(await session.scalars(query))
    staff = is_staff(caller)
    related = await load_related_rows(session, positions, with_suppliers=staff, at=at)
    return OrderOut.of_positions(order, positions, related, internal=staff)
