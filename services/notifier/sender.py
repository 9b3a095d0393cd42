"""Sending: takes one notice after another from the queue, hands it over, records what came of it.

`sending` is committed before the wire.  What is still `sending` when its lease has run out lost its process there: it
becomes `unknown`, which is never sent again by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.commands import escalations
from services.notifier.commands.notices import SEND_CHANNEL
from services.notifier.domain.delivery import QuietHours, pause_after
from services.notifier.mailer import Letter, Mailer, Outcome
from services.notifier.models import Client, DeliveryPolicy, Notice, NoticeAttachment, NoticeAttempt
from services.notifier.settings import NotifierSettings
from services.notifier.sms import (
    SmscGateway,
    SmsGateway,
    SmsOutcomeUnknown,
    SmsRejected,
    SmsStatus,
    SmsUnavailable,
)
from shared import faultpoints
from shared.database import Database
from shared.service import ServiceContext

log = structlog.get_logger(__name__)

LONGEST_SLEEP = 30.0
SHUTDOWN_PATIENCE = 20.0
LONGEST_POLL = timedelta(hours=1)
STOP_POLLING = timedelta(days=2)

_UNTIL_NEXT = text(
    "SELECT extract(epoch FROM min(next_attempt_at) - clock_timestamp())::float8 FROM notices"
    " WHERE state = 'queued' AND channel = :channel"
)

Send = Callable[[Letter], Awaitable[Outcome]]


async def run_mail(context: ServiceContext) -> None:
    """Send e-mails until cancelled."""
    settings: NotifierSettings = context.settings
    mailer = Mailer(settings.smtp_url, settings.mail_from, settings.send_timeout_seconds)
    try:
        await _run(context, "email", mailer.send, mailer.quit)
    finally:
        mailer.close()


async def run_sms(context: ServiceContext) -> None:
    """Send SMS until cancelled."""
    gateway = gateway_of(context.settings)

    async def nothing() -> None:
        return None

    try:
        await _run(context, "sms", lambda letter: send_sms(gateway, letter), nothing)
    finally:
        await gateway.aclose()


def gateway_of(settings: NotifierSettings) -> SmscGateway:
    return SmscGateway(
        settings.sms_url,
        settings.sms_login,
        settings.sms_password,
        sender=settings.sms_sender,
        phone_prefixes=("+",),  # Which countries are allowed is policy data.
        timeout_seconds=min(20.0, settings.send_timeout_seconds),
    )


async def _run(context: ServiceContext, channel: str, send: Send, idle: Callable[[], Awaitable[None]]) -> None:
    wakeup = context.listen(SEND_CHANNEL)
    while True:
        letter = await claim(context.database, channel, context.settings)
        if letter is not None:
            work = asyncio.ensure_future(_deliver(context, letter, send))
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                # A letter that is on the wire gets its outcome, or it would end as unknown.
                await asyncio.wait([work], timeout=SHUTDOWN_PATIENCE)
                raise
            continue
        await idle()
        async with context.database.worker() as session:
            seconds = (await session.execute(_UNTIL_NEXT, {"channel": channel})).scalar_one()
        wait = LONGEST_SLEEP if seconds is None else max(seconds, 0.01)
        await wakeup.wait(min(wait, LONGEST_SLEEP))


async def _deliver(context: ServiceContext, claimed: "Claimed", send: Send) -> None:
    faultpoints.reach("notice.before_sending")
    outcome = await send(claimed.letter)
    faultpoints.reach("notice.after_sending")
    await record(context.database, claimed, outcome, context.settings)


class Claimed:
    """A notice in `sending`, ours until the lease ends."""

    def __init__(self, letter: Letter, office_id: UUID, channel: str, attempt: int) -> None:
        self.letter, self.office_id, self.channel, self.attempt = letter, office_id, channel, attempt


async def claim(database: Database, channel: str, settings: NotifierSettings) -> Claimed | None:
    """The next notice that may go out now, moved to `sending`; those that may not are set aside on the way."""
    while True:
        async with database.worker() as session:
            due = (
                select(Notice, func.now().label("at"))
                .where(Notice.state == "queued", Notice.channel == channel, Notice.next_attempt_at <= func.now())
                .order_by(Notice.next_attempt_at, Notice.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = (await session.execute(due)).first()
            if row is None:
                return None
            notice, at = row[0], row.at
            if not await _may_go(session, notice, at):
                continue
            if notice.text is None:
                written = await escalations.write(session, notice, at=at, public_url=settings.public_url)
                if written is None:
                    _set_aside(notice, "expired", "К моменту отправки повод отпал.")
                    continue
                notice.title, notice.text, notice.html = written.title, written.text, written.html
            notice.state, notice.sending_since = "sending", at
            notice.attempts += 1
            letter = await _letter(session, notice)
            return Claimed(letter, notice.office_id, channel, notice.attempts)


async def _may_go(session: AsyncSession, notice: Notice, at: datetime) -> bool:
    """Checked again at the moment of sending: term, consent, quiet hours, country."""
    if notice.expires_at <= at:
        _set_aside(notice, "expired", notice.last_answer or "Срок отправки истёк.")
        return False
    if notice.purpose == "advertising":
        client = await session.get(Client, notice.client_id)
        if client is None or not client.active or "advertising" not in client.consents:
            _set_aside(notice, "failed", "Нет согласия на рекламу.")
            return False
    if notice.channel != "sms":
        return True
    policy = await current_policy(session, at)
    if policy is None:
        return True
    if policy.only_russian_numbers and not notice.recipient.startswith("+7"):
        _set_aside(notice, "failed", "SMS отправляются только на номера +7.")
        return False
    if policy.quiet_hours:
        hours = QuietHours(time.fromisoformat(policy.quiet_from), time.fromisoformat(policy.quiet_until))
        until = hours.until(at, notice.time_zone)
        if until is not None:
            notice.next_attempt_at = until
            notice.last_answer = "Тихие часы получателя."
            return False
    return True


def _set_aside(notice: Notice, state: str, why: str) -> None:
    notice.state, notice.last_answer = state, why


async def current_policy(session: AsyncSession, at: datetime) -> DeliveryPolicy | None:
    query = select(DeliveryPolicy).where(DeliveryPolicy.effective_from <= at)
    return (await session.execute(query.order_by(DeliveryPolicy.version.desc()).limit(1))).scalars().first()


async def _letter(session: AsyncSession, notice: Notice) -> Letter:
    query = select(NoticeAttachment).where(NoticeAttachment.notice_id == notice.id)
    attachments = (await session.execute(query.order_by(NoticeAttachment.file_name))).scalars()
    return Letter(
        id=notice.id,
        sender_name=notice.sender_name,
        recipient=notice.recipient,
        recipient_name=notice.recipient_name,
        reply_to=notice.reply_to,
        title=notice.title or "",
        text=notice.text or "",
        html=notice.html,
        created_at=notice.created_at,
        attachments=[(row.file_name, row.media_type, bytes(row.content)) for row in attachments],
    )


async def send_sms(gateway: SmsGateway, letter: Letter) -> Outcome:
    try:
        accepted = await gateway.send(letter.id, letter.recipient, letter.text)
    except SmsRejected as error:
        return Outcome("failed", str(error))
    except SmsUnavailable as error:
        return Outcome("retry", str(error))
    except SmsOutcomeUnknown as error:
        return Outcome("unknown", str(error))
    return Outcome("sent", f"{accepted.provider_id}, частей: {accepted.parts or '—'}, цена: {accepted.cost or '—'}")


async def record(database: Database, claimed: Claimed, outcome: Outcome, settings: NotifierSettings) -> None:
    """Store the outcome, unless the lease ran out meanwhile and the notice is no longer ours."""
    async with database.worker() as session:
        mine = select(Notice, func.now().label("at")).where(
            Notice.id == claimed.letter.id, Notice.state == "sending", Notice.attempts == claimed.attempt
        )
        row = (await session.execute(mine.with_for_update())).first()
        if row is None:
            log.warning("outcome came after the lease", notice_id=str(claimed.letter.id), state=outcome.state)
            return
        notice, at = row[0], row.at
        notice.sending_since = None
        notice.last_answer = outcome.answer[:500].replace("\x00", "")
        if outcome.state == "retry":
            notice.state = "queued"
            notice.next_attempt_at = min(at + pause_after(claimed.attempt), notice.expires_at)
        else:
            notice.state = outcome.state
        if outcome.state == "sent":
            notice.sent_at = at
        if claimed.channel == "sms" and outcome.state in ("sent", "unknown"):
            # Our own id is the provider's, so that also an unknown outcome can be asked for.
            notice.provider_id = str(notice.id)
            notice.poll_at = at + timedelta(seconds=settings.sms_poll_seconds)
        await session.execute(insert(NoticeAttempt).values(**_attempt(claimed, at, outcome.state, notice.last_answer)))


def _attempt(claimed: Claimed, at: datetime, outcome: str, answer: str) -> dict[str, object]:
    return {
        "notice_id": claimed.letter.id,
        "number": claimed.attempt,
        "office_id": claimed.office_id,
        "at": at,
        "outcome": outcome,
        "answer": answer,
    }


async def run_watch(context: ServiceContext) -> None:
    """Find letters whose sender died, and ask the gateway for delivery, until cancelled."""
    settings: NotifierSettings = context.settings
    gateway = gateway_of(settings)
    pause = min(settings.sms_poll_seconds, settings.sending_lease_seconds / 4)
    try:
        while True:
            await mark_lost(context.database, settings.sending_lease_seconds)
            await poll(context.database, gateway, settings.sms_poll_seconds)
            await asyncio.sleep(pause)
    finally:
        await gateway.aclose()


async def mark_lost(database: Database, lease_seconds: float) -> int:
    """`sending` longer than the lease → `unknown`; returns how many."""
    async with database.worker() as session:
        lost = (
            update(Notice)
            .where(Notice.state == "sending", Notice.sending_since < func.now() - timedelta(seconds=lease_seconds))
            .values(state="unknown", sending_since=None, last_answer="Процесс остановился во время отправки.")
            .returning(Notice.id, Notice.office_id, Notice.attempts, Notice.channel, func.now().label("at"))
            .execution_options(synchronize_session=False)
        )
        rows = (await session.execute(lost)).all()
        for row in rows:
            attempt = {"notice_id": row.id, "number": row.attempts, "office_id": row.office_id, "at": row.at}
            await session.execute(
                insert(NoticeAttempt).values(**attempt, outcome="unknown", answer="процесс остановился")
            )
            if row.channel == "sms":
                await session.execute(
                    update(Notice).where(Notice.id == row.id).values(provider_id=str(row.id), poll_at=row.at)
                )
    return len(rows)


async def poll(database: Database, gateway: SmsGateway, first_interval: float) -> None:
    """Ask what became of SMS; the interval doubles up to an hour, for two days."""
    async with database.worker() as session:
        due = select(Notice.id, Notice.provider_id, Notice.recipient).where(Notice.poll_at <= func.now())
        rows = (await session.execute(due.order_by(Notice.poll_at).limit(50))).all()
    for row in rows:
        try:
            status = await gateway.status(row.provider_id or str(row.id), row.recipient)
        except SmsUnavailable as error:
            log.warning("the SMS gateway does not answer", error=str(error))
            return
        async with database.worker() as session:
            await _apply_status(session, row.id, status, first_interval)


async def _apply_status(session: AsyncSession, notice_id: UUID, status: SmsStatus, first_interval: float) -> None:
    query = select(Notice, func.now().label("at")).where(Notice.id == notice_id, Notice.poll_at.is_not(None))
    row = (await session.execute(query.with_for_update())).first()
    if row is None:
        return
    notice, at = row[0], row.at
    if status in (SmsStatus.DELIVERED, SmsStatus.FAILED, SmsStatus.EXPIRED):
        notice.state, notice.poll_at = status.value, None
        notice.delivered_at = at if status is SmsStatus.DELIVERED else None
        notice.sent_at = notice.sent_at or at
        return
    if status in (SmsStatus.QUEUED, SmsStatus.SENT) and notice.state == "unknown":
        notice.state, notice.sent_at = "sent", at
    since = at - (notice.sent_at or notice.created_at)
    interval = min(max(since, timedelta(seconds=first_interval)), LONGEST_POLL)
    notice.poll_at = at + interval if since < STOP_POLLING else None
