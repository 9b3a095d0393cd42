"""Queue notices and cabinet messages in the transaction of what caused them (NTF-01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.domain.delivery import RETRY_PERIOD, SEND_CHANNEL
from services.notifier.delivery.domain.labels import NOTICE_STATES
from services.notifier.delivery.models.notices import CabinetMessage, Notice, NoticeAttachment
from services.notifier.people.models.projections import Client, Office
from services.notifier.texts.queries import render_letter, render_sms
from services.notifier.texts.rendering import one_line
from shared.base.errors import BusinessError
from shared.persistence.database import new_id
from shared.persistence.locks import lock_until_commit
from shared.runtime.audit import audit

Purpose = Literal["service", "advertising", "staff", "supplier"]


@dataclass(frozen=True)
class Attachment:
    """A file of a letter."""

    file_name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class About:
    """What a notice is about, for the lists of staff and client."""

    kind: str | None = None
    id: UUID | None = None


def office_context(office: Office) -> dict[str, Any]:
    """Return what templates know of the office."""
    return {
        "name": one_line(office.name),
        "city": office.city,
        "address": office.address,
        "phones": list(office.phones),
        "email": office.email,
    }


async def queue_mail(
    session: AsyncSession,
    template: str,
    context: Mapping[str, Any],
    *,
    office: Office,
    to: str,
    to_name: str,
    purpose: Purpose,
    at: datetime,
    client: Client | None = None,
    about: About = About(),
    attachments: Sequence[Attachment] = (),
    merge_key: str | None = None,
    merge_pause: timedelta = timedelta(),
    in_reply_to: str | None = None,
) -> UUID:
    """Queue an e-mail, rendered now."""
    full = {**context, "office": office_context(office)}
    rendered, version = await render_letter(session, template, full, office.office_id)
    notice_id = new_id()
    values = {
        "id": notice_id,
        "office_id": office.office_id,
        "channel": "email",
        "purpose": purpose,
        "template": template,
        "client_id": client.client_id if client else None,
        "subject_kind": about.kind,
        "subject_id": about.id,
        "recipient": to,
        "recipient_name": one_line(to_name),
        "time_zone": client.time_zone if client else office.time_zone,
        "sender_name": one_line(office.name),
        "reply_to": office.email,
        "title": rendered.title,
        "text": rendered.text,
        "html": rendered.html,
        "context": dict(context) if merge_key else None,
        "merge_key": merge_key,
        "in_reply_to": in_reply_to,
        "template_version": version,
        "state": "queued",
        "attempts": 0,
        "next_attempt_at": at + merge_pause,
        "expires_at": at + RETRY_PERIOD,
    }
    await session.execute(insert(Notice).values(**values))
    for attachment in attachments:
        row = {"file_name": attachment.file_name, "media_type": attachment.media_type, "content": attachment.content}
        await session.execute(insert(NoticeAttachment).values(notice_id=notice_id, office_id=office.office_id, **row))
    await wake_sender(session)
    return notice_id


async def queue_sms(
    session: AsyncSession,
    template: str,
    context: Mapping[str, Any],
    *,
    office: Office,
    client: Client,
    purpose: Purpose,
    at: datetime,
    about: About = About(),
) -> None:
    """Queue an SMS to the client's phone; nothing is queued without a phone."""
    if not client.phone:
        return
    full = {**context, "office": office_context(office)}
    body, version = await render_sms(session, template, full, office.office_id)
    await session.execute(
        insert(Notice).values(
            id=new_id(),
            office_id=office.office_id,
            channel="sms",
            purpose=purpose,
            template=template,
            client_id=client.client_id,
            subject_kind=about.kind,
            subject_id=about.id,
            recipient=client.phone,
            recipient_name=one_line(client.full_name),
            time_zone=client.time_zone,
            sender_name=one_line(office.name),
            title=body[:60],
            text=body,
            template_version=version,
            state="queued",
            attempts=0,
            next_attempt_at=at,
            expires_at=at + RETRY_PERIOD,
        )
    )
    await wake_sender(session)


async def wake_sender(session: AsyncSession) -> None:
    """Wake the loops that send; PostgreSQL delivers the notification at commit."""
    await session.execute(select(func.pg_notify(SEND_CHANNEL, "")))


