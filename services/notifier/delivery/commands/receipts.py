"""Apply receipts: what gateways report about SMS, asked or by themselves."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.domain.delivery import combine_parts, state_after_receipt
from services.notifier.delivery.models.notices import Notice
from services.notifier.delivery.models.sms import SmsPart, SmsReceipt
from services.notifier.delivery.sms.port import SmsStatus
from shared.persistence.locks import lock_until_commit

AWAITED = ("sent", "unknown")


def apply_status(notice: Notice, receipt: str, at: datetime) -> None:
    """Apply a receipt's status; once the end is known the gateway is not asked any more."""
    state = state_after_receipt(notice.state, receipt)
    if state == notice.state:
        return
    notice.state = state
    notice.sent_at = notice.sent_at or at
    notice.delivered_at = at if state == "delivered" else None
    if state not in AWAITED:
        notice.poll_at = None


async def record_receipt(session: AsyncSession, gateway: str, provider_id: str, status: SmsStatus) -> None:
    """Record what a gateway reports by itself about a message or a part of one.

    A report may come twice, or before the answer to the sending with the id.
    """
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
    """Serialize receipts with the answer to the sending: in parallel transactions they would not see each other.

    Always taken before the lock of the notice's own row.
    """
    await lock_until_commit(session, *(f"receipt/{gateway}/{provider_id}" for provider_id in provider_ids))


async def record_part_ids(
    session: AsyncSession, notice: Notice, part_ids: Sequence[str], since: datetime | None
) -> None:
    """Record the parts' ids of an SMS that has just been accepted and was sent at `since`.

    Parts of an earlier sending no longer count for it, nor do receipts of an earlier message: gateways reuse ids.
    """
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
    """Apply all receipts of the message and its parts, also those from before the answer to the sending."""
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
