"""Forgetting what can no longer matter."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import delete, func
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock_models import HeardEvent
from services.notifier.delivery_models import HeardMessage, SmsPart, SmsReceipt
from services.notifier.models import Tombstone
from shared.runtime.service import ServiceContext

log = structlog.get_logger(__name__)

KEEP_TOMBSTONES = timedelta(days=90)
"""As long as the inbox remembers: no opening event comes later than that."""
KEEP_HEARD = timedelta(days=400)
"""A dry run may go back a year."""
KEEP_WEBHOOKS = timedelta(days=90)
PAUSE_SECONDS = 3600.0


async def run(context: ServiceContext) -> None:
    while True:
        async with context.database.worker() as session:
            forgotten = await forget_tombstones(session)
            await forget_heard(session)
            await forget_webhooks(session)
        if forgotten:
            log.info("tombstones forgotten", count=forgotten)
        await asyncio.sleep(PAUSE_SECONDS)


async def forget_tombstones(session: AsyncSession) -> int:
    old = delete(Tombstone).where(Tombstone.kept_since < func.now() - KEEP_TOMBSTONES).returning(Tombstone.duty)
    return len((await session.execute(old)).all())


async def forget_heard(session: AsyncSession) -> None:
    """What dry runs can no longer ask for."""
    await session.execute(delete(HeardEvent).where(HeardEvent.happened_at < func.now() - KEEP_HEARD))


async def forget_webhooks(session: AsyncSession) -> None:
    """Ids of webhooks' events, receipts of SMS and of their parts: nobody repeats them after so long."""
    await session.execute(delete(HeardMessage).where(HeardMessage.heard_at < func.now() - KEEP_WEBHOOKS))
    await session.execute(delete(SmsReceipt).where(SmsReceipt.heard_at < func.now() - KEEP_WEBHOOKS))
    await session.execute(delete(SmsPart).where(SmsPart.sent_at < func.now() - KEEP_WEBHOOKS))
