"""Read offices, people, clients and calendars as the other services last published them."""

from collections import OrderedDict
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.people.models.preferences import Absence, NotificationPreference
from services.notifier.people.models.projections import Calendar, Client, Office, StaffMember
from shared.base.errors import DependencyNotReady
from shared.vocabulary.worktime import WorkingCalendar

MAX_CACHED_CALENDARS = 2_000
_calendars: OrderedDict[str, WorkingCalendar] = OrderedDict()


async def staff_names(session: AsyncSession, ids: set[UUID]) -> dict[str, str]:
    """Return the people's names by id as text."""
    query = select(StaffMember.staff_id, StaffMember.full_name).where(StaffMember.staff_id.in_(ids))
    return {str(row.staff_id): row.full_name for row in (await session.execute(query)).all()}


async def office_names(session: AsyncSession, ids: set[UUID]) -> dict[UUID, str]:
    """Return the offices' names by id."""
    query = select(Office.office_id, Office.name).where(Office.office_id.in_(ids))
    return {row.office_id: row.name for row in (await session.execute(query)).all()}


async def get_office(session: AsyncSession, office_id: UUID) -> Office:
    """Return the office.  Raises DependencyNotReady."""
    office = await session.get(Office, office_id)
    if office is None:
        raise DependencyNotReady(f"office {office_id} is not known yet")
    return office


async def get_client(session: AsyncSession, client_id: UUID) -> Client:
    """Return the client.  Raises DependencyNotReady."""
    client = await session.get(Client, client_id)
    if client is None:
        raise DependencyNotReady(f"client {client_id} is not known yet")
    return client


async def find_preference(session: AsyncSession, staff_id: UUID) -> NotificationPreference | None:
    """Return how the person wants to be notified; None where nothing was chosen."""
    return await session.get(NotificationPreference, staff_id)


def absences(*, office_id: UUID | None, at: datetime) -> Select[Absence]:
    """Select the absences that have not ended by `at`, of one office or of all."""
    query = select(Absence).where(Absence.until > at)
    return query.where(Absence.office_id == office_id) if office_id is not None else query


async def load_calendar(session: AsyncSession, digest: str) -> WorkingCalendar:
    """Return a calendar by its content, from memory if possible: the same digest is always the same calendar."""
    found = _calendars.get(digest)
    if found is None:
        body = (await session.execute(select(Calendar.body).where(Calendar.digest == digest))).scalar_one()
        found = _calendars[digest] = WorkingCalendar.model_validate(body)
        while len(_calendars) > MAX_CACHED_CALENDARS:
            _calendars.popitem(last=False)
    else:
        _calendars.move_to_end(digest)
    return found
