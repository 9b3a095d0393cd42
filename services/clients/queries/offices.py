"""Read the projection of offices."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.models import Office


def open_offices() -> Select[Office]:
    """Return the offices that a visitor may register in."""
    return select(Office).where(Office.active)


async def offices_by_id(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, Office]:
    """Return the known ones of the offices, by id."""
    offices = await session.scalars(select(Office).where(Office.id.in_(set(ids))))
    return {office.id: office for office in offices}
