"""Record «Статистика проценок»: what a client priced on the site (CL-14)."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.models import Client, PriceCheck
from services.clients.schemas.work import RecordPriceCheck


async def record_price_check(
    session: AsyncSession, client: Client, body: RecordPriceCheck, *, at: datetime
) -> PriceCheck:
    """Store one priced article."""
    check = PriceCheck(office_id=client.office_id, client_id=client.client_id, checked_at=at, **body.model_dump())
    session.add(check)
    await session.flush()
    return check
