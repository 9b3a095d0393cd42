"""What became of notices: receipts asked for and receipts told, letters whose sender died."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import and_, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.commands.notices import wake_sender
from services.notifier.delivery.models import SmsPart, SmsReceipt
from services.notifier.delivery.domain.delivery import combine_parts, state_after_receipt
from services.notifier.delivery.commands.limits import current_policy
from services.notifier.clock.models import Notice, NoticeAttempt
from services.notifier.settings import NotifierSettings
from services.notifier.delivery.sms.port import SmsStatus, SmsUnavailable
from services.notifier.delivery.sms.route import SmsRoute, build_route
from shared.persistence.database import Database
from shared.persistence.locks import lock_until_commit
from shared.runtime.service import ServiceContext

log = structlog.get_logger(__name__)

MAX_POLL_INTERVAL = timedelta(hours=1)
STOP_POLLING = timedelta(days=2)
AWAITED = ("sent", "unknown")

_RESEND_ONCE = text(
    "UPDATE notices SET state = 'queued', next_attempt_at = now(), expires_at = now() + interval '24 hours'"
    " WHERE state = 'unknown' AND channel = 'email' AND purpose <> 'advertising'"
    " AND created_at > now() - interval '2 days'"
    " AND (SELECT count(*) FROM notice_attempts a WHERE a.notice_id = notices.id AND a.outcome = 'unknown') = 1"
    " RETURNING id"
)


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
    """`sending` longer than the lease → `unknown`; returns how many.  An SMS is asked for where our id is known."""
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
    """Where the policy says so, a letter of unknown outcome goes out once more: its Message-ID tells the reader's
    program that the two are one.  SMS have no such thing, so they always wait for a person."""
    async with database.worker() as session:
        policy = await current_policy(session, (await session.execute(select(func.now()))).scalar_one())
        if policy is None or not policy.resend_unknown_mail:
            return 0
        again = (await session.execute(_RESEND_ONCE)).all()
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
    """Unless the notice was sent anew while the gateway was asked."""
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


def apply_status(notice: Notice, receipt: str, at: datetime) -> None:
    """Apply what was told; once the end is known nobody is asked any more."""
    state = state_after_receipt(notice.state, receipt)
    if state == notice.state:
        return
    notice.state = state
    notice.sent_at = notice.sent_at or at
    notice.delivered_at = at if state == "delivered" else None
    if state not in AWAITED:
        notice.poll_at = None


async def record_receipt(session: AsyncSession, gateway: str, provider_id: str, status: SmsStatus) -> None:
    """A gateway tells by itself what became of a message, or of a part of one: perhaps twice, perhaps before we know
    its id."""
    await lock_receipts(session, gateway, [provider_id])
    receipt = insert(SmsReceipt).values(gateway=gateway, provider_id=provider_id, status=status.value)
    keys = ["gateway", "provider_id", "status"]
    await session.execute(receipt.on_conflict_do_update(index_elements=keys, set_={"heard_at": func.now()}))
    part = await session.get(SmsPart, (gateway, provider_id))
    mine = Notice.id == part.notice_id if part is not None else Notice.provider_id == provider_id
    query = select(Notice, func.now().label("at")).where(Notice.gateway == gateway, mine)
    newest = query.order_by(Notice.created_at.desc()).limit(1)
    row = (await session.execute(newest.with_for_update())).first()
    if row is not None:
        await apply_receipts(session, row[0], row.at)


async def lock_receipts(session: AsyncSession, gateway: str, provider_ids: Iterable[str]) -> None:
    """A receipt and the answer to the sending, in transactions at the same time, would not see each other.

    Taken before the notice's own row, by everybody.
    """
    await lock_until_commit(session, *(f"receipt/{gateway}/{provider_id}" for provider_id in provider_ids))


async def record_part_ids(
    session: AsyncSession, notice: Notice, part_ids: Sequence[str], since: datetime | None
) -> None:
    """Of an SMS that has just been accepted, sent `since`.  Parts of an earlier sending no longer speak for it, nor do
    receipts of an earlier message: gateways begin to count anew one day."""
    ids = part_ids or [notice.provider_id or ""]
    reused = and_(SmsPart.gateway == notice.gateway, SmsPart.provider_id.in_(ids))
    await session.execute(delete(SmsPart).where(or_(SmsPart.notice_id == notice.id, reused)))
    of_others = delete(SmsReceipt).where(SmsReceipt.gateway == notice.gateway, SmsReceipt.provider_id.in_(ids))
    if since is not None:
        await session.execute(of_others.where(SmsReceipt.heard_at < since))
    if len(part_ids) > 1:
        rows = [{"gateway": notice.gateway, "provider_id": part, "notice_id": notice.id} for part in part_ids]
        await session.execute(insert(SmsPart).values(rows))


async def apply_receipts(session: AsyncSession, notice: Notice, at: datetime) -> None:
    """All that the gateway has told of the message and its parts, also before the answer to the sending."""
    parts = select(SmsPart.provider_id).where(SmsPart.gateway == notice.gateway, SmsPart.notice_id == notice.id)
    statuses: dict[str, list[str]] = {part: [] for part in (await session.execute(parts)).scalars()}
    statuses = statuses or {notice.provider_id or "": []}
    receipts = select(SmsReceipt.provider_id, SmsReceipt.status).where(
        SmsReceipt.gateway == notice.gateway, SmsReceipt.provider_id.in_(statuses)
    )
    for provider_id, status in (await session.execute(receipts)).all():
        statuses[provider_id].append(status)
    together = combine_parts(list(statuses.values()))
    if together is not None:
        apply_status(notice, together, at)
