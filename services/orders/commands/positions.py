"""Bulk actions over positions (ORD-03): lock, change in memory through the guards, write back together.

Orders are locked before positions, both in the order of their ids: two actions never deadlock, and the one that takes
the last position out of moderation sees the other's work, so that the order is processed exactly once (ORD-05).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders import store
from services.orders.domain.bulk import BulkResult
from services.orders.domain.order import derive
from services.orders.domain.position import PositionState
from services.orders.models import Order, Position
from services.orders.schemas.positions import MarkedPosition
from shared.base.errors import BusinessError, NotFound, PreconditionFailed
from shared.contracts.orders import OrderProcessed


@dataclass
class Locked:
    """Rows of the caller's scope, locked and detached from the session."""

    orders: dict[UUID, Order]
    positions: dict[UUID, Position]

    def order_of(self, position: Position) -> Order:
        """Return the order of a locked position."""
        return self.orders[position.order_id]


@dataclass
class Bulk:
    """The outcome of one action over many positions."""

    results: list[BulkResult] = field(default_factory=list)
    changed: list[Position] = field(default_factory=list)
    added: list[Position] = field(default_factory=list)


async def lock_positions(session: AsyncSession, position_ids: Collection[UUID]) -> Locked:
    """Lock those of the positions that the caller may see, with their orders."""
    order_ids = select(Position.order_id).where(Position.id.in_(position_ids))
    return await _lock(session, Order.id.in_(order_ids), Position.id.in_(position_ids))


async def lock_position(session: AsyncSession, position_id: UUID) -> tuple[Position, Order]:
    """Lock one position with its order.  Raises NotFound."""
    locked = await lock_positions(session, [position_id])
    position = locked.positions.get(position_id)
    if position is None:
        raise NotFound("Позиция не найдена.")
    return position, locked.order_of(position)


async def lock_order(session: AsyncSession, order_id: UUID) -> tuple[Order, list[Position]]:
    """Lock an order with all its positions.  Raises NotFound."""
    locked = await _lock(session, Order.id == order_id, Position.order_id == order_id)
    if order_id not in locked.orders:
        raise NotFound("Заказ не найден.")
    return locked.orders[order_id], list(locked.positions.values())


async def _lock(session: AsyncSession, which_orders: Any, which_positions: Any) -> Locked:
    orders = await session.scalars(select(Order).where(which_orders).order_by(Order.id).with_for_update(key_share=True))
    found_orders = {order.id: order for order in orders}
    positions = await session.scalars(
        select(Position)
        .where(which_positions, Position.order_id.in_(found_orders))
        .order_by(Position.id)
        .with_for_update(key_share=True)
    )
    found_positions = {position.id: position for position in positions}
    for row in (*found_orders.values(), *found_positions.values()):
        session.expunge(row)
    return Locked(found_orders, found_positions)


def change_each(
    locked: Locked,
    items: Sequence[MarkedPosition],
    change: Callable[[Position, Order, MarkedPosition], Position | None],
) -> Bulk:
    """Apply `change` to each marked position; one that fails says why and does not stop the others.

    `change` returns the remainder that was split off, if any, or raises a BusinessError before it changes anything
    that is kept.
    """
    bulk = Bulk()
    for item in items:
        position = locked.positions.get(item.position_id)
        result = BulkResult(item.position_id)
        bulk.results.append(result)
        if position is None:
            result.problem = NotFound("Позиция не найдена.")
            continue
        result.version, result.state = position.version, position.state
        try:
            ensure_version(position, item.version)
            remainder = change(position, locked.order_of(position), item)
        except BusinessError as problem:
            result.problem = problem
            continue
        bulk.changed.append(position)
        result.version, result.state = position.version, position.state
        if remainder is not None:
            bulk.added.append(remainder)
            result.remainder_id = remainder.id
    return bulk


def ensure_version(position: Position, expected: int) -> None:
    """Refuse a change of what the caller has not seen.  Raises PreconditionFailed."""
    if position.version != expected:
        raise PreconditionFailed(
            f"Позицию уже изменили: версия {position.version}, вы видели {expected}. Обновите список."
        )


class CheckPending(BusinessError):
    """A check that the client asked for has no result yet (ORD-06)."""

    code = "check-pending"
    title = "Применимость не проверена"


class NotApplicable(BusinessError):
    """The check found that the part does not fit (ORD-06)."""

    code = "not-applicable"
    title = "Деталь не применима"


def ensure_sendable(position: Position, order: Order, *, overridden: bool) -> None:
    """Refuse to order a part whose requested check is open or negative, unless a senior overrides it (ORD-06).

    Raises CheckPending, NotApplicable.
    """
    if overridden:
        return
    if position.applicable is False:
        raise NotApplicable("По проверке деталь не применима: снимите позицию или согласуйте её с клиентом.")
    if order.check_requested and position.applicable is None:
        raise CheckPending("Клиент просил проверить применимость: сначала отметьте результат.")


@dataclass(frozen=True)
class OrderView:
    """What follows from all positions of the orders."""

    processed: list[OrderProcessed]
    complete: set[UUID]
    """Orders of which nothing is still on its way."""


_ON_ITS_WAY = {(PositionState.MODERATION, False), (PositionState.ORDERED, False), (PositionState.REFUSED, False)}


async def refresh_orders(session: AsyncSession, orders: Collection[Order], at: datetime) -> OrderView:
    """Derive the orders' states anew after the positions were saved (ORD-14).

    An order whose last position has left moderation is processed; its event is published once (ORD-05).
    """
    rows = await session.execute(
        select(Position.order_id, Position.state, Position.finally_refused)
        .where(Position.order_id.in_([order.id for order in orders]))
        .distinct()
    )
    states: dict[UUID, set[tuple[PositionState, bool]]] = {order.id: set() for order in orders}
    for order_id, state, final in rows:
        states[order_id].add((state, final))
    processed = []
    for order in orders:
        moderated = any(state is PositionState.MODERATION for state, _ in states[order.id])
        just_processed = order.processed_at is None and not moderated
        order.state, order.version = derive(states[order.id]), order.version + 1
        if just_processed:
            order.processed_at = at
            processed.append(
                OrderProcessed(
                    office_id=order.office_id,
                    version=order.version,
                    occurred_at=at,
                    order_id=order.id,
                    client_id=order.client_id,
                )
            )
    await store.write_order_states(session, orders)
    return OrderView(processed, {order_id for order_id, found in states.items() if not found & _ON_ITS_WAY})