async def notify_client(
    session: AsyncSession,
    template: str,
    context: Mapping[str, Any],
    *,
    office: Office,
    client: Client,
    about: About,
    at: datetime,
    by_mail: bool = True,
    merge: tuple[str, str] | None = None,
    merge_pause: timedelta = timedelta(),
) -> None:
    """Put a message into the cabinet and double it by e-mail where the client has one (NTF-01).

    `merge` = (key, list in the context): while the mail of the same key still waits, the list grows instead, so that an
    order of five positions makes one letter.
    """
    full = {**context, "client": {"full_name": client.full_name}, "zone": client.time_zone}
    mailed = by_mail and bool(client.email)
    if merge is not None and await _merge(session, template, full, *merge, office=office, mailed=mailed, at=at):
        return
    rendered, _ = await render_letter(session, template, {**full, "office": office_context(office)}, office.office_id)
    key = merge[0] if merge else None
    await session.execute(
        insert(CabinetMessage).values(
            id=new_id(),
            office_id=office.office_id,
            client_id=client.client_id,
            template=template,
            title=rendered.title,
            text=rendered.text,
            html=rendered.fragment,
            subject_kind=about.kind,
            subject_id=about.id,
            context=full if key else None,
            merge_key=key,
            merge_until=at + merge_pause if key else None,
        )
    )
    if mailed and client.email:
        await queue_mail(
            session,
            template,
            full,
            office=office,
            to=client.email,
            to_name=client.full_name,
            purpose="service",
            at=at,
            client=client,
            about=about,
            merge_key=key,
            merge_pause=merge_pause,
        )


async def _merge(
    session: AsyncSession,
    template: str,
    context: Mapping[str, Any],
    key: str,
    items: str,
    *,
    office: Office,
    mailed: bool,
    at: datetime,
) -> bool:
    """Add to the message and letter of the same key; False where none of them still waits."""
    await lock_until_commit(session, key)
    recent = select(CabinetMessage).where(CabinetMessage.merge_key == key, CabinetMessage.merge_until > at)
    message = (await session.execute(recent.order_by(CabinetMessage.created_at.desc()).limit(1))).scalars().first()
    if message is None or message.context is None:
        return False
    queued = select(Notice).where(Notice.merge_key == key, Notice.state == "queued").with_for_update(skip_locked=True)
    notice = (await session.execute(queued)).scalars().first() if mailed else None
    if mailed and notice is None:
        return False  # The letter is on its way already: another one is needed.
    merged = {**message.context, items: [*message.context[items], *context[items]]}
    rendered, version = await render_letter(
        session, template, {**merged, "office": office_context(office)}, office.office_id
    )
    message.context, message.title, message.text, message.html = (
        merged,
        rendered.title,
        rendered.text,
        rendered.fragment,
    )
    if notice is not None:
        notice.context, notice.title, notice.text, notice.html = merged, rendered.title, rendered.text, rendered.html
        notice.template_version = version
    await session.flush()
    return True


class NotResendable(BusinessError):
    """The notice is queued, on its way or delivered."""

    code = "notice-not-resendable"
    title = "Повторная отправка не нужна"


async def resend(session: AsyncSession, notice: Notice, *, at: datetime) -> None:
    """Queue a letter of unknown or bad outcome again, as a person has decided.  Raises NotResendable."""
    if notice.state not in ("failed", "expired", "unknown"):
        raise NotResendable(f"Состояние «{NOTICE_STATES[notice.state]}»: повторять отправку не нужно.")
    notice.state, notice.next_attempt_at, notice.expires_at = "queued", at, at + RETRY_PERIOD
    # Receipts of the earlier attempt do not count for the new one.
    notice.poll_at = notice.gateway = notice.provider_id = None
    details = {"template": notice.template}
    await audit(session, "notice.resent", subject=f"notice/{notice.id}", office_id=notice.office_id, details=details)
    await session.flush()
    await wake_sender(session)


class OutcomeAlreadyKnown(BusinessError):
    """The outcome of the notice is known."""

    code = "notice-outcome-known"
    title = "Исход уже известен"


async def resolve(session: AsyncSession, notice: Notice, *, delivered: bool, at: datetime) -> None:
    """Record the outcome that a person has found out.  Raises OutcomeAlreadyKnown."""
    if notice.state != "unknown":
        raise OutcomeAlreadyKnown(f"Состояние «{NOTICE_STATES[notice.state]}»: исход известен и без человека.")
    notice.state = "delivered" if delivered else "failed"
    notice.sent_at = notice.sent_at or (at if delivered else None)
    notice.delivered_at = at if delivered else None
    notice.poll_at = None
    details = {"template": notice.template, "delivered": delivered}
    await audit(session, "notice.resolved", subject=f"notice/{notice.id}", office_id=notice.office_id, details=details)
    await session.flush()
