"""Delete what can no longer matter."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import delete, func
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.models.events import ReceivedEvent
from services.notifier.clock.models.obligations import Tombstone
from services.notifier.delivery.models.sms import SmsPart, SmsReceipt
from services.notifier.delivery.models.webhooks import ReceivedWebhook
from shared.runtime.service import ServiceContext

log = structlog.get_logger(__name__)

KEEP_TOMBSTONES = timedelta(days=90)
"""As long as the inbox remembers: no opening event comes later than that."""
KEEP_EVENTS = timedelta(days=400)
"""A dry run may go back a year."""
KEEP_WEBHOOKS = timedelta(days=90)
PAUSE_SECONDS = 3600.0


async def run(context: ServiceContext) -> None:
    """Delete once an hour until cancelled."""
    while True:
        async with context.database.worker() as session:
            deleted = await delete_old_tombstones(session)
            await delete_old_events(session)
            await delete_old_webhooks(session)
        if deleted:
            log.info("tombstones forgotten", count=deleted)
        await asyncio.sleep(PAUSE_SECONDS)


async def delete_old_tombstones(session: AsyncSession) -> int:
    """Delete tombstones that no opening event can follow any more; return how many."""
    old = (
        delete(Tombstone)
        .where(Tombstone.kept_since < func.now() - KEEP_TOMBSTONES)
        .returning(Tombstone.obligation_kind)
    )
    return len((await session.execute(old)).all())


async def delete_old_events(session: AsyncSession) -> None:
    """Delete the events that dry runs can no longer ask for."""
    await session.execute(delete(ReceivedEvent).where(ReceivedEvent.happened_at < func.now() - KEEP_EVENTS))


async def delete_old_webhooks(session: AsyncSession) -> None:
    """Delete ids of webhooks' events, receipts of SMS and of their parts: repeats end long before."""
    await session.execute(delete(ReceivedWebhook).where(ReceivedWebhook.heard_at < func.now() - KEEP_WEBHOOKS))
    await session.execute(delete(SmsReceipt).where(SmsReceipt.heard_at < func.now() - KEEP_WEBHOOKS))
    await session.execute(delete(SmsPart).where(SmsPart.sent_at < func.now() - KEEP_WEBHOOKS))
