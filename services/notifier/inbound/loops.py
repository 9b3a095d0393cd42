"""Read the offices' mailboxes (CALL-12)."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.inbound.commands import WAKE_CHANNEL, receive_letter
from services.notifier.inbound.domain import parse_letter
from services.notifier.inbound.encryption import decrypt_secret
from services.notifier.inbound.imap import Access, Fetched, ImapError, Position, fetch
from services.notifier.inbound.models import Mailbox, MailboxState
from services.notifier.settings import NotifierSettings
from shared.base.clock import now
from shared.persistence.database import Database
from shared.runtime.service import ServiceContext

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=10)
"""A process that dies while it reads leaves the mailbox to the others after so long."""


@dataclass(frozen=True)
class Claimed:
    """A mailbox that this process reads, until the lease ends."""

    office_id: UUID
    mailbox: Mailbox
    position: Position


async def run(context: ServiceContext) -> None:
    """Read one mailbox after another, until cancelled."""
    settings: NotifierSettings = context.settings
    wakeup = context.listen(WAKE_CHANNEL)
    while True:
        while (claimed := await claim(context.database)) is not None:
            await read_mailbox(context.database, claimed, settings)
        await wakeup.wait(settings.imap_poll_seconds)


async def claim(database: Database) -> Claimed | None:
    """Lease the mailbox that has waited longest for a look, and return it; None while none is due."""
    async with database.worker() as session:
        due = (
            select(MailboxState, Mailbox)
            .join(Mailbox, Mailbox.office_id == MailboxState.office_id)
            .where(MailboxState.next_check_at <= func.now(), Mailbox.active)
            .order_by(MailboxState.next_check_at)
            .limit(1)
            .with_for_update(of=MailboxState, skip_locked=True)
        )
        row = (await session.execute(due)).first()
        if row is None:
            return None
        state, mailbox = row
        state.next_check_at = now() + LEASE
        day = (state.checked_at or now()).astimezone(UTC).date() - timedelta(days=1)
        return Claimed(state.office_id, mailbox, Position(state.uid_validity, state.last_uid, day))


async def read_mailbox(database: Database, claimed: Claimed, settings: NotifierSettings) -> None:
    """Fetch and store new letters; an error is shown beside the mailbox, which is read again later."""
    box = claimed.mailbox
    try:
        password = decrypt_secret(settings.secrets_key, box.secret)
        access = Access(box.host, box.port, box.security, box.login, password, box.folder)
        fetched = await asyncio.to_thread(fetch, access, claimed.position, settings.imap_timeout_seconds)
    except (ImapError, ValueError) as error:
        log.warning("a mailbox cannot be read", office_id=str(claimed.office_id), error=str(error))
        async with database.worker() as session:
            await _record_check(session, claimed.office_id, settings, error=str(error)[:500])
        return
    await store_letters(database, claimed.office_id, fetched, settings)


async def store_letters(database: Database, office_id: UUID, fetched: Fetched, settings: NotifierSettings) -> None:
    """Store each letter and the position after it in one transaction: a crash repeats and loses nothing."""
    for number, raw in fetched.letters:
        letter = parse_letter(raw)
        async with database.worker() as session:
            await receive_letter(session, office_id, letter, our_address=settings.mail_from, at=now())
            values = {"uid_validity": fetched.uid_validity, "last_uid": number}
            await session.execute(update(MailboxState).filter_by(office_id=office_id).values(**values))
    async with database.worker() as session:
        values = {"uid_validity": fetched.uid_validity, "last_uid": fetched.last_uid}
        await session.execute(update(MailboxState).filter_by(office_id=office_id).values(**values))
        await _record_check(session, office_id, settings, error=None, at_once=fetched.more)


async def _record_check(
    session: AsyncSession, office_id: UUID, settings: NotifierSettings, *, error: str | None, at_once: bool = False
) -> None:
    pause = timedelta() if at_once else timedelta(seconds=settings.imap_poll_seconds)
    values = {"error": error, "checked_at": func.now(), "next_check_at": func.now() + pause}
    await session.execute(update(MailboxState).filter_by(office_id=office_id).values(**values))
