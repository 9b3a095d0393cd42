"""Apply events of orders to the client's money."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.commands.documents import make_refund_application, make_waybill
from services.billing.commands.money import announce_when_paid, book, hold_for_orders, lock_account
from services.billing.domain import ledger
from services.billing.domain.ledger import ZERO, EntryKind
from services.billing.models.projections import EarlyChange, Order, Position
from shared.contracts.billing import RefundMade
from shared.contracts.clients import Vehicle
from shared.contracts.orders import (
    ClaimDecided,
    GoodsIssued,
    OrderPlaced,
    PositionLine,
    PositionRefused,
    PositionRemoved,
)
from shared.messaging import publish


async def project_order(session: AsyncSession, event: OrderPlaced, at: datetime) -> None:
    """Store a new order and hold the money that is already on the balance for it."""
    account = await lock_account(session, event.office_id, event.client_id)
    owner = {"office_id": event.office_id, "client_id": event.client_id}
    placed = insert(Order).values(
        **owner,
        order_id=event.order_id,
        number=event.number,
        placed_at=event.placed_at,
        vehicle=_vehicle(event.vehicle),
        announced=False,
    )
    if await session.scalar(placed.on_conflict_do_nothing().returning(Order.order_id)) is None:
        return
    early = await _take_early_changes(session, [line.position_id for line in event.positions])
    for number, line in enumerate(event.positions, 1):
        session.add(
            Position(
                **owner,
                position_id=line.position_id,
                order_id=event.order_id,
                line=number,
                article=line.article,
                brand=line.brand,
                description=line.description,
                quantity=line.quantity,
                sale_price=line.sale_price,
                amount=line.amount,
                due=max(ZERO, line.amount - early.get(line.position_id, ZERO)),
                held=ZERO,
            )
        )
    await session.flush()
    await hold_for_orders(session, account, first=event.order_id, others=False, at=at)


async def release_position(
    session: AsyncSession,
    event: PositionRemoved | PositionRefused,
    *,
    reason: Literal["removed", "refused"],
    at: datetime,
) -> None:
    """Release the money of a position that will not be supplied, so that it costs nothing (BILL-03).

    What was held for the position pays the rest of its order first.
    """
    account = await lock_account(session, event.office_id, event.client_id)
    key = event.origin_position_id or event.position_id
    position = await session.get(Position, key, with_for_update=True)
    if position is None:
        session.add(EarlyChange(position_id=key, amount=event.amount))
        return
    position.due = max(ZERO, position.due - event.amount)
    freed = position.held - position.due
    if freed > ZERO:
        position.held -= freed
        text = f"{'Отказ поставщика' if reason == 'refused' else 'Позиция снята'}: {event.description}"
        booked = await book(
            session,
            account,
            EntryKind.RELEASE,
            ledger.release(freed, key),
            reference=f"position/{event.position_id}",
            text=text,
            at=at,
            order_id=event.order_id,
        )
        if booked:
            refund = RefundMade(
                office_id=event.office_id,
                version=account.version,
                occurred_at=at,
                client_id=event.client_id,
                order_id=event.order_id,
                position_id=event.position_id,
                reason=reason,
                amount=freed,
            )
            await publish(session, refund)
    await session.flush()
    # What was set aside for this position pays the rest of its order first.
    await hold_for_orders(session, account, first=event.order_id, others=False, at=at)


async def book_sale(session: AsyncSession, event: GoodsIssued) -> None:
    """Book issued goods as sold and make the «расходная накладная» (ORD-10).

    Goods issued on credit wait for no hold: the rest of their order may be covered now.
    """
    account = await lock_account(session, event.office_id, event.client_id)
    keys = [line.origin_position_id or line.position_id for line in event.positions]
    known = {p.position_id: p for p in await session.scalars(select(Position).where(Position.position_id.in_(keys)))}
    postings = []
    for line, key in zip(event.positions, keys, strict=True):
        from_hold = _sell(session, known.get(key), key, line)
        postings += ledger.sale(from_hold, line.amount - from_hold, key)
    booked = await book(
        session,
        account,
        EntryKind.SALE,
        postings,
        reference=f"shipment/{event.shipment_id}",
        text=f"Отгрузка № {event.number}",
        at=event.issued_at,
        order_id=event.order_ids[0] if len(event.order_ids) == 1 else None,
    )
    assert booked, "the inbox lets a shipment through once"
    for order_id in sorted({position.order_id for position in known.values()}):
        await announce_when_paid(session, order_id, event.issued_at)
    await make_waybill(session, event)


def _sell(session: AsyncSession, position: Position | None, key: UUID, line: PositionLine) -> Decimal:
    """Take issued pieces out of what the position may still cost; return what its hold pays."""
    if position is None:
        session.add(EarlyChange(position_id=key, amount=line.amount))
        return ZERO
    from_hold = min(position.held, line.amount)
    position.due = max(ZERO, position.due - line.amount)
    position.held -= from_hold
    return from_hold


async def refund_claim(session: AsyncSession, event: ClaimDecided) -> None:
    """Book the price of a returned part, or the discount for a kept one, to the balance.

    The decision follows the matrix of returns (RET-02, RET-03, RET-04, RET-05, RET-06).
    """
    if event.decision == "rejected" or event.refund <= 0:
        return
    account = await lock_account(session, event.office_id, event.client_id)
    verb = "Возврат" if event.decision == "accepted" else "Скидка по обращению"
    booked = await book(
        session,
        account,
        EntryKind.REFUND,
        ledger.refund(event.refund, event.origin_position_id or event.position_id),
        reference=f"claim/{event.claim_id}",
        text=f"{verb} № {event.number}: {event.description}",
        at=event.decided_at,
        order_id=event.order_id,
    )
    assert booked, "the inbox lets a decision through once"
    refund = RefundMade(
        office_id=event.office_id,
        version=account.version,
        occurred_at=event.decided_at,
        client_id=event.client_id,
        order_id=event.order_id,
        position_id=event.position_id,
        claim_id=event.claim_id,
        reason="claim",
        amount=event.refund,
    )
    await publish(session, refund)
    await make_refund_application(session, event)


async def _take_early_changes(session: AsyncSession, position_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    """Delete and return, by position, the amounts of events that arrived before their order."""
    removed = await session.execute(
        delete(EarlyChange)
        .where(EarlyChange.position_id.in_(position_ids))
        .returning(EarlyChange.position_id, EarlyChange.amount)
    )
    sums: dict[UUID, Decimal] = {}
    for position_id, amount in removed:
        sums[position_id] = sums.get(position_id, ZERO) + amount
    return sums


def _vehicle(vehicle: Vehicle | None) -> str | None:
    if vehicle is None:
        return None
    year = f"{vehicle.year} г." if vehicle.year else None
    number = (vehicle.vin and f"VIN {vehicle.vin}") or (vehicle.frame and f"FRAME {vehicle.frame}")
    return ", ".join(str(part) for part in (vehicle.make, vehicle.model, year, number) if part) or None
