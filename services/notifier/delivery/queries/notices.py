"""Reading: obligations, rules, notices, cabinet messages."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.models.notices import CabinetMessage, Notice, NoticeAttachment, NoticeAttempt
from shared.base.errors import NotFound


def notices(
    *,
    office_id: UUID | None,
    client_id: UUID | None,
    state: str | None,
    channel: str | None,
    obligation_id: UUID | None,
) -> Select[Notice]:
    wanted = {
        Notice.office_id: office_id,
        Notice.client_id: client_id,
        Notice.state: state,
        Notice.channel: channel,
        Notice.obligation_id: obligation_id,
    }
    return select(Notice).where(*(column == value for column, value in wanted.items() if value is not None))


async def find_notice(session: AsyncSession, notice_id: UUID, *, lock: bool = False) -> Notice:
    """Raises NotFound."""
    query = select(Notice).where(Notice.id == notice_id)
    found = (await session.execute(query.with_for_update() if lock else query)).scalars().one_or_none()
    if found is None:
        raise NotFound("Такого уведомления нет.")
    return found


async def attempts(session: AsyncSession, notice_id: UUID) -> Sequence[NoticeAttempt]:
    query = select(NoticeAttempt).where(NoticeAttempt.notice_id == notice_id).order_by(NoticeAttempt.number)
    return (await session.execute(query)).scalars().all()


async def attachment_names(session: AsyncSession, notice_id: UUID) -> list[str]:
    query = select(NoticeAttachment.file_name).where(NoticeAttachment.notice_id == notice_id)
    return list((await session.execute(query.order_by(NoticeAttachment.file_name))).scalars())


async def find_message(session: AsyncSession, message_id: UUID) -> CabinetMessage:
    """Raises NotFound."""
    query = select(CabinetMessage).where(CabinetMessage.id == message_id)
    found = (await session.execute(query)).scalars().one_or_none()
    if found is None:
        raise NotFound("Такого сообщения нет.")
    return found


async def unread(session: AsyncSession, client_id: UUID) -> int:
    query = select(func.count()).select_from(CabinetMessage)
    query = query.where(CabinetMessage.client_id == client_id, CabinetMessage.read_at.is_(None))
    return (await session.execute(query)).scalar_one()
