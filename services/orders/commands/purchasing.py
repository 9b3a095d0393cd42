"""«Заказ поставщику» (ORD-03, ORD-12), refusals of suppliers (K10), ordering again (ORD-13)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders import store
from services.orders.commands.access import ensure_may_override
from services.orders.commands.numbering import next_numbers
from services.orders.commands.positions import (
    Bulk,
    change_each,
    ensure_sendable,
    lock_position,
    lock_positions,
    refresh_orders,
)
from services.orders.commands.suppliers import active_suppliers, record_supply
from services.orders.domain.numbers import Document
from services.orders.domain.payment import ensure_paid, ensure_purchase_allows
from services.orders.domain.policies import PrepaymentPolicy
from services.orders.domain.position import PositionState, ensure_allowed
from services.orders.models import Order, Position, PurchaseOrder, PurchaseOrderLine, Supplier
from services.orders.queries.policies import policy_in_force
from services.orders.queries.purchase_orders import lines_of
from services.orders.schemas.positions import MarkedPosition, PositionAction, Refusal, Reorder
from shared.base.errors import IllegalTransition, Invalid, NotFound
from shared.contracts.base import Event
from shared.contracts.orders import PurchaseOrderSent
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.runtime.audit import audit


async def order_from_suppliers(session: AsyncSession, body: PositionAction, *, caller: Principal, at: datetime) -> Bulk:
    """Order positions with one purchase order for each supplier, mailed once (ORD-03, ORD-12).

    A position goes to the supplier that offered it; `body.supplier_id` serves those that have none.

    Raises Forbidden when another role than a senior overrides.
    """
    overridden = ensure_may_override(caller, body.override_reason)
    policy = await policy_in_force(session, PrepaymentPolicy, at)
    locked = await lock_positions(session, [item.position_id for item in body.items])
    suppliers = await active_suppliers(
        session, [body.supplier_id, *(position.supplier_id for position in locked.positions.values())]
    )
    purchase_order_ids: dict[UUID, UUID] = {}
    events: list[Event] = []

    def order(position: Position, of_order: Order, item: MarkedPosition) -> Position | None:
        if position.state is PositionState.REFUSED:
            raise IllegalTransition("После отказа позицию заказывают заново у выбранного поставщика (ORD-13).")
        ensure_allowed(position.state, PositionState.ORDERED)
        ensure_paid(policy, of_order.client_category, paid=position.paid, overridden=overridden)
        ensure_sendable(position, of_order, overridden=overridden)
        supplier_id, purchase_price = _terms(position, body.supplier_id, suppliers)
        ensure_purchase_allows(purchase_price, position.sale_price, overridden=overridden)
        remainder = position.split(item.quantity or position.quantity)
        events.append(
            position.ordered(
                supplier_id=supplier_id,
                purchase_price=purchase_price,
                purchase_order_id=purchase_order_ids.setdefault(supplier_id, new_id()),
                at=at,
            )
        )
        return remainder

    bulk = change_each(locked, body.items, order)
    if not bulk.changed:
        return bulk
    await store.write_positions(session, bulk.changed, bulk.added)
    sent = await _send(session, bulk.changed, suppliers, caller=caller, at=at)
    orders = {position.order_id: locked.order_of(position) for position in bulk.changed}
    view = await refresh_orders(session, orders.values(), at)
    await publish(session, *events, *sent, *view.processed)
    await audit(
        session,
        "positions.ordered",
        subject=f"office/{caller.office_id}",
        office_id=caller.office_id,
        details={
            "positions": [str(position.id) for position in bulk.changed],
            "purchase_orders": [str(event.purchase_order_id) for event in sent],
            "override_reason": body.override_reason,
        },
    )
    return bulk


def _terms(position: Position, fallback: UUID | None, suppliers: Mapping[UUID, Supplier]) -> tuple[UUID, Decimal]:
    supplier_id = position.supplier_id or fallback
    if supplier_id is None:
        raise Invalid("У позиции не указан поставщик.", field="supplier_id")
    if supplier_id not in suppliers:
        raise Invalid("Поставщик не найден или больше не работает.", field="supplier_id")
    if position.purchase_price is None:
        raise Invalid("У позиции не указана закупочная цена.", field="purchase_price")
    return supplier_id, position.purchase_price


async def _send(
    session: AsyncSession,
    positions: Sequence[Position],
    suppliers: Mapping[UUID, Supplier],
    *,
    caller: Principal,
    at: datetime,
) -> list[PurchaseOrderSent]:
    """Write the purchase orders of freshly ordered positions and return the events, which the notifier mails."""
    grouped: dict[UUID, list[Position]] = {}
    for position in positions:
        assert position.purchase_order_id is not None
        grouped.setdefault(position.purchase_order_id, []).append(position)
    office_id = positions[0].office_id
    numbers = await next_numbers(session, office_id, Document.PURCHASE_ORDER, len(grouped))
    documents = []
    for number, (purchase_order_id, members) in zip(numbers, grouped.items(), strict=True):
        supplier_id = members[0].supplier_id
        assert supplier_id is not None
        supplier = suppliers[supplier_id]
        lines = [
            PurchaseOrderLine(
                purchase_order_id=purchase_order_id,
                office_id=office_id,
                line=line,
                position_id=position.id,
                article=position.article,
                brand=position.brand,
                description=position.description,
                quantity=position.quantity,
                purchase_price=position.purchase_price,
            )
            for line, position in enumerate(members, 1)
        ]
        purchase_order = PurchaseOrder(
            id=purchase_order_id,
            office_id=office_id,
            number=number,
            supplier_id=supplier.id,
            supplier_name=supplier.name,
            supplier_email=supplier.email,
            total=sum((line.amount for line in lines), Decimal(0)),
            sendings=1,
            sent_by=caller.id,
            sent_at=at,
            last_sent_at=at,
            version=1,
        )
        documents.append((purchase_order, lines))
    await store.write_purchase_orders(session, documents)
    return [purchase_order.as_sent(lines, at=at) for purchase_order, lines in documents]


async def resend_purchase_order(
    session: AsyncSession, purchase_order_id: UUID, *, caller: Principal, at: datetime
) -> PurchaseOrder:
    """Mail the same document again, to the supplier's present address; nothing is ordered twice.  Raises NotFound."""
    purchase_order = await session.scalar(
        select(PurchaseOrder).where(PurchaseOrder.id == purchase_order_id).with_for_update()
    )
    if purchase_order is None:
        raise NotFound("Заказ поставщику не найден.")
    address = select(Supplier.email).where(Supplier.id == purchase_order.supplier_id)
    purchase_order.supplier_email = await session.scalar(address) or purchase_order.supplier_email
    purchase_order.sendings += 1
    purchase_order.last_sent_at = at
    await session.flush()
    await publish(session, purchase_order.as_sent(await lines_of(session, purchase_order_id), at=at))
    await audit(
        session,
        "purchase_order.resent",
        subject=f"purchase_order/{purchase_order_id}",
        office_id=purchase_order.office_id,
        details={"sending": purchase_order.sendings},
    )
    return purchase_order


