"""Read notices, their attempts and attachments."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Float, Select, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.models.notices import Notice, NoticeAttachment, NoticeAttempt
from services.notifier.people.models.projections import Client
from shared.base.errors import NotFound


def notices(
    *,
    office_id: UUID | None,
    client_id: UUID | None,
    state: str | None,
    channel: str | None,
    obligation_id: UUID | None,
) -> Select[Notice]:
    """Select notices; a filter of None lets all through."""
    wanted = {
        Notice.office_id: office_id,
        Notice.client_id: client_id,
        Notice.state: state,
        Notice.channel: channel,
        Notice.obligation_id: obligation_id,
    }
    return select(Notice).where(*(column == value for column, value in wanted.items() if value is not None))


async def find_notice(session: AsyncSession, notice_id: UUID, *, lock: bool = False) -> Notice:
    """Return the notice, locked where asked for.  Raises NotFound."""
    query = select(Notice).where(Notice.id == notice_id)
    found = (await session.execute(query.with_for_update() if lock else query)).scalars().one_or_none()
    if found is None:
        raise NotFound("Такого уведомления нет.")
    return found


async def find_addressee(session: AsyncSession, notice_id: UUID, *, lock: bool = False) -> Client:
    """Return the client to whom this notice of advertising went.  Raises NotFound."""
    client_id = select(Notice.client_id).where(Notice.id == notice_id, Notice.purpose == "advertising")
    query = select(Client).where(Client.client_id.in_(client_id))
    client = (await session.execute(query.with_for_update() if lock else query)).scalars().one_or_none()
    if client is None:
        raise NotFound("Такого письма нет.")
    return client


async def attempts(session: AsyncSession, notice_id: UUID) -> Sequence[NoticeAttempt]:
    """Return the attempts to send the notice, the first one first."""
    query = select(NoticeAttempt).where(NoticeAttempt.notice_id == notice_id).order_by(NoticeAttempt.number)
    return (await session.execute(query)).scalars().all()


async def attachment_names(session: AsyncSession, notice_id: UUID) -> list[str]:
    """Return the file names of the notice's attachments in alphabetical order."""
    query = select(NoticeAttachment.file_name).where(NoticeAttachment.notice_id == notice_id)
    return list((await session.execute(query.order_by(NoticeAttachment.file_name))).scalars())


async def find_attachment(session: AsyncSession, notice_id: UUID, file_name: str) -> NoticeAttachment:
    """Return an attachment with its content.  Raises NotFound."""
    query = select(NoticeAttachment).where(
        NoticeAttachment.notice_id == notice_id, NoticeAttachment.file_name == file_name
    )
    found = (await session.execute(query)).scalars().one_or_none()
    if found is None:
        raise NotFound("Такого вложения нет.")
    return found


async def seconds_until_next_notice(session: AsyncSession, channel: str) -> float | None:
    """Return how long the channel's earliest queued notice still waits, negative when it is due; None without one."""
    wait = func.extract("epoch", func.min(Notice.next_attempt_at) - func.clock_timestamp())
    query = select(cast(wait, Float)).where(Notice.state == "queued", Notice.channel == channel)
    seconds: float | None = (await session.execute(query)).scalar_one()
    return seconds
