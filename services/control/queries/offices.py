"""Read offices with their staff, and the figures of the regulations."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.control.domain.policy import POLICIES, PolicyCode, value_on
from services.control.domain.staffing import Member, acting_director
from services.control.domain.vat import vat_label, vat_on
from services.control.models.offices import Office, OfficeCalendar
from services.control.models.penalties import Policy
from services.control.models.staff import Staff
from services.control.schemas.offices import OfficeOut
from services.control.schemas.penalties import PolicyOut, PolicyValueOut
from shared.base.errors import NotFound
from shared.identity.roles import Role


def office_list(city: str | None, active: bool | None) -> Select[Office]:
    """Return the offices of a city, or those that work, or all that the caller may see."""
    query = select(Office)
    if city is not None:
        query = query.where(Office.city == city)
    if active is not None:
        query = query.where(Office.active == active)
    return query


def calendar_list(office_id: UUID) -> Select[OfficeCalendar]:
    """Return all versions of an office's calendar."""
    return select(OfficeCalendar).where(OfficeCalendar.office_id == office_id)


async def office_name(session: AsyncSession, office_id: UUID | None) -> str | None:
    """Return the name of an office; None without an office."""
    if office_id is None:
        return None
    return await session.scalar(select(Office.name).where(Office.office_id == office_id))


async def find_office(session: AsyncSession, office_id: UUID) -> Office:
    """Return an office.  Raises NotFound, also for another office's caller."""
    office = await session.scalar(select(Office).where(Office.office_id == office_id))
    if office is None:
        raise NotFound("Офис не найден.")
    return office


async def members_by_office(session: AsyncSession, office_ids: Sequence[UUID]) -> dict[UUID, list[Member]]:
    """Return the active staff of the offices."""
    rows = await session.execute(
        select(Staff.office_id, Staff.id, Staff.role, Staff.hired_at).where(
            Staff.office_id.in_(office_ids), Staff.active
        )
    )
    members: dict[UUID, list[Member]] = defaultdict(list)
    for office_id, staff_id, role, hired_at in rows:
        assert office_id is not None, "IN selects no NULL"
        members[office_id].append(Member(staff_id, Role(role), hired_at))
    return members


async def shown_offices(session: AsyncSession, offices: Sequence[Office], *, at: datetime) -> list[OfficeOut]:
    """Return offices as their route shows them, with the acting director and today's VAT."""
    members = await members_by_office(session, [office.office_id for office in offices])
    return [_shown(office, members.get(office.office_id, []), at) for office in offices]


def _shown(office: Office, members: list[Member], at: datetime) -> OfficeOut:
    director = acting_director(members)
    state = office.changed()
    return OfficeOut(
        id=office.office_id,
        name=office.name,
        city=office.city,
        address=office.address,
        time_zone=office.time_zone,
        phones=office.phones,
        email=office.email,
        requisites=state.requisites,
        bank_accounts=state.bank_accounts,
        vat=state.vat,
        vat_today_label=vat_label(vat_on(state.vat, at.astimezone(ZoneInfo(office.time_zone)).date())),
        calendar=state.calendar,
        courier_delivery=office.courier_delivery,
        active=office.active,
        acting_director_id=director.id if director else None,
        acting_director_role_label=director.role.label if director else None,
        opened_at=office.opened_at,
        changed_at=office.changed_at,
        version=office.version,
    )


async def policies(session: AsyncSession, today: date) -> list[PolicyOut]:
    """Return every figure with its history, the newest date first."""
    rows = (await session.scalars(select(Policy).order_by(Policy.code, Policy.effective_from.desc()))).all()
    values = [row.as_value for row in rows]
    return [
        PolicyOut(
            code=code,
            title=definition.title,
            clause=definition.clause,
            unit=definition.unit,
            default=definition.default,
            current=value_on(code, values, today),
            values=[PolicyValueOut.model_validate(row) for row in rows if PolicyCode(row.code) == code],
        )
        for code, definition in POLICIES.items()
    ]
