"""Как и когда сотруднику сообщают о сроках: предпочтения, тишина, отсутствия и замещения."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.notifier.people.models.preferences import Absence, NotificationPreference
from services.notifier.people.models.projections import StaffMember
from services.notifier.people.schemas import AbsenceOut, EnterAbsence, Preferences, PreferencesOut, Snooze
from shared.base.clock import now
from shared.base.errors import Conflict, Forbidden, Invalid, NotFound
from shared.identity.roles import OFFICE_STAFF, SENIORS, STAFF, Role
from shared.persistence.database import new_id
from shared.runtime.audit import audit
from shared.web import (
    NO_IDEMPOTENCY_KEY,
    Caller,
    Page,
    PageRequest,
    Session,
    allow,
    paginate,
    service_router,
)

router = service_router("Кому и как сообщать")

MAX_ABSENCE = timedelta(days=366)


@router.get("/telling-preferences", dependencies=[allow(*STAFF)], summary="Мои предпочтения")
async def show_preferences(session: Session, caller: Caller) -> PreferencesOut:
    """Пока ничего не выбрано — как у всех."""
    found = await session.get(NotificationPreference, caller.id)
    if found is None:
        return PreferencesOut(warnings=True, digest_minutes=5, sms="none", snoozed_until=None)
    return PreferencesOut.model_validate(found)


@router.put("/telling-preferences", dependencies=[allow(*STAFF)], summary="Изменить мои предпочтения")
async def put_preferences(body: Preferences, session: Session, caller: Caller) -> PreferencesOut:
    """NTF-03. Письмо приходит в любом случае; SMS — на номер из карточки сотрудника, без номера её не включить."""
    person = await session.get(StaffMember, caller.id)
    if body.sms != "none" and (person is None or not person.phone):
        raise Invalid("В вашей карточке нет телефона.", field="body.sms")
    found = await _mine(session, caller.id)
    found.warnings, found.digest_minutes, found.sms = body.warnings, body.digest_minutes, body.sms
    await session.flush()
    return PreferencesOut.model_validate(found)


@router.post("/telling-preferences/snooze", dependencies=[allow(*STAFF), NO_IDEMPOTENCY_KEY], summary="Не беспокоить")
async def snooze(body: Snooze, session: Session, caller: Caller) -> PreferencesOut:
    """Письма придут одним, когда время выйдет; срочное приходит и сейчас."""
    found = await _mine(session, caller.id)
    found.snoozed_until = now() + timedelta(minutes=body.minutes) if body.minutes else None
    await session.flush()
    return PreferencesOut.model_validate(found)


async def _mine(session: Session, staff_id: UUID) -> NotificationPreference:
    fresh = insert(NotificationPreference).values(staff_id=staff_id, version=1).on_conflict_do_nothing()
    await session.execute(fresh)
    query = select(NotificationPreference).where(NotificationPreference.staff_id == staff_id).with_for_update()
    return (await session.execute(query)).scalars().one()


@router.post("/absences", status_code=201, dependencies=[allow(*OFFICE_STAFF)], summary="Записать отсутствие")
async def enter_absence(body: EnterAbsence, session: Session, caller: Caller) -> AbsenceOut:
    """Своё — каждый, чужое — старший менеджер или управляющий."""
    if body.staff_id != caller.id and caller.role not in SENIORS:
        raise Forbidden("Отсутствие другого сотрудника записывает его руководитель.")
    if not timedelta() < body.until - body.since <= MAX_ABSENCE:
        raise Invalid("Отсутствие кончается позже, чем начинается, и длится не больше года.", field="body.until")
    for field, staff_id in (("staff_id", body.staff_id), ("substitute_id", body.substitute_id)):
        person = await session.get(StaffMember, staff_id) if staff_id else None
        if staff_id and (person is None or not person.active or person.office_id != caller.office_id):
            raise Invalid("Такого сотрудника в офисе нет.", field=f"body.{field}")
    if body.substitute_id == body.staff_id:
        raise Invalid("Замещать самого себя нельзя.", field="body.substitute_id")
    overlapping = select(Absence.id).where(
        Absence.staff_id == body.staff_id, Absence.until > body.since, Absence.since < body.until
    )
    if (await session.execute(overlapping)).first() is not None:
        raise Conflict("На это время отсутствие уже записано.")
    row = Absence(id=new_id(), office_id=caller.office_id, entered_by=caller.id, created_at=now(), **body.model_dump())
    session.add(row)
    await audit(session, "absence.entered", subject=f"staff/{body.staff_id}", office_id=caller.office_id)
    await session.flush()
    return AbsenceOut.model_validate(row)


@router.get("/absences", dependencies=[allow(*STAFF)], summary="Отсутствия: нынешние и будущие")
async def list_absences(
    session: Session,
    caller: Caller,
    page: PageRequest,
    office_id: Annotated[UUID | None, Query(description="Для головного офиса")] = None,
) -> Page[AbsenceOut]:
    """Ближайшие к концу сверху."""
    office = caller.office_id if caller.role != Role.HEAD_OFFICE else office_id
    query = select(Absence).where(Absence.until > now())
    query = query.where(Absence.office_id == office) if office is not None else query
    rows, after = await paginate(session, query, page, key=(Absence.until, Absence.id))
    return Page(items=[AbsenceOut.model_validate(row) for row in rows], next=after.next)


@router.post("/absences/{absence_id}/end", dependencies=[allow(*OFFICE_STAFF)], summary="Вернулся раньше")
async def end_absence(absence_id: UUID, session: Session, caller: Caller) -> AbsenceOut:
    """Отсутствие кончается сейчас; прошедшее остаётся записанным."""
    query = select(Absence).where(Absence.id == absence_id).with_for_update()
    row = (await session.execute(query)).scalars().one_or_none()
    if row is None:
        raise NotFound("Такого отсутствия нет.")
    if row.staff_id != caller.id and caller.role not in SENIORS:
        raise Forbidden("Отсутствие другого сотрудника меняет его руководитель.")
    at = now()
    row.since, row.until = min(row.since, at), min(row.until, at)
    await session.flush()
    return AbsenceOut.model_validate(row)
