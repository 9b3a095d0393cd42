"""Read the delivery policy and the use of SMS."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.models.policy import DeliveryPolicy
from services.notifier.delivery.models.sms import SmsUsage


async def current_policy(session: AsyncSession, at: datetime) -> DeliveryPolicy | None:
    """Return the policy in force at `at`."""
    query = select(DeliveryPolicy).where(DeliveryPolicy.effective_from <= at)
    return (await session.execute(query.order_by(DeliveryPolicy.version.desc()).limit(1))).scalars().first()


def sms_usage(*, office_id: UUID | None, day: date | None) -> Select[SmsUsage]:
    """Select how many SMS offices have sent per local day; a filter of None lets all through."""
    wanted = {SmsUsage.office_id: office_id, SmsUsage.day: day}
    return select(SmsUsage).where(*(column == value for column, value in wanted.items() if value is not None))
