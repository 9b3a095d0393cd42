"""Read the messages in clients' cabinets."""

from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.models.notices import CabinetMessage
from shared.base.errors import NotFound


def messages(*, client_id: UUID | None, office_id: UUID | None, unread_only: bool) -> Select[CabinetMessage]:
    """Select messages of a client, else of an office, else of the network."""
    query = select(CabinetMessage)
    if client_id is not None:
        query = query.where(CabinetMessage.client_id == client_id)
    elif office_id is not None:
        query = query.where(CabinetMessage.office_id == office_id)
    return query.where(CabinetMessage.read_at.is_(None)) if unread_only else query


async def find_message(session: AsyncSession, message_id: UUID) -> CabinetMessage:
    """Return the message.  Raises NotFound."""
    query = select(CabinetMessage).where(CabinetMessage.id == message_id)
    found = (await session.execute(query)).scalars().one_or_none()
    if found is None:
        raise NotFound("Такого сообщения нет.")
    return found


async def count_unread(session: AsyncSession, client_id: UUID) -> int:
    """Return how many messages the client has not read."""
    query = select(func.count()).select_from(CabinetMessage)
    query = query.where(CabinetMessage.client_id == client_id, CabinetMessage.read_at.is_(None))
    return (await session.execute(query)).scalar_one()
