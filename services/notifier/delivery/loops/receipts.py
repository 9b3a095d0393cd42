"""Find out what became of notices: ask the gateways, and mark letters whose sender died."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.commands.notices import wake_sender
from services.notifier.delivery.commands.receipts import AWAITED, apply_status
from services.notifier.delivery.domain.delivery import RETRY_PERIOD
from services.notifier.delivery.models.notices import Notice, NoticeAttempt
from services.notifier.delivery.queries.policy import current_policy
from services.notifier.delivery.sms.port import SmsStatus, SmsUnavailable
from services.notifier.delivery.sms.route import SmsRoute, build_route
from services.notifier.settings import NotifierSettings
from shared.persistence.database import Database
from shared.runtime.service import ServiceContext

log = structlog.get_logger(__name__)

MAX_POLL_INTERVAL = timedelta(hours=1)
STOP_POLLING = timedelta(days=2)
RESEND_WITHIN = timedelta(days=2)


async def run(context: ServiceContext) -> None:
    """Find letters whose sender died, and ask the gateways for delivery, until cancelled."""
    settings: NotifierSettings = context.settings
    route = build_route(settings)
    lookup_gateway = route.lookup_gateway()
    pause = min(settings.sms_poll_seconds, settings.sending_lease_seconds / 4)
    try:
        while True:
            await mark_lost(
                context.database, settings.sending_lease_seconds, lookup_gateway.name if lookup_gateway else None
            )
            await resend_unknown_mail(context.database)
            await poll(context.database, route, settings.sms_poll_seconds)
            await asyncio.sleep(pause)
    finally:
        await route.aclose()


async def mark_lost(database: Database, lease_seconds: float, lookup_gateway: str | None = None) -> int:
    """Mark as `unknown` what has been `sending` for longer than the lease; return how many.

    An SMS is looked up where the gateway knows our id.
    """
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
            if row.channel == "sms" and lookup_gateway is not None:
                asked = {"gateway": lookup_gateway, "provider_id": str(row.id), "poll_at": row.at}
                await session.execute(update(Notice).where(Notice.id == row.id).values(**asked))
    return len(rows)


async def resend_unknown_mail(database: Database) -> int:
    """Send letters of unknown outcome once more where the policy says so; return how many.

    Their Message-ID shows the reader's program that the two are one.  SMS have no such id, so a person decides.
    """
    async with database.worker() as session:
        policy = await current_policy(session, (await session.execute(select(func.now()))).scalar_one())
        if policy is None or not policy.resend_unknown_mail:
            return 0
        unknown_attempts = (
            select(func.count())
            .select_from(NoticeAttempt)
            .where(NoticeAttempt.notice_id == Notice.id, NoticeAttempt.outcome == "unknown")
            .scalar_subquery()
        )
        resend = (
            update(Notice)
            .where(Notice.state == "unknown", Notice.channel == "email", Notice.purpose != "advertising")
            .where(Notice.created_at > func.now() - RESEND_WITHIN, unknown_attempts == 1)
            .values(state="queued", next_attempt_at=func.now(), expires_at=func.now() + RETRY_PERIOD)
            .returning(Notice.id)
            .execution_options(synchronize_session=False)
        )
        again = (await session.execute(resend)).all()
        if again:
            await wake_sender(session)
    return len(again)


async def poll(database: Database, route: SmsRoute, first_interval: float) -> None:
    """Ask what became of SMS; the interval doubles up to an hour, for two days."""
    for gateway in route.gateways:
        await _poll(database, route, gateway, first_interval)


async def _poll(database: Database, route: SmsRoute, gateway: str, first_interval: float) -> None:
    async with database.worker() as session:
        due = select(Notice.id, Notice.provider_id, Notice.recipient).where(
            Notice.gateway == gateway, Notice.poll_at <= func.now()
        )
        rows = (await session.execute(due.order_by(Notice.poll_at).limit(50))).all()
    for row in rows:
        try:
            status = await route.status(gateway, row.provider_id or str(row.id), row.recipient)
        except SmsUnavailable as error:
            log.warning("the SMS gateway does not answer", gateway=gateway, error=str(error))
            return
        async with database.worker() as session:
            await _apply_answer(session, row.id, row.provider_id, status, first_interval)


async def _apply_answer(
    session: AsyncSession, notice_id: UUID, provider_id: str | None, status: SmsStatus, first_interval: float
) -> None:
    """Apply the gateway's answer, unless the notice was sent anew meanwhile."""
    query = select(Notice, func.now().label("at")).where(Notice.id == notice_id, Notice.provider_id == provider_id)
    row = (await session.execute(query.with_for_update())).first()
    if row is None:
        return
    notice, at = row[0], row.at
    apply_status(notice, status.value, at)
    if notice.state in AWAITED:
        since = at - (notice.sent_at or notice.created_at)
        interval = min(max(since, timedelta(seconds=first_interval)), MAX_POLL_INTERVAL)
        notice.poll_at = at + interval if since < STOP_POLLING else None
