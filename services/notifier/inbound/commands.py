"""Letters to an office: store them in their conversation, open inquiries, send answers (CALL-12)."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.commands.notices import About, queue_mail
from services.notifier.delivery.commands.optout import is_stop_word, withdraw
from services.notifier.delivery.commands.receipts import apply_status
from services.notifier.delivery.models.notices import Notice
from services.notifier.inbound.domain import Letter, first_line
from services.notifier.inbound.encryption import encrypt_secret
from services.notifier.inbound.models import InboundMail, Mailbox, MailboxState
from services.notifier.inbound.queries import find_mailbox
from services.notifier.people.models.projections import Client, Office
from services.notifier.people.queries import get_office
from shared.base.errors import Conflict, Invalid, NotFound
from shared.contracts.notifier import MailAnswered, MailReceived
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.persistence.locks import lock_until_commit
from shared.runtime.audit import audit
from shared.web import check_version

WAKE_CHANNEL = "notifier_mailboxes"
"""The NOTIFY channel that wakes the loop that reads mailboxes."""


async def configure_mailbox(
    session: AsyncSession,
    office_id: UUID,
    values: dict[str, Any],
    password: str | None,
    *,
    secrets_key: str,
    expected: int,
    at: datetime,
) -> Mailbox:
    """Store where the office's mailbox is; without a password the former one stays.  It is read anew right away.

    Another server, login or folder is read from now on.  Raises NotFound for an unknown office, PreconditionFailed,
    Invalid for a new mailbox without a password, SecretsKeyMissing.
    """
    if await session.get(Office, office_id) is None:
        raise NotFound("Такого офиса нет.")
    mailbox = await find_mailbox(session, office_id, lock=True)
    check_version(mailbox.version if mailbox else 0, expected)
    if password is not None:
        values = {**values, "secret": encrypt_secret(secrets_key, password)}
    elif mailbox is None:
        raise Invalid("Для нового ящика нужен пароль.", field="body.password")
    if mailbox is None:
        mailbox = Mailbox(office_id=office_id, **values)
        session.add(mailbox)
    else:
        moved = any(getattr(mailbox, name) != values[name] for name in ("host", "login", "folder"))
        for name, value in values.items():
            setattr(mailbox, name, value)
        if moved:
            state = await session.get(MailboxState, office_id)
            if state is not None:
                state.uid_validity, state.last_uid = None, 0
    await session.flush()
    look_now = {"next_check_at": at, "error": None}
    state_row = insert(MailboxState).values(office_id=office_id, last_uid=0, next_check_at=at)
    await session.execute(state_row.on_conflict_do_update(index_elements=["office_id"], set_=look_now))
    await session.execute(select(func.pg_notify(WAKE_CHANNEL, "")))
    await audit(session, "mailbox.changed", subject=f"mailbox/{office_id}", office_id=office_id)
    return mailbox


async def receive_letter(
    session: AsyncSession, office_id: UUID, letter: Letter, *, our_address: str, at: datetime
) -> InboundMail | None:
    """Store the letter in its conversation and return it; None where it is known already.

    A person's letter opens an inquiry, unless an earlier one of the same conversation still waits for its answer.
    Automatic answers, newsletters and bounces are kept, but wait for no answer.
    """
    office = await get_office(session, office_id)
    ours = letter.sender in {our_address.lower(), office.email.lower()}
    kind = "automatic" if ours and letter.kind == "message" else letter.kind
    answered = await _answered_notice(session, office_id, letter.references)
    thread_id = await _thread(session, office_id, letter.references, answered)
    client = await _sender(session, office_id, letter, answered)
    values = {
        "id": (mail_id := new_id()),
        "office_id": office_id,
        "message_id": letter.message_id,
        "references": letter.references,
        "thread_id": thread_id or mail_id,
        "client_id": client.client_id if client else None,
        "sender": letter.sender,
        "sender_name": letter.sender_name,
        "title": letter.title,
        "text": letter.text,
        "attachments": letter.attachments,
        "kind": kind,
        "received_at": at,
    }
    await lock_until_commit(session, f"mail/{values['thread_id']}")
    stored = insert(InboundMail).values(**values).on_conflict_do_nothing().returning(InboundMail)
    row = (await session.execute(stored)).scalars().one_or_none()
    if row is None:
        return None
    if letter.undelivered is not None:
        await _record_bounce(session, office_id, UUID(letter.undelivered), at)
    if kind != "message":
        return row
    if answered is not None and answered.purpose == "advertising" and client and is_stop_word(first_line(letter.text)):
        row.answered_at = at
        await session.flush()
        await withdraw(session, client, source="stop_word", at=at)
        return row
    waiting = await _waiting(session, row.thread_id)
    if [other.id for other in waiting] == [row.id]:
        await _open_inquiry(session, row)
    return row


async def answer(session: AsyncSession, letter: InboundMail, body: str, *, caller: Principal, at: datetime) -> UUID:
    """Send an answer in the same conversation; it answers all its letters.  Raises Conflict for a program's letter."""
    if letter.kind != "message" or not letter.sender:
        raise Conflict("Это письмо написала программа, отвечать некому.")
    await lock_until_commit(session, f"mail/{letter.thread_id}")
    office = await get_office(session, letter.office_id)
    client = await session.get(Client, letter.client_id) if letter.client_id else None
    notice_id = await queue_mail(
        session,
        "mail_answer",
        {
            "title": re.sub(r"^(re:\s*)+", "", letter.title, flags=re.I) or "Ваше письмо",
            "answer": body,
            "manager": caller.name,
        },
        office=office,
        to=letter.sender,
        to_name=letter.sender_name,
        purpose="service",
        at=at,
        client=client,
        about=About("mail", letter.thread_id),
        in_reply_to=letter.message_id,
    )
    waiting = await _waiting(session, letter.thread_id)
    if waiting:
        first = waiting[0].id
        await _mark_answered(session, first, at=at)
        facts = {"mail_id": first, "thread_id": letter.thread_id, "staff_id": caller.id, "answered_at": at}
        await publish(session, MailAnswered(office_id=letter.office_id, version=2, occurred_at=at, **facts))
    subject = f"mail/{letter.id}"
    await audit(
        session, "mail.answered", subject=subject, office_id=letter.office_id, details={"notice": str(notice_id)}
    )
    return notice_id


