"""Read a client's basket."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.models import BasketItem
from services.orders.schemas.baskets import BasketItemOut, BasketOut


async def show_basket(session: AsyncSession, client_id: UUID, *, internal: bool) -> BasketOut:
    """Return the basket in the order of filling; `internal` shows suppliers and purchase prices."""
    oldest_first = (BasketItem.added_at, BasketItem.id)
    items = list(
        await session.scalars(select(BasketItem).where(BasketItem.client_id == client_id).order_by(*oldest_first))
    )
    return BasketOut(
        client_id=client_id,
        items=[BasketItemOut.of(item, internal=internal) for item in items],
        total=sum((item.amount for item in items), Decimal(0)),
    )
