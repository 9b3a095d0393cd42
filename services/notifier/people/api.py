"""Как и когда сотруднику сообщают о сроках: предпочтения, тишина, отсутствия и замещения."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.notifier.people import commands, queries
from services.notifier.people.models.preferences import Absence
from services.notifier.people.schemas import AbsenceOut, EnterAbsence, Preferences, PreferencesOut, Snooze
from shared.base.clock import now
from shared.identity.roles import OFFICE_STAFF, STAFF, Role
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


@router.get("/telling-preferences", dependencies=[allow(*STAFF)], summary="Мои предпочтения")
async def show_preferences(session: Session, caller: Caller) -> PreferencesOut:
    """Пока ничего не выбрано — как у всех."""
    found = await queries.find_preference(session, caller.id)
    if found is None:
        return PreferencesOut(warnings=True, digest_minutes=5, sms="none", snoozed_until=None)
    return PreferencesOut.model_validate(found)


@router.put("/telling-preferences", dependencies=[allow(*STAFF)], summary="Изменить мои предпочтения")
async def put_preferences(body: Preferences, session: Session, caller: Caller) -> PreferencesOut:
    """NTF-03. Письмо приходит в любом случае; SMS — на номер из карточки сотрудника, без номера её не включить."""
    found = await commands.set_preferences(session, caller.id, **body.model_dump())
    return PreferencesOut.model_validate(found)


@router.post("/telling-preferences/snooze", dependencies=[allow(*STAFF), NO_IDEMPOTENCY_KEY], summary="Не беспокоить")
async def snooze(body: Snooze, session: Session, caller: Caller) -> PreferencesOut:
    """Письма придут одним, когда время выйдет; срочное приходит и сейчас."""
    until = now() + timedelta(minutes=body.minutes) if body.minutes else None
    return PreferencesOut.model_validate(await commands.snooze(session, caller.id, until=until))


@router.post("/absences", status_code=201, dependencies=[allow(*OFFICE_STAFF)], summary="Записать отсутствие")
async def enter_absence(body: EnterAbsence, session: Session, caller: Caller) -> AbsenceOut:
    """Своё — каждый, чужое — старший менеджер или управляющий."""
    row = await commands.enter_absence(session, **body.model_dump(), caller=caller, at=now())
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
    query = queries.absences(office_id=office, at=now())
    rows, after = await paginate(session, query, page, key=(Absence.until, Absence.id))
    return Page(items=[AbsenceOut.model_validate(row) for row in rows], next=after.next)


@router.post("/absences/{absence_id}/end", dependencies=[allow(*OFFICE_STAFF)], summary="Вернулся раньше")
async def end_absence(absence_id: UUID, session: Session, caller: Caller) -> AbsenceOut:
    """Отсутствие кончается сейчас; прошедшее остаётся записанным."""
    row = await commands.end_absence(session, absence_id, caller=caller, at=now())
    return AbsenceOut.model_validate(row)
