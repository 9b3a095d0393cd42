"""Remove positions: by hand with a reason for the client (ORD-08, K4), or automatically (ORD-07, K15)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders import store
from services.orders.commands.positions import (
    Bulk,
    change_each,
    lock_order,
    lock_positions,
    refresh_orders,
)
from services.orders.domain.comments import addresses_the_client
from services.orders.domain.policies import RemovalPolicy
from services.orders.domain.position import PositionState
from services.orders.models import Order, Position
from services.orders.queries.policies import policy_in_force
from services.orders.schemas.positions import MarkedPosition, PositionAction
from shared.base.errors import BusinessError, Invalid
from shared.contracts.base import Event
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.runtime.audit import audit


class CommentNotForClient(BusinessError):
    """The comment is a note for colleagues (ORD-08)."""

    status = 422
    code = "comment-not-for-client"
    title = "Комментарий не обращён к клиенту"


async def remove_positions(session: AsyncSession, body: PositionAction, *, caller: Principal, at: datetime) -> Bulk:
    """Move positions to «Снят» with a reason whose text, edited or not, is addressed to the client (ORD-08, K4).

    Raises Invalid for an unknown reason, CommentNotForClient.
    """
    policy = await policy_in_force(session, RemovalPolicy, at)
    code = body.reason_code
    reason = policy.reason(code) if code else None
    if reason is None:
        known = ", ".join(found.code for found in policy.reasons)
        raise Invalid(f"Укажите причину снятия: {known}.", field="body.reason_code")
    if body.comment is not None and not addresses_the_client(body.comment, [reason.text, *reason.samples]):
        raise CommentNotForClient(
            "Комментарий читает клиент: обратитесь к нему, например «Позиция снята по Вашей просьбе»."
        )
    comment = body.comment or reason.text
    locked = await lock_positions(session, [item.position_id for item in body.items])
    events: list[Event] = []

    def remove(position: Position, _: Order, item: MarkedPosition) -> Position | None:
        if item.quantity not in (None, position.quantity):
            raise Invalid("Позиция снимается целиком.", field="quantity")
        events.append(position.remove(reason_code=reason.code, comment=comment, automatic=False, at=at))
        return None

    bulk = change_each(locked, body.items, remove)
    if not bulk.changed:
        return bulk
    await store.write_positions(session, bulk.changed)
    orders = {position.order_id: locked.order_of(position) for position in bulk.changed}
    view = await refresh_orders(session, orders.values(), at)
    await publish(session, *events, *view.processed)
    await audit(
        session,
        "positions.removed",
        subject=f"office/{caller.office_id}",
        office_id=caller.office_id,
        details={"positions": [str(position.id) for position in bulk.changed], "reason": reason.code},
    )
    return bulk


async def remove_unattended(session: AsyncSession, order_id: UUID, *, at: datetime) -> list[Position]:
    """Remove what is still under moderation and unpaid (ORD-07); paid positions stay and escalate (K15).

    The state is read again under the lock: a payment that came first wins, and a repeated request changes nothing.
    Raises NotFound.
    """
    order, positions = await lock_order(session, order_id)
    stale = [position for position in positions if position.state is PositionState.MODERATION and not position.paid]
    if not stale:
        return []
    reason = (await policy_in_force(session, RemovalPolicy, at)).automatic
    events = [
        position.remove(reason_code=reason.code, comment=reason.text, automatic=True, at=at) for position in stale
    ]
    await store.write_positions(session, stale)
    view = await refresh_orders(session, [order], at)
    await publish(session, *events, *view.processed)
    await audit(
        session,
        "positions.removed",
        subject=f"order/{order_id}",
        office_id=order.office_id,
        details={"positions": [str(position.id) for position in stale], "reason": reason.code, "automatic": True},
    )
    return stale
