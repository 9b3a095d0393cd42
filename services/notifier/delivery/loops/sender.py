"""Send notices: take one after another from the queue, hand it over, record the outcome.

`sending` is committed before the wire.  What is still `sending` when its lease has run out lost its process there: it
becomes `unknown`, which is never sent again by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.commands.late_text import fill_in
from services.notifier.delivery.commands.limits import mark_unsendable, may_send, release_usage
from services.notifier.delivery.commands.optout import is_stop_word, stop_number
from services.notifier.delivery.commands.receipts import apply_receipts, lock_receipts, record_part_ids, record_receipt
from services.notifier.delivery.domain.delivery import SEND_CHANNEL, retry_delay
from services.notifier.delivery.mail import Letter, Mailer, Outcome
from services.notifier.delivery.models.notices import Notice, NoticeAttachment, NoticeAttempt
from services.notifier.delivery.queries.notices import seconds_until_next_notice
from services.notifier.delivery.sms.port import SmsOutcomeUnknown, SmsRejected, SmsUnavailable
from services.notifier.delivery.sms.route import SmsRoute, build_route
from services.notifier.delivery.sms.smpp import Incoming, Receipt, SmppGateway
from services.notifier.metrics import SMS_ATTEMPTS
from services.notifier.settings import NotifierSettings
from shared.base import fault_points
from shared.base.clock import now
from shared.persistence.database import Database
from shared.runtime.service import ServiceContext

log = structlog.get_logger(__name__)

MAX_SLEEP = 30.0
SHUTDOWN_TIMEOUT = 20.0

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
    """Send SMS and receive what gateways report, until cancelled."""
    route = build_route(context.settings)

    async def nothing() -> None:
        return None

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(route.listen(lambda message: handle_incoming(context.database, message)))
            await _run(context, "sms", lambda letter: send_sms(route, letter), nothing)
    finally:
        await route.aclose()


async def handle_incoming(database: Database, message: Receipt | Incoming) -> None:
    """Handle a receipt, or an SMS from a client, of which only «СТОП» has a meaning."""
    async with database.worker() as session:
        if isinstance(message, Receipt):
            await record_receipt(session, message.gateway, message.provider_id, message.status)
        elif is_stop_word(message.text):
            await stop_number(session, message.phone, at=now())


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
                await asyncio.wait([work], timeout=SHUTDOWN_TIMEOUT)
                raise
            continue
        await idle()
        async with context.database.worker() as session:
            seconds = await seconds_until_next_notice(session, channel)
        wait = MAX_SLEEP if seconds is None else max(seconds, 0.01)
        await wakeup.wait(min(wait, MAX_SLEEP))


async def _deliver(context: ServiceContext, claimed: "Claimed", send: Send) -> None:
    fault_points.reach("notice.before_sending")
    outcome = await send(claimed.letter)
    fault_points.reach("notice.after_sending")
    await record(context.database, claimed, outcome, context.settings)


class Claimed:
    """A notice in `sending`, held until the lease ends."""

    def __init__(self, letter: Letter, office_id: UUID, channel: str, attempt: int) -> None:
        self.letter, self.office_id, self.channel, self.attempt = letter, office_id, channel, attempt


async def claim(database: Database, channel: str, settings: NotifierSettings) -> Claimed | None:
    """Move the next notice that may go out now to `sending` and return it; None where there is none.

    Notices that may not go out are set aside on the way.
    """
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
            unwritten = notice.text is None
            if unwritten and not await fill_in(session, notice, at=at, public_url=settings.public_url):
                mark_unsendable(notice, "expired", "К моменту отправки повод отпал.")
                continue
            if not await may_send(session, notice, at):
                if unwritten and notice.state == "queued":
                    notice.text = None  # Written anew at sending, with what is true then.
                continue
            notice.state, notice.sending_since = "sending", at
            notice.attempts += 1
            letter = await _letter(session, notice, settings.public_url)
            return Claimed(letter, notice.office_id, channel, notice.attempts)


async def _letter(session: AsyncSession, notice: Notice, public_url: str) -> Letter:
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
        # A notice's id cannot be guessed, so it is the key to its own way out.
        unsubscribe_url=f"{public_url.rstrip('/')}/api/notifier/unsubscribe/{notice.id}"
        if notice.purpose == "advertising"
        else None,
        in_reply_to=notice.in_reply_to,
    )


async def send_sms(route: SmsRoute, letter: Letter) -> Outcome:
    """Hand the SMS to a gateway and return the outcome."""
    try:
        accepted = await route.send(letter.id, letter.recipient, letter.text)
    except SmsRejected as error:
        return Outcome("failed", str(error))
    except SmsUnavailable as error:
        return Outcome("retry", str(error))
    except SmsOutcomeUnknown as error:
        return Outcome("unknown", str(error), gateway=error.gateway, provider_id=error.provider_id)
    answer = f"{accepted.gateway} {accepted.provider_id}, цена: {accepted.cost or '—'}"
    return Outcome("sent", answer, accepted.gateway, accepted.provider_id, accepted.part_ids)


async def record(database: Database, claimed: Claimed, outcome: Outcome, settings: NotifierSettings) -> None:
    """Store the outcome, unless the lease has run out and the notice is no longer held."""
    async with database.worker() as session:
        if outcome.gateway is not None and outcome.provider_id is not None:
            await lock_receipts(session, outcome.gateway, outcome.part_ids or (outcome.provider_id,))
        mine = select(Notice, func.now().label("at")).where(
            Notice.id == claimed.letter.id, Notice.state == "sending", Notice.attempts == claimed.attempt
        )
        row = (await session.execute(mine.with_for_update())).first()
        if row is None:
            log.warning("outcome came after the lease", notice_id=str(claimed.letter.id), state=outcome.state)
            return
        notice, at = row[0], row.at
        if outcome.state in ("retry", "failed"):
            await release_usage(session, notice)
        since, notice.sending_since = notice.sending_since, None
        notice.last_answer = outcome.answer[:500].replace("\x00", "")
        if outcome.state == "retry":
            notice.state = "queued"
            notice.next_attempt_at = min(at + retry_delay(claimed.attempt), notice.expires_at)
        else:
            notice.state = outcome.state
        if outcome.state == "sent":
            notice.sent_at = at
        if outcome.gateway is not None:
            notice.gateway, notice.provider_id = outcome.gateway, outcome.provider_id
        if outcome.gateway is not None and outcome.provider_id is not None:
            # Over SMPP receipts come by themselves, and a second connection that asked would be handed them.
            asked = outcome.gateway != SmppGateway.name
            notice.poll_at = at + timedelta(seconds=settings.sms_poll_seconds) if asked else None
            await record_part_ids(session, notice, outcome.part_ids, since)
            await apply_receipts(session, notice, at)
        if claimed.channel == "sms":
            SMS_ATTEMPTS.labels(outcome.gateway or "", outcome.state).inc()
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
