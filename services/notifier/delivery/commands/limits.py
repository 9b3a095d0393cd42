"""Decide at the moment of sending whether a notice may go out now, whatever was true when it was queued.

Clauses: NTF-02; NTF-04, in part: consent and opt-out count at sending, nothing creates promotions.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from smpplib.exceptions import MessageTooLong
from smpplib.gsm import make_parts
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.commands.notices import queue_mail
from services.notifier.delivery.domain.delivery import QuietHours
from services.notifier.delivery.models.notices import Notice
from services.notifier.delivery.models.policy import DeliveryPolicy
from services.notifier.delivery.models.sms import SmsUsage, StoppedNumber
from services.notifier.delivery.queries.policy import current_policy
from services.notifier.metrics import SMS_LIMIT_REACHED
from services.notifier.people.models.projections import Client, Office, StaffMember
from services.notifier.people.queries import get_office
from shared.persistence.locks import lock_until_commit

log = structlog.get_logger(__name__)

NUMBER_LIMIT_PAUSE = timedelta(hours=1)


async def may_send(session: AsyncSession, notice: Notice, at: datetime) -> bool:
    """Check term, consent, stop word, quiet hours, country and limits; set aside or postpone what may not go."""
    if notice.expires_at <= at:
        mark_unsendable(notice, "expired", notice.last_answer or "Срок отправки истёк.")
        return False
    if notice.purpose == "advertising" and not await _wants_advertising(session, notice):
        return False
    if notice.channel != "sms":
        return True
    policy = await current_policy(session, at)
    if policy is None:
        return True
    if policy.only_russian_numbers and not notice.recipient.startswith("+7"):
        mark_unsendable(notice, "failed", "SMS отправляются только на номера +7.")
        return False
    if policy.quiet_hours and notice.purpose != "staff":  # The office's people get SMS in its working time.
        hours = QuietHours(time.fromisoformat(policy.quiet_from), time.fromisoformat(policy.quiet_until))
        until = hours.until(at, notice.time_zone)
        if until is not None:
            notice.next_attempt_at = until
            notice.last_answer = "Тихие часы получателя."
            return False
    return await _within_limits(session, notice, policy, at)


def mark_unsendable(notice: Notice, state: str, why: str) -> None:
    """End the notice in this state, with the reason in Russian."""
    notice.state, notice.last_answer = state, why


def sms_parts(body: str) -> int:
    """Return the number of SMS that operators charge for.  Raises smpplib's MessageTooLong."""
    return len(make_parts(body)[0])


async def _wants_advertising(session: AsyncSession, notice: Notice) -> bool:
    client = await session.get(Client, notice.client_id) if notice.client_id else None
    if client is None or not client.active or "advertising" not in client.consents:
        mark_unsendable(notice, "failed", "Нет согласия на рекламу.")
        return False
    if notice.channel == "sms" and await session.get(StoppedNumber, notice.recipient) is not None:
        mark_unsendable(notice, "failed", "Получатель отказался от рекламы («СТОП»).")
        return False
    return True


async def _within_limits(session: AsyncSession, notice: Notice, policy: DeliveryPolicy, at: datetime) -> bool:
    """Count the SMS against the limits, or postpone it.

    The limit of the number postpones it for an hour, that of the office until the office's next day.
    """
    try:
        parts = sms_parts(notice.text or "")
    except MessageTooLong:
        mark_unsendable(notice, "failed", "Текст слишком длинный для SMS.")
        return False
    await lock_until_commit(session, f"sms/{notice.recipient}")
    if policy.sms_number_limit is not None and await _recent_sms_count(session, notice, at) >= policy.sms_number_limit:
        notice.next_attempt_at = at + NUMBER_LIMIT_PAUSE
        notice.last_answer = "Суточный лимит SMS на этот номер."
        return False
    office = await get_office(session, notice.office_id)
    limit = policy.office_limit(notice.office_id)
    if not await _reserve_usage(session, office, parts, limit, at):
        tomorrow = at.astimezone(ZoneInfo(office.time_zone)).date() + timedelta(days=1)
        notice.next_attempt_at = datetime.combine(tomorrow, time(), tzinfo=ZoneInfo(office.time_zone))
        notice.last_answer = "Дневной лимит SMS офиса исчерпан."
        await _alert_head_office(session, office, limit or 0, at)
        return False
    notice.parts = parts
    return True


async def _recent_sms_count(session: AsyncSession, notice: Notice, at: datetime) -> int:
    """Return the number of SMS to the same number in the last 24 hours, those of unknown outcome included."""
    since = at - timedelta(hours=24)
    sent = or_(Notice.sent_at > since, and_(Notice.state.in_(("sending", "unknown")), Notice.created_at > since))
    query = select(func.count()).select_from(Notice).where(Notice.channel == "sms", sent, Notice.id != notice.id)
    # What was sent within a day was created within two: its term is a day.
    recent = Notice.created_at > since - timedelta(hours=24)
    return (await session.execute(query.where(Notice.recipient == notice.recipient, recent))).scalar_one()


def usage_day(office: Office, at: datetime) -> dict[str, object]:
    """Return the key of the office's use of SMS on the local day of `at`."""
    return {"office_id": office.office_id, "day": at.astimezone(ZoneInfo(office.time_zone)).date()}


async def _reserve_usage(session: AsyncSession, office: Office, parts: int, limit: int | None, at: datetime) -> bool:
    day = usage_day(office, at)
    await session.execute(insert(SmsUsage).values(**day, parts=0).on_conflict_do_nothing())
    counted = update(SmsUsage).filter_by(**day).values(parts=SmsUsage.parts + parts).returning(SmsUsage.parts)
    if limit is not None:
        counted = counted.where(SmsUsage.parts + parts <= limit)
    options = {"synchronize_session": False}
    return (await session.execute(counted, execution_options=options)).first() is not None


async def release_usage(session: AsyncSession, notice: Notice) -> None:
    """Take back what was counted for an SMS that was surely not sent."""
    if notice.channel != "sms" or not notice.parts or notice.sending_since is None:
        return
    day = usage_day(await get_office(session, notice.office_id), notice.sending_since)
    unused = update(SmsUsage).filter_by(**day).values(parts=func.greatest(SmsUsage.parts - notice.parts, 0))
    await session.execute(unused, execution_options={"synchronize_session": False})
    notice.parts = None


async def _alert_head_office(session: AsyncSession, office: Office, limit: int, at: datetime) -> None:
    """Count a metric and write to everybody in head office, once per office and day."""
    first = update(SmsUsage).filter_by(**usage_day(office, at)).where(SmsUsage.alarmed_at.is_(None))
    first_alert = first.values(alarmed_at=at).returning(SmsUsage.office_id)
    if (await session.execute(first_alert, execution_options={"synchronize_session": False})).first() is None:
        return
    SMS_LIMIT_REACHED.labels(str(office.office_id)).inc()
    log.warning("an office has used up its SMS of the day", office_id=str(office.office_id), limit=limit)
    people = select(StaffMember).where(StaffMember.role == "head_office", StaffMember.active)
    for person in (await session.execute(people.order_by(StaffMember.staff_id))).scalars().all():
        await queue_mail(
            session,
            "sms_limit",
            {"recipient": person.full_name, "limit": limit, "at": at, "zone": office.time_zone},
            office=office,
            to=person.email,
            to_name=person.full_name,
            purpose="staff",
            at=at,
        )
