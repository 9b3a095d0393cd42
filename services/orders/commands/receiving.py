"""«Оформить приход»: receive goods, whole or in part (ORD-09)."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders import store
from services.orders.commands.positions import Bulk, change_each, lock_positions, refresh_orders
from services.orders.commands.suppliers import record_supply
from services.orders.domain.position import PositionState, ensure_allowed
from services.orders.models import Order, Position
from services.orders.schemas.positions import MarkedPosition, PositionAction
from shared.contracts.base import Event
from shared.contracts.orders import GoodsReady
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.runtime.audit import audit


async def receive_goods(session: AsyncSession, body: PositionAction, *, caller: Principal, at: datetime) -> Bulk:
    """Move received goods to «Готов к выдаче»; one event for each order notifies the client (NTF-02).

    The rest of a position that was received in part stays «Заказ отправлен».
    """
    locked = await lock_positions(session, [item.position_id for item in body.items])
    events: list[Event] = []

    def receive(position: Position, _: Order, item: MarkedPosition) -> Position | None:
        ensure_allowed(position.state, PositionState.READY)
        remainder = position.split(item.quantity or position.quantity)
        events.append(position.receive(at))
        return remainder

    bulk = change_each(locked, body.items, receive)
    if not bulk.changed:
        return bulk
    await store.write_positions(session, bulk.changed, bulk.added)
    await record_supply(session, bulk.changed, refused=False, at=at)
    arrived: dict[Order, list[Position]] = {}
    for position in bulk.changed:
        arrived.setdefault(locked.order_of(position), []).append(position)
    view = await refresh_orders(session, arrived, at)
    ready = [
        GoodsReady(
            office_id=order.office_id,
            version=order.version,
            occurred_at=at,
            order_id=order.id,
            number=order.number,
            client_id=order.client_id,
            positions=[position.as_line() for position in positions],
            complete=order.id in view.complete,
        )
        for order, positions in arrived.items()
    ]
    await publish(session, *events, *ready, *view.processed)
    await audit(
        session,
        "positions.received",
        subject=f"office/{caller.office_id}",
        office_id=caller.office_id,
        details={"positions": [str(position.id) for position in bulk.changed]},
    )
    return bulk
