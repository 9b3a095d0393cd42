"""What callers read."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.vin.models.reasons import RefusalReason


async def current_reasons(session: AsyncSession, *, at: datetime) -> list[RefusalReason]:
    """The reasons in force, one row per code."""
    query = (
        select(RefusalReason)
        .where(RefusalReason.effective_from <= at)
        .ext(distinct_on(RefusalReason.code))
        .order_by(RefusalReason.code, RefusalReason.effective_from.desc())
    )
    return list(await session.scalars(query))