async def refuse_position(
    session: AsyncSession, position_id: UUID, body: Refusal, *, caller: Principal, at: datetime
) -> tuple[Position, Position | None]:
    """Move a position, or a part of it, to «Отказ поставщика» and return it with the part that was not refused.

    A final refusal returns the money to the balance (BILL-03); another one can be ordered elsewhere (ORD-13).

    Raises NotFound, IllegalTransition, Invalid.
    """
    position, order = await lock_position(session, position_id)
    first_refusal = position.state is not PositionState.REFUSED
    if first_refusal:
        ensure_allowed(position.state, PositionState.REFUSED)
    remainder = position.split(body.quantity or position.quantity)
    event = position.refuse(reason=body.reason, final=body.final, at=at)
    await store.write_positions(session, [position], [remainder] if remainder else [])
    if first_refusal:
        await record_supply(session, [position], refused=True, at=at)
    view = await refresh_orders(session, [order], at)
    await publish(session, event, *view.processed)
    await audit(
        session,
        "position.refused",
        subject=f"position/{position.id}",
        office_id=position.office_id,
        details={"final": body.final, "supplier": str(position.supplier_id)},
    )
    return position, remainder


async def reorder_position(
    session: AsyncSession, position_id: UUID, body: Reorder, *, caller: Principal, at: datetime
) -> Position:
    """Order a refused position elsewhere at the same sale price, if the purchase price allows it (ORD-13).

    Raises NotFound, Forbidden, IllegalTransition, PurchasePriceTooHigh, OrderUnpaid, Invalid.
    """
    overridden = ensure_may_override(caller, body.override_reason)
    position, order = await lock_position(session, position_id)
    if position.state is not PositionState.REFUSED:
        raise IllegalTransition(f"Заново заказывают после отказа поставщика, позиция «{position.state.label}».")
    ensure_allowed(position.state, PositionState.ORDERED, finally_refused=position.finally_refused)
    policy = await policy_in_force(session, PrepaymentPolicy, at)
    ensure_paid(policy, order.client_category, paid=position.paid, overridden=overridden)
    ensure_purchase_allows(body.purchase_price, position.sale_price, overridden=overridden)
    suppliers = await active_suppliers(session, [body.supplier_id])
    if body.supplier_id not in suppliers:
        raise Invalid("Поставщик не найден или больше не работает.", field="body.supplier_id")
    position.term_days = body.term_days
    event = position.ordered(
        supplier_id=body.supplier_id, purchase_price=body.purchase_price, purchase_order_id=new_id(), at=at
    )
    await store.write_positions(session, [position])
    sent = await _send(session, [position], suppliers, caller=caller, at=at)
    view = await refresh_orders(session, [order], at)
    await publish(session, event, *sent, *view.processed)
    await audit(
        session,
        "position.reordered",
        subject=f"position/{position.id}",
        office_id=position.office_id,
        details={"supplier": str(body.supplier_id), "override_reason": body.override_reason},
    )
    return position
