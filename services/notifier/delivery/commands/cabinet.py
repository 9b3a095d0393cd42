"""Change the messages in a client's cabinet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.models.notices import CabinetMessage
from services.notifier.delivery.queries.cabinet import find_message


async def mark_read(session: AsyncSession, message_id: UUID, *, at: datetime) -> CabinetMessage:
    """Mark the message as read; a repeated mark keeps the first moment.  Raises NotFound."""
    message = await find_message(session, message_id)
    message.read_at = message.read_at or at
    await session.flush()
    return message
