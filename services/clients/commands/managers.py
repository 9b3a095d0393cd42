"""CL-10: every client has a responsible manager."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.models import StaffMember
from shared.errors import Invalid
from shared.identity.roles import Role

ORDER_OF_ROLES = case((StaffMember.role == Role.MANAGER, 0), (StaffMember.role == Role.SENIOR_MANAGER, 1), else_=2)
"""A senior serves clients only while the office has no manager."""


async def next_manager(session: AsyncSession, office_id: UUID, *, at: datetime) -> UUID | None:
    """Managers get clients in turn; None while the office has nobody."""
    turn = (
        select(StaffMember.id)
        .where(
            StaffMember.office_id == office_id,
            StaffMember.active,
            StaffMember.role.in_([Role.MANAGER, Role.SENIOR_MANAGER, Role.DIRECTOR]),
        )
        .order_by(ORDER_OF_ROLES, StaffMember.client_assigned_at.nulls_first(), StaffMember.id)
        .limit(1)
    )
    manager_id = await session.scalar(turn)
    if manager_id is not None:
        await session.execute(
            update(StaffMember).where(StaffMember.id == manager_id).values(client_assigned_at=at),
            execution_options={"synchronize_session": False},
        )
    return manager_id


async def check_manager(session: AsyncSession, office_id: UUID, manager_id: UUID) -> None:
    """Raises Invalid unless this is an active employee of the office."""
    manager = await session.get(StaffMember, manager_id)
    if manager is None or not manager.active or manager.office_id != office_id:
        raise Invalid("Менеджер не найден среди работающих сотрудников этого офиса.", field="manager_id")
