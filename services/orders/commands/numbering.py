"""Numbers for people, unique in the network; gaps are fine."""

from uuid import UUID

from sqlalchemy import Sequence, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.numbers import Document, numbered, provisional_prefix
from services.orders.models import Office
from services.orders.models.base import CLAIM_NUMBERS, PURCHASE_ORDER_NUMBERS, SHIPMENT_NUMBERS

SEQUENCES: dict[Document, Sequence] = {
    Document.PURCHASE_ORDER: PURCHASE_ORDER_NUMBERS,
    Document.SHIPMENT: SHIPMENT_NUMBERS,
    Document.CLAIM: CLAIM_NUMBERS,
}


async def next_numbers(session: AsyncSession, office_id: UUID, document: Document, count: int = 1) -> list[str]:
    """Return the next `count` numbers of an office's documents, in one round trip."""
    prefix = select(Office.prefix).where(Office.office_id == office_id).scalar_subquery()
    values = select(prefix, SEQUENCES[document].next_value()).select_from(func.generate_series(1, count).alias())
    return [
        numbered(found or provisional_prefix(office_id), document, value)
        for found, value in (await session.execute(values)).all()
    ]
