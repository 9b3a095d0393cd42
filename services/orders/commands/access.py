"""Who may do what within an office (ORG-02, ORG-03, K7)."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.models import Client, Staff
from shared.base.errors import Conflict, Forbidden, NotFound
from shared.identity.roles import SENIORS, Principal, Role


async def client_of(session: AsyncSession, client_id: UUID, *, active: bool = True) -> Client:
    """Return a client of the caller's scope.  Raises NotFound, Conflict for a disabled one."""
    client = await session.scalar(select(Client).where(Client.client_id == client_id))
    if client is None:
        raise NotFound("Клиент не найден.")
    if active and not client.active:
        raise Conflict("Учётная запись клиента отключена.")
    return client


def ensure_may_override(caller: Principal, reason: str | None) -> bool:
    """Return whether a senior overrides a rule with a reason (ORD-12, K13).  Raises Forbidden for other roles."""
    if reason is None:
        return False
    if caller.role not in SENIORS:
        raise Forbidden("Обойти правило может старший менеджер или управляющий, с указанием причины.")
    return True


async def acts_as_director(session: AsyncSession, caller: Principal, office_id: UUID) -> bool:
    """Return whether the caller decides as director of the office.

    In an office without a director the senior manager does (ORG-03, K7).
    """
    if caller.role in (Role.DIRECTOR, Role.HEAD_OFFICE):
        return True
    if caller.role is not Role.SENIOR_MANAGER:
        return False
    director = await session.scalar(
        select(Staff.staff_id)
        .where(Staff.office_id == office_id, Staff.role == Role.DIRECTOR.value, Staff.active)
        .limit(1)
    )
    return director is None
