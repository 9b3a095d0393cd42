"""Remember the events of webhooks."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.models.webhooks import ReceivedWebhook


async def record_once(session: AsyncSession, source: str, event_id: str) -> bool:
    """Record the event; False where it was recorded before."""
    row = insert(ReceivedWebhook).values(source=source, event_id=event_id).on_conflict_do_nothing()
    return (await session.execute(row.returning(ReceivedWebhook.event_id))).first() is not None
