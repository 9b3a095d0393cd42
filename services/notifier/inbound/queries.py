"""Read letters to offices and the settings of mailboxes."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.inbound.models import InboundMail, Mailbox, MailboxState
from shared.base.errors import NotFound


def mails(
    *, office_id: UUID | None, client_id: UUID | None, thread_id: UUID | None, unanswered: bool
) -> Select[InboundMail]:
    """Select letters; a filter of None lets all through, `unanswered` leaves those that wait for an answer."""
    wanted = {
        InboundMail.office_id: office_id,
        InboundMail.client_id: client_id,
        InboundMail.thread_id: thread_id,
    }
    query = select(InboundMail).where(*(column == value for column, value in wanted.items() if value is not None))
    return query.where(InboundMail.kind == "message", InboundMail.answered_at.is_(None)) if unanswered else query


async def find_mail(session: AsyncSession, mail_id: UUID) -> InboundMail:
    """Return the letter.  Raises NotFound."""
    row = (await session.execute(select(InboundMail).where(InboundMail.id == mail_id))).scalars().one_or_none()
    if row is None:
        raise NotFound("Такого письма нет.")
    return row


def mailboxes() -> Select[Mailbox]:
    """Select the settings of all mailboxes."""
    return select(Mailbox)


async def find_mailbox(session: AsyncSession, office_id: UUID, *, lock: bool = False) -> Mailbox | None:
    """Return the office's mailbox, locked where asked for; None where it has none."""
    query = select(Mailbox).where(Mailbox.office_id == office_id)
    return (await session.execute(query.with_for_update() if lock else query)).scalars().one_or_none()


async def mailbox_state(session: AsyncSession, office_id: UUID) -> MailboxState | None:
    """Return how far the office's mailbox has been read, as it is stored now."""
    query = select(MailboxState).where(MailboxState.office_id == office_id)
    return (await session.execute(query, execution_options={"populate_existing": True})).scalars().one_or_none()
