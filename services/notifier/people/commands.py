"""Change how people are notified of deadlines, and when they are away (NTF-03)."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.people.models.preferences import Absence, NotificationPreference
from services.notifier.people.models.projections import StaffMember
from shared.base.errors import Conflict, Forbidden, Invalid, NotFound
from shared.identity.roles import SENIORS, Principal
from shared.persistence.database import new_id
from shared.runtime.audit import audit

MAX_ABSENCE = timedelta(days=366)


async def set_preferences(
    session: AsyncSession, staff_id: UUID, *, warnings: bool, digest_minutes: int, sms: str
) -> NotificationPreference:
    """Store a person's preferences.  Raises Invalid for SMS without a phone on the person's card."""
    person = await session.get(StaffMember, staff_id)
    if sms != "none" and (person is None or not person.phone):
        raise Invalid("В вашей карточке нет телефона.", field="body.sms")
    preference = await _lock_preference(session, staff_id)
    preference.warnings, preference.digest_minutes, preference.sms = warnings, digest_minutes, sms
    await session.flush()
    return preference


async def snooze(session: AsyncSession, staff_id: UUID, *, until: datetime | None) -> NotificationPreference:
    """Hold back what is not urgent until then; None ends the silence."""
    preference = await _lock_preference(session, staff_id)
    preference.snoozed_until = until
    await session.flush()
    return preference


async def _lock_preference(session: AsyncSession, staff_id: UUID) -> NotificationPreference:
    fresh = insert(NotificationPreference).values(staff_id=staff_id, version=1).on_conflict_do_nothing()
    await session.execute(fresh)
    query = select(NotificationPreference).where(NotificationPreference.staff_id == staff_id).with_for_update()
    return (await session.execute(query)).scalars().one()


async def enter_absence(
    session: AsyncSession,
    staff_id: UUID,
    substitute_id: UUID | None,
    *,
    since: datetime,
    until: datetime,
    caller: Principal,
    at: datetime,
) -> Absence:
    """Enter one's own absence, or as a senior that of a colleague of the office.

    Raises Forbidden, Invalid for a wrong period or person, Conflict where the person is away by then already.
    """
    if staff_id != caller.id and caller.role not in SENIORS:
        raise Forbidden("Отсутствие другого сотрудника записывает его руководитель.")
    if not timedelta() < until - since <= MAX_ABSENCE:
        raise Invalid("Отсутствие кончается позже, чем начинается, и длится не больше года.", field="body.until")
    for field, person_id in (("staff_id", staff_id), ("substitute_id", substitute_id)):
        person = await session.get(StaffMember, person_id) if person_id else None
        if person_id and (person is None or not person.active or person.office_id != caller.office_id):
            raise Invalid("Такого сотрудника в офисе нет.", field=f"body.{field}")
    if substitute_id == staff_id:
        raise Invalid("Замещать самого себя нельзя.", field="body.substitute_id")
    overlapping = select(Absence.id).where(Absence.staff_id == staff_id, Absence.until > since, Absence.since < until)
    if (await session.execute(overlapping)).first() is not None:
        raise Conflict("На это время отсутствие уже записано.")
    row = Absence(
        id=new_id(),
        office_id=caller.office_id,
        staff_id=staff_id,
        substitute_id=substitute_id,
        since=since,
        until=until,
        entered_by=caller.id,
        created_at=at,
    )
    session.add(row)
    await audit(session, "absence.entered", subject=f"staff/{staff_id}", office_id=caller.office_id)
    await session.flush()
    return row


async def end_absence(session: AsyncSession, absence_id: UUID, *, caller: Principal, at: datetime) -> Absence:
    """End the absence at `at`; what is past stays on record.  Raises NotFound, Forbidden."""
    query = select(Absence).where(Absence.id == absence_id).with_for_update()
    row = (await session.execute(query)).scalars().one_or_none()
    if row is None:
        raise NotFound("Такого отсутствия нет.")
    if row.staff_id != caller.id and caller.role not in SENIORS:
        raise Forbidden("Отсутствие другого сотрудника меняет его руководитель.")
    row.since, row.until = min(row.since, at), min(row.until, at)
    await session.flush()
    return row