async def end_inquiry(session: AsyncSession, mail_id: UUID, *, at: datetime) -> None:
    """Mark the inquiry of this letter as dealt with in another way.

    A letter that has come since then relied on that inquiry, and opens one of its own.
    """
    letter = await session.get(InboundMail, mail_id)
    if letter is None:
        return
    await lock_until_commit(session, f"mail/{letter.thread_id}")
    if mail_id in await _mark_answered(session, mail_id, at=at):
        for later in (await _waiting(session, letter.thread_id))[:1]:
            await _open_inquiry(session, later)


async def _mark_answered(session: AsyncSession, mail_id: UUID, *, at: datetime) -> Sequence[UUID]:
    """Mark all letters of the conversation until `at` as answered; return those that had waited."""
    thread = select(InboundMail.thread_id).where(InboundMail.id == mail_id).scalar_subquery()
    waiting = update(InboundMail).where(InboundMail.thread_id == thread, InboundMail.answered_at.is_(None))
    done = waiting.where(InboundMail.received_at <= at).values(answered_at=at).returning(InboundMail.id)
    return (await session.execute(done, execution_options={"synchronize_session": False})).scalars().all()


async def _open_inquiry(session: AsyncSession, letter: InboundMail) -> None:
    """Open the letter's inquiry (CALL-12), with the time to answer counted from its receipt."""
    facts = {"mail_id": letter.id, "thread_id": letter.thread_id, "client_id": letter.client_id}
    at = letter.received_at
    await publish(session, MailReceived(office_id=letter.office_id, version=1, occurred_at=at, received_at=at, **facts))


async def _waiting(session: AsyncSession, thread_id: UUID) -> Sequence[InboundMail]:
    query = select(InboundMail).where(
        InboundMail.thread_id == thread_id, InboundMail.kind == "message", InboundMail.answered_at.is_(None)
    )
    return (await session.execute(query.order_by(InboundMail.received_at, InboundMail.id))).scalars().all()


async def _answered_notice(session: AsyncSession, office_id: UUID, references: Sequence[str]) -> Notice | None:
    """Return our own letter that this one answers: our Message-IDs are the notices' ids."""
    for reference in references:
        try:
            notice_id = UUID(reference.strip("<>").partition("@")[0])
        except ValueError:
            continue
        query = select(Notice).where(Notice.id == notice_id, Notice.office_id == office_id)
        notice = (await session.execute(query)).scalars().one_or_none()
        if notice is not None:
            return notice
    return None


async def _thread(
    session: AsyncSession, office_id: UUID, references: Sequence[str], answered: Notice | None
) -> UUID | None:
    known = [*references, *([answered.in_reply_to] if answered is not None and answered.in_reply_to else [])]
    query = select(InboundMail.message_id, InboundMail.thread_id).where(
        InboundMail.office_id == office_id, InboundMail.message_id.in_(known)
    )
    found = {row.message_id: row.thread_id for row in (await session.execute(query)).all()} if known else {}
    nearest = next((found[reference] for reference in known if reference in found), None)
    return nearest or (answered.id if answered is not None else None)


async def _sender(session: AsyncSession, office_id: UUID, letter: Letter, answered: Notice | None) -> Client | None:
    """Return the client who wrote the letter.

    That is the addressee of our letter who answers from the same address; else the client with the sender's address;
    else the addressee, from another address.
    """
    addressee = await session.get(Client, answered.client_id) if answered is not None and answered.client_id else None
    if answered is not None and addressee is not None and answered.recipient.lower() == letter.sender:
        return addressee
    query = select(Client).where(Client.office_id == office_id, func.lower(Client.email) == letter.sender)
    return (await session.execute(query.order_by(Client.client_id).limit(1))).scalars().first() or addressee


async def _record_bounce(session: AsyncSession, office_id: UUID, notice_id: UUID, at: datetime) -> None:
    """Mark our letter that a bounce names as not delivered."""
    query = select(Notice).where(Notice.id == notice_id, Notice.office_id == office_id, Notice.channel == "email")
    notice = (await session.execute(query.with_for_update())).scalars().one_or_none()
    if notice is not None and notice.state in ("sent", "unknown"):
        apply_status(notice, "failed", at)
        notice.last_answer = "Письмо вернулось: почтовый сервер получателя его не доставил."
