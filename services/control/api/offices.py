"""Offices, their calendars and VAT."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.control.commands import offices as commands
from services.control.models.offices import Office, OfficeCalendar
from services.control.queries.offices import calendar_list, find_office, office_list, shown_offices
from services.control.schemas.fields import PlannedDay
from services.control.schemas.offices import (
    CalendarIn,
    CalendarVersionOut,
    ChangeOffice,
    OfficeOut,
    OpenOffice,
    VatRateIn,
)
from shared.base.clock import now
from shared.identity.roles import STAFF, Role
from shared.web import (
    Caller,
    IfMatch,
    Page,
    PageRequest,
    SearchText,
    Session,
    allow,
    paginate,
    service_router,
    set_etag,
)

router = service_router("Офисы", prefix="/offices")


@router.post("", status_code=201, dependencies=[allow(Role.HEAD_OFFICE)], summary="Открыть офис")
async def open_office(body: OpenOffice, session: Session, caller: Caller, response: Response) -> OfficeOut:
    """ORG-01. Реквизиты проверяются по контрольным цифрам, оба счёта по ключу и БИК."""
    office = await commands.open_office(session, body, caller=caller, at=now())
    response.headers["Location"] = f"/api/control/offices/{office.office_id}"
    return await _answer(session, office, response)


@router.get("", dependencies=[allow(*STAFF)], summary="Офисы")
async def list_offices(
    session: Session,
    page: PageRequest,
    city: Annotated[SearchText | None, Query(description="Город целиком")] = None,
    active: Annotated[bool | None, Query(description="Только работающие или только закрытые")] = None,
) -> Page[OfficeOut]:
    """ORG-04. Головной офис видит все офисы, сотрудник только свой."""
    rows, after = await paginate(session, office_list(city, active), page, key=(Office.name, Office.office_id))
    return Page(items=await shown_offices(session, rows, at=now()), next=after.next)


@router.get("/{office_id}", dependencies=[allow(*STAFF)], summary="Офис")
async def read_office(office_id: UUID, session: Session, response: Response) -> OfficeOut:
    """ORG-01, ORG-03. Показывает и того, кто исполняет обязанности управляющего."""
    return await _answer(session, await find_office(session, office_id), response)


@router.patch("/{office_id}", dependencies=[allow(Role.HEAD_OFFICE)], summary="Изменить офис")
async def change_office(
    office_id: UUID, body: ChangeOffice, session: Session, caller: Caller, expected: IfMatch, response: Response
) -> OfficeOut:
    """ORG-01. Меняются только переданные поля; закрыть можно офис, в котором не осталось сотрудников."""
    office = await commands.change_office(session, office_id, body, expected=expected, caller=caller, at=now())
    return await _answer(session, office, response)


@router.put("/{office_id}/calendar", dependencies=[allow(Role.HEAD_OFFICE)], summary="Задать рабочее время")
async def replace_calendar(
    office_id: UUID, body: CalendarIn, session: Session, caller: Caller, expected: IfMatch, response: Response
) -> OfficeOut:
    """ORG-01. Календарь получает следующую версию; прежние сохраняются, по ним уже посчитаны сроки."""
    office = await commands.replace_calendar(session, office_id, body, expected=expected, caller=caller, at=now())
    return await _answer(session, office, response)


@router.get("/{office_id}/calendars", dependencies=[allow(*STAFF)], summary="Версии рабочего времени")
async def list_calendars(office_id: UUID, session: Session, page: PageRequest) -> Page[CalendarVersionOut]:
    """ORG-01. Последняя версия первая."""
    await find_office(session, office_id)
    rows, after = await paginate(session, calendar_list(office_id), page, key=(OfficeCalendar.version.desc(),))
    return Page(items=[CalendarVersionOut.model_validate(row) for row in rows], next=after.next)


@router.put(
    "/{office_id}/vat/{effective_from}", dependencies=[allow(Role.HEAD_OFFICE)], summary="Задать ставку НДС с даты"
)
async def set_vat(
    office_id: UUID,
    effective_from: PlannedDay,
    body: VatRateIn,
    session: Session,
    expected: IfMatch,
    response: Response,
) -> OfficeOut:
    """BILL-01. Счета печатаются со ставкой, действующей на дату счёта; выставленные счета не меняются."""
    office = await commands.set_vat(session, office_id, effective_from, body, expected=expected, at=now())
    return await _answer(session, office, response)


async def _answer(session: AsyncSession, office: Office, response: Response) -> OfficeOut:
    set_etag(response, office.version)
    [shown] = await shown_offices(session, [office], at=now())
    return shown
