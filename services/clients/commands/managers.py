"""CL-10: every client has a responsible manager."""

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
"""Each of them is an event; whoever has more is asked again."""

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


async def check_managers(session: AsyncSession, office_id: UUID, *manager_ids: UUID, field: str = "manager_id") -> None:
    """Raises Invalid unless all of them are active employees of the office."""
    working = select(StaffMember.id).where(StaffMember.office_id == office_id, StaffMember.active)
    found = set(await session.scalars(working.where(StaffMember.id.in_(manager_ids))))
    if not found.issuperset(manager_ids):
        raise Invalid("Менеджер не найден среди работающих сотрудников этого офиса.", field=field)


async def hand_over(
    session: AsyncSession, office_id: UUID, former: UUID, successors: Sequence[UUID], *, at: datetime
) -> int:
    """The clients of whoever left or is overburdened go to colleagues, to each in turn (CL-10).

    Returns how many, at most HANDED_OVER_AT_ONCE.  Raises Invalid for a successor who does not work in this office.
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
    turn = func.row_number().over(order_by=theirs.c.client_id) % len(successors)
    turns = select(theirs.c.client_id, (turn + 1).label("number")).cte("turns")
    heirs = func.unnest(cast(successors, ARRAY(Uuid())))
    heir = heirs.table_valued("id", with_ordinality="number").render_derived("heir")
    handed_over = await session.scalars(
        update(Client)
        .where(Client.client_id == turns.c.client_id, heir.c.number == turns.c.number)
        .values(manager_id=heir.c.id, version=Client.version + 1)
        .returning(Client),
        execution_options={"synchronize_session": False},
    )
    clients = handed_over.all()
    await publish(session, *(client.changed(at) for client in clients))
    details = {"to": [str(successor) for successor in successors], "clients": len(clients)}
    await audit(session, "clients.handed_over", subject=f"staff/{former}", office_id=office_id, details=details)
    return len(clients)
