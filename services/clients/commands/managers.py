"""Assign the responsible manager of each client (CL-10)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, case, cast, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.models import Client, StaffMember
from shared.base.errors import Invalid
from shared.identity.roles import Role
from shared.messaging.outbox import publish
from shared.runtime.audit import audit

HANDED_OVER_AT_ONCE = 2_000
"""Clients of one request: each of them is an event."""

ORDER_OF_ROLES = case((StaffMember.role == Role.MANAGER, 0), (StaffMember.role == Role.SENIOR_MANAGER, 1), else_=2)
"""A senior manager serves clients only while the office has no manager."""


async def next_manager(session: AsyncSession, office_id: UUID, *, at: datetime) -> UUID | None:
    """Return the manager who got a client longest ago; None while the office has no staff."""
    next_in_line = (
        select(StaffMember.id)
        .where(
            StaffMember.office_id == office_id,
            StaffMember.active,
            StaffMember.role.in_([Role.MANAGER, Role.SENIOR_MANAGER, Role.DIRECTOR]),
        )
        .order_by(ORDER_OF_ROLES, StaffMember.client_assigned_at.nulls_first(), StaffMember.id)
        .limit(1)
    )
    manager_id = await session.scalar(next_in_line)
    if manager_id is not None:
        await session.execute(
            update(StaffMember).where(StaffMember.id == manager_id).values(client_assigned_at=at),
            execution_options={"synchronize_session": False},
        )
    return manager_id


async def check_managers(session: AsyncSession, office_id: UUID, *manager_ids: UUID, field: str = "manager_id") -> None:
    """Verify that all are active employees of the office.  Raises Invalid."""
    working = select(StaffMember.id).where(StaffMember.office_id == office_id, StaffMember.active)
    found = set(await session.scalars(working.where(StaffMember.id.in_(manager_ids))))
    if not found.issuperset(manager_ids):
        raise Invalid("Менеджер не найден среди работающих сотрудников этого офиса.", field=field)


async def hand_over(
    session: AsyncSession, office_id: UUID, former: UUID, successors: Sequence[UUID], *, at: datetime
) -> int:
    """Divide the clients of one manager evenly among successors (CL-10).

    Return how many, at most HANDED_OVER_AT_ONCE.  Raises Invalid for a successor who does not work in this office.
    """
    successors = list(dict.fromkeys(successors))
    await check_managers(session, office_id, *successors, field="to")
    if former in successors:
        raise Invalid("Менеджер не передаёт клиентов самому себе.", field="to")
    theirs = (
        select(Client.client_id)
        .where(Client.office_id == office_id, Client.manager_id == former)
        .order_by(Client.client_id)
        .limit(HANDED_OVER_AT_ONCE)
        .with_for_update()
        .cte("theirs")
    )
    place = func.row_number().over(order_by=theirs.c.client_id) % len(successors)
    places = select(theirs.c.client_id, (place + 1).label("number")).cte("places")
    receivers = func.unnest(cast(successors, ARRAY(Uuid())))
    receiver = receivers.table_valued("id", with_ordinality="number").render_derived("receiver")
    handed_over = await session.scalars(
        update(Client)
        .where(Client.client_id == places.c.client_id, receiver.c.number == places.c.number)
        .values(manager_id=receiver.c.id, version=Client.version + 1)
        .returning(Client),
        execution_options={"synchronize_session": False},
    )
    clients = handed_over.all()
    await publish(session, *(client.changed(at) for client in clients))
    details = {"to": [str(successor) for successor in successors], "clients": len(clients)}
    await audit(session, "clients.handed_over", subject=f"staff/{former}", office_id=office_id, details=details)
    return len(clients)
