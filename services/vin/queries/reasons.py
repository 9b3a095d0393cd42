"""Read the reasons for refusal."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.vin.models.reasons import RefusalReason


async def current_reasons(session: AsyncSession, *, at: datetime) -> list[RefusalReason]:
    """Return the reasons in force at a moment, one row for each code (VIN-06)."""
    query = (
        select(RefusalReason)
        .where(RefusalReason.effective_from <= at)
        .ext(distinct_on(RefusalReason.code))
        .order_by(RefusalReason.code, RefusalReason.effective_from.desc())
    )
    return list(await session.scalars(query))
