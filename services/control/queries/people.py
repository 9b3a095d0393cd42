"""Read staff and penalty points."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.control.models.penalties import PenaltyEntry
from services.control.models.staff import Staff
from services.control.queries.statistics import midnight
from services.control.schemas.penalties import PenaltyOut
from services.control.schemas.staff import StaffOut
from shared.base.errors import NotFound
from shared.identity.roles import SENIORS, Principal, Role


async def find_staff(session: AsyncSession, staff_id: UUID) -> Staff:
    """Return an employee.  Raises NotFound, also for another office's caller."""
    staff = await session.scalar(select(Staff).where(Staff.id == staff_id))
    if staff is None:
        raise NotFound("Сотрудник не найден.")
    return staff


def shown_staff(staff: Staff) -> StaffOut:
    """Return an employee with the label of the role."""
    return StaffOut.model_validate(
        {
            **{name: getattr(staff, name) for name in StaffOut.model_fields if name != "role_label"},
            "role_label": Role(staff.role).label,
        }
    )


def staff_list(office_id: UUID | None, role: str | None, active: bool | None) -> Select[Staff]:
    """Return the staff that match every given filter."""
    query = select(Staff)
    if office_id is not None:
        query = query.where(Staff.office_id == office_id)
    if role is not None:
        query = query.where(Staff.role == role)
    if active is not None:
        query = query.where(Staff.active == active)
    return query


def penalty_list(
    caller: Principal, office_id: UUID | None, staff_id: UUID | None, first_day: date | None, last_day: date | None
) -> Select[PenaltyEntry]:
    """Return penalty points: managers see their own, seniors their office's, head office all (HR-03, ORG-04)."""
    query = select(PenaltyEntry)
    if caller.role not in (*SENIORS, Role.HEAD_OFFICE):
        query = query.where(PenaltyEntry.staff_id == caller.id)
    if office_id is not None:
        query = query.where(PenaltyEntry.office_id == office_id)
    if staff_id is not None:
        query = query.where(PenaltyEntry.staff_id == staff_id)
    if first_day is not None:
        query = query.where(PenaltyEntry.imposed_at >= midnight(first_day))
    if last_day is not None:
        query = query.where(PenaltyEntry.imposed_at < midnight(last_day + timedelta(days=1)))
    return query


async def shown_penalties(session: AsyncSession, entries: Sequence[PenaltyEntry]) -> list[PenaltyOut]:
    """Return penalty points with the names of staff."""
    staff_ids = {entry.staff_id for entry in entries if entry.staff_id}
    rows = await session.execute(select(Staff.id, Staff.full_name).where(Staff.id.in_(staff_ids)))
    names = {row.id: row.full_name for row in rows}
    return [
        PenaltyOut.model_validate(
            {
                **{name: getattr(entry, name) for name in PenaltyOut.model_fields if name != "staff_name"},
                "staff_name": names.get(entry.staff_id),
            }
        )
        for entry in entries
    ]
