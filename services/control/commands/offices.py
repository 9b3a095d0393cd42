"""Open and change offices, their calendars and VAT (ORG-01)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.control.domain.staffing import OfficeClosed
from services.control.domain.vat import with_setting
from services.control.models.offices import Office, OfficeCalendar
from services.control.models.staff import Staff
from services.control.schemas.offices import CalendarIn, ChangeOffice, OpenOffice, VatRateIn
from shared.base.errors import BusinessError, Invalid, NotFound
from shared.contracts.control import VatSetting
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.runtime.audit import audit
from shared.vocabulary.worktime import WorkingCalendar
from shared.web import check_version


class OfficeHasStaff(BusinessError):
    """An office with active employees cannot be closed."""

    code = "office-has-staff"
    title = "В офисе есть сотрудники"


async def open_office(session: AsyncSession, body: OpenOffice, *, caller: Principal, at: datetime) -> Office:
    """Open an office with its requisites, VAT and calendar."""
    _check_zone(body.calendar, body.time_zone)
    calendar = body.calendar.as_contract(body.time_zone, version=1)
    vat = sorted((setting.as_contract() for setting in body.vat), key=lambda setting: setting.effective_from)
    office = Office(
        office_id=new_id(),
        name=body.name,
        city=body.city,
        address=body.address,
        time_zone=body.time_zone,
        phones=body.phones,
        email=body.email,
        requisites=body.requisites.as_contract().model_dump(mode="json"),
        bank_accounts=[account.as_contract().model_dump(mode="json") for account in body.bank_accounts],
        vat=[setting.model_dump(mode="json") for setting in vat],
        calendar=calendar.model_dump(mode="json"),
        courier_delivery=body.courier_delivery,
        active=True,
        opened_at=at,
        changed_at=at,
    )
    session.add(office)
    await session.flush()
    _keep_version(session, office, calendar, caller, at)
    await publish(session, office.changed())
    await audit(session, "office.opened", subject=f"office/{office.office_id}", office_id=office.office_id)
    return office


async def change_office(
    session: AsyncSession, office_id: UUID, body: ChangeOffice, *, expected: int, caller: Principal, at: datetime
) -> Office:
    """Change the given fields; a new zone gives the calendar its next version.

    Raises NotFound, PreconditionFailed, OfficeHasStaff when an office with staff is closed.
    """
    office = await locked_office(session, office_id)
    check_version(office.version, expected)
    changes = body.model_dump(mode="json", exclude_none=True)
    if changes.get("active") is False and await _has_staff(session, office_id):
        raise OfficeHasStaff("Переведите или увольте сотрудников, затем закройте офис.")
    for name, value in changes.items():
        setattr(office, name, value)
    office.changed_at = at
    if office.working_calendar.time_zone != office.time_zone:
        calendar = office.working_calendar
        moved = calendar.model_copy(update={"time_zone": office.time_zone, "version": calendar.version + 1})
        office.calendar = moved.model_dump(mode="json")
        _keep_version(session, office, moved, caller, at)
    await session.flush()
    await publish(session, office.changed())
    await audit(
        session,
        "office.changed",
        subject=f"office/{office_id}",
        office_id=office_id,
        details={"fields": sorted(changes)},
    )
    return office


async def replace_calendar(
    session: AsyncSession, office_id: UUID, body: CalendarIn, *, expected: int, caller: Principal, at: datetime
) -> Office:
    """Give the office its next calendar version.  Raises NotFound, PreconditionFailed, Invalid."""
    office = await locked_office(session, office_id)
    check_version(office.version, expected)
    _check_zone(body, office.time_zone)
    calendar = body.as_contract(office.time_zone, office.working_calendar.version + 1)
    office.calendar = calendar.model_dump(mode="json")
    office.changed_at = at
    _keep_version(session, office, calendar, caller, at)
    await session.flush()
    await publish(session, office.changed())
    await audit(
        session,
        "office.calendar_replaced",
        subject=f"office/{office_id}",
        office_id=office_id,
        details={"calendar_version": calendar.version},
    )
    return office


async def set_vat(
    session: AsyncSession, office_id: UUID, effective_from: date, body: VatRateIn, *, expected: int, at: datetime
) -> Office:
    """Set the VAT rate from a date on, replacing what was set for that date.  Raises NotFound, PreconditionFailed."""
    office = await locked_office(session, office_id)
    check_version(office.version, expected)
    setting = VatSetting(effective_from=effective_from, rate_percent=body.rate_percent)
    office.vat = [kept.model_dump(mode="json") for kept in with_setting(office.vat_settings, setting)]
    office.changed_at = at
    await session.flush()
    await publish(session, office.changed())
    await audit(
        session,
        "office.vat_set",
        subject=f"office/{office_id}",
        office_id=office_id,
        details=setting.model_dump(mode="json"),
    )
    return office


async def locked_office(session: AsyncSession, office_id: UUID) -> Office:
    """Return an office with its row locked.  Raises NotFound, also for another office's caller."""
    office = await session.scalar(select(Office).where(Office.office_id == office_id).with_for_update())
    if office is None:
        raise NotFound("Офис не найден.")
    return office


async def working_office(session: AsyncSession, office_id: UUID) -> Office:
    """Return the office that an employee joins, locked so that its staffing rules hold.

    Raises Invalid for an unknown one (it was named in a body), OfficeClosed.
    """
    office = await session.scalar(select(Office).where(Office.office_id == office_id).with_for_update())
    if office is None:
        raise Invalid("Такого офиса нет.", field="office_id")
    if not office.active:
        raise OfficeClosed(f"Офис «{office.name}» закрыт, сотрудников в него не принимают.")
    return office


async def _has_staff(session: AsyncSession, office_id: UUID) -> bool:
    count = await session.scalar(
        select(func.count()).select_from(Staff).where(Staff.office_id == office_id, Staff.active)
    )
    return bool(count)


def _check_zone(calendar: CalendarIn, time_zone: str) -> None:
    if calendar.time_zone not in (None, time_zone):
        raise Invalid("Часовой пояс календаря не совпадает с поясом офиса.", field="calendar.time_zone")


def _keep_version(
    session: AsyncSession, office: Office, calendar: WorkingCalendar, caller: Principal, at: datetime
) -> None:
    session.add(
        OfficeCalendar(
            office_id=office.office_id,
            version=calendar.version,
            calendar=calendar.model_dump(mode="json"),
            set_by=caller.id,
            set_at=at,
        )
    )
