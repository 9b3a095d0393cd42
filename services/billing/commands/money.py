"""Book every movement of a client's money under the lock of the client's account."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.domain import ledger
from services.billing.domain.ledger import ZERO, EntryKind, Posting
from services.billing.models.money import Account, LedgerEntry, LedgerPosting
from services.billing.models.projections import Order, Position
from shared.contracts.billing import OrderPaid
from shared.messaging import publish
from shared.persistence.database import new_id


async def lock_account(session: AsyncSession, office_id: UUID, client_id: UUID) -> Account:
    """Return the client's account, opened if it is new, and lock it until the transaction ends."""
    first = upsert(Account).values(office_id=office_id, client_id=client_id, balance=0, held=0, version=0)
    await session.execute(first.on_conflict_do_nothing())
    query = select(Account).where(Account.client_id == client_id).with_for_update()
    return (await session.execute(query)).scalar_one()


async def book(
    session: AsyncSession,
    account: Account,
    kind: EntryKind,
    postings: Sequence[Posting],
    *,
    reference: str,
    text: str,
    at: datetime,
    order_id: UUID | None = None,
) -> bool:
    """Book one ledger entry and publish the new balance (BILL-04).

    Return False when the same fact was booked before.
    """
    owner = {"office_id": account.office_id, "client_id": account.client_id}
    entry_id = new_id()
    entry = upsert(LedgerEntry).values(
        **owner, id=entry_id, at=at, kind=kind.value, reference=reference, text=text, order_id=order_id
    )
    booked = await session.scalar(entry.on_conflict_do_nothing().returning(LedgerEntry.id))
    if booked is None:
        return False
    rows = [
        {
            **owner,
            "id": new_id(),
            "entry_id": entry_id,
            "account": posting.account.value,
            "amount": posting.amount,
            "position_id": posting.position_id,
        }
        for posting in postings
    ]
    await session.execute(insert(LedgerPosting), rows)
    balance, held = ledger.effect(postings)
    account.balance += balance
    account.held += held
    account.version += 1
    await session.flush()
    await publish(session, account.changed(at))
    return True


async def hold_for_orders(
    session: AsyncSession, account: Account, *, first: UUID | None, others: bool, at: datetime
) -> None:
    """Hold available money for the named order's positions, then, with `others`, for the oldest unpaid orders.

    Every order that is covered now is announced (ORD-05).
    """
    if account.available > ZERO:
        wanted = (
            select(Position, Order.placed_at)
            .join(Order, Order.order_id == Position.order_id)
            .where(Position.client_id == account.client_id, Position.due > Position.held)
            .order_by((Order.order_id == first).desc(), Order.placed_at, Order.order_id, Position.line)
        )
        if not others:
            wanted = wanted.where(Position.order_id == first)
        positions = {position.position_id: position for position, _ in (await session.execute(wanted)).all()}
        needs = [(key, position.due - position.held) for key, position in positions.items()]
        shares: dict[UUID, list[tuple[Position, Decimal]]] = {}
        for position_id, share in ledger.allocate(account.available, needs):
            position = positions[position_id]
            position.held += share
            shares.setdefault(position.order_id, []).append((position, share))
        for order_id, held in shares.items():
            postings = [posting for position, share in held for posting in ledger.hold(share, position.position_id)]
            await book(
                session,
                account,
                EntryKind.HOLD,
                postings,
                reference=str(new_id()),
                text="Резерв под позиции заказа",
                at=at,
                order_id=order_id,
            )
            await announce_when_paid(session, order_id, at)
    if first is not None:
        await announce_when_paid(session, first, at)


async def announce_when_paid(session: AsyncSession, order_id: UUID, at: datetime) -> None:
    """Publish `billing.order.paid.v1`, once, when every live position of the order is covered by its hold."""
    order = await session.get(Order, order_id, with_for_update=True)
    if order is None or order.announced:
        return
    live = select(Position).where(Position.order_id == order_id, Position.due > 0).order_by(Position.line)
    positions = (await session.scalars(live)).all()
    if not positions or any(position.held < position.due for position in positions):
        return
    order.announced = True
    await session.flush()
    await publish(
        session,
        OrderPaid(
            office_id=order.office_id,
            version=1,
            occurred_at=at,
            order_id=order_id,
            number=order.number,
            client_id=order.client_id,
            position_ids=[position.position_id for position in positions],
            amount=sum((position.held for position in positions), ZERO),
            paid_at=at,
        ),
    )


async def unpaid_rest(session: AsyncSession, order_id: UUID) -> Decimal:
    """Return the roubles still to be paid for the order's live positions."""
    query = select(func.coalesce(func.sum(Position.due - Position.held), 0)).where(Position.order_id == order_id)
    return Decimal((await session.execute(query)).scalar_one())
