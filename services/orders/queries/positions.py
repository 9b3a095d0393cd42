"""Read positions: the list (ORD-02), and what a screen shows beside a position (BILL-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.position import PositionState
from services.orders.models import Balance, Client, Order, Position, Supplier
from services.orders.queries.access import is_staff
from services.orders.queries.suppliers import supply_statistics
from services.orders.schemas.positions import PositionOut
from services.orders.schemas.related import RelatedRows, UnderModeration
from shared.base.errors import NotFound
from shared.identity.roles import Principal

NEWEST_FIRST = (Position.state_changed_at.desc(), Position.id.desc())


@dataclass(frozen=True, slots=True)
class PositionFilter:
    """What a list of positions is narrowed to; None narrows nothing (ORD-02)."""

    state: PositionState | None = None
    client_id: UUID | None = None
    office_id: UUID | None = None
    order_id: UUID | None = None
    supplier_id: UUID | None = None
    changed_from: datetime | None = None
    changed_to: datetime | None = None
    paid: bool | None = None


def positions_matching(wanted: PositionFilter) -> Select[Any]:
    """Select positions changed from `changed_from` up to, not including, `changed_to`."""
    query = select(Position)
    for column, value in (
        (Position.state, wanted.state),
        (Position.client_id, wanted.client_id),
        (Position.office_id, wanted.office_id),
        (Position.order_id, wanted.order_id),
        (Position.supplier_id, wanted.supplier_id),
        (Position.paid, wanted.paid),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.changed_from is not None:
        query = query.where(Position.state_changed_at >= wanted.changed_from)
    if wanted.changed_to is not None:
        query = query.where(Position.state_changed_at < wanted.changed_to)
    return query


async def find_position(session: AsyncSession, position_id: UUID) -> Position:
    """Return one position of the caller's scope.  Raises NotFound."""
    position = await session.scalar(select(Position).where(Position.id == position_id))
    if position is None:
        raise NotFound("Позиция не найдена.")
    return position


async def load_related_rows(
    session: AsyncSession, positions: Sequence[Position], *, with_suppliers: bool, at: datetime
) -> RelatedRows:
    """Read what a screen shows beside the positions: one statement for each table, for the whole page."""
    if not positions:
        return RelatedRows(moderated={})
    client_ids = {position.client_id for position in positions}
    order_ids = {position.order_id for position in positions}
    supplier_ids = {position.supplier_id for position in positions if position.supplier_id} if with_suppliers else set()
    orders = await session.scalars(select(Order).where(Order.id.in_(order_ids)))
    clients = await session.scalars(select(Client).where(Client.client_id.in_(client_ids)))
    balances = await session.scalars(select(Balance).where(Balance.client_id.in_(client_ids)))
    moderated = await session.execute(
        select(Position.client_id, func.count(), func.sum(Position.sale_price * Position.quantity))
        .where(Position.client_id.in_(client_ids), Position.state == PositionState.MODERATION)
        .group_by(Position.client_id)
    )
    found = RelatedRows(
        orders={order.id: order for order in orders},
        clients={client.client_id: client for client in clients},
        balances={balance.client_id: balance for balance in balances},
        moderated={client_id: UnderModeration(count, amount) for client_id, count, amount in moderated},
    )
    if supplier_ids:
        suppliers = await session.scalars(select(Supplier).where(Supplier.id.in_(supplier_ids)))
        found.suppliers = {supplier.id: supplier for supplier in suppliers}
        found.statistics = await supply_statistics(session, supplier_ids, at)
    return found


async def show_positions(
    session: AsyncSession, positions: Sequence[Position], *, caller: Principal, at: datetime
) -> list[PositionOut]:
    """Return positions as the caller sees them; internal values for staff only (ORD-08)."""
    staff = is_staff(caller)
    related = await load_related_rows(session, positions, with_suppliers=staff, at=at)
    return [PositionOut.of(position, related, internal=staff) for position in positions]
