"""Whether a notice may go out now: checked again at the moment of sending, whatever was true when it was queued."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.models.policy import DeliveryPolicy


async def current_policy(session: AsyncSession, at: datetime) -> DeliveryPolicy | None:
    query = select(DeliveryPolicy).where(DeliveryPolicy.effective_from <= at)
    return (await session.execute(query.order_by(DeliveryPolicy.version.desc()).limit(1))).scalars().first()
