"""The list of calls to make (CALL-01…04, CALL-06, ORD-04, BILL-06)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.models import Call, Client, Duty
from shared.contracts.clients import CallGoal


def open_duties(
    *,
    goal: CallGoal | None,
    manager_id: UUID | None,
    office_id: UUID | None,
    client_id: UUID | None,
    overdue_at: datetime | None,
) -> Select[Duty, Client]:
    """Whoever did not consent to cold calls, or opted out, is not on the list (CALL-04)."""
    consented = or_(Duty.goal != "cold_call", Client.consents.contains(["calls"]))
    query = select(Duty, Client).join(Client, Client.client_id == Duty.client_id).where(Duty.open, consented)
    if goal is not None:
        query = query.where(Duty.goal == goal)
    if manager_id is not None:
        query = query.where(Client.manager_id == manager_id)
    if office_id is not None:
        query = query.where(Duty.office_id == office_id)
    if client_id is not None:
        query = query.where(Duty.client_id == client_id)
    if overdue_at is not None:
        query = query.where(Duty.due_at <= overdue_at)
    return query


async def attempts(session: AsyncSession, duties: list[Duty]) -> dict[UUID, tuple[int, Call]]:
    """Duty → how many calls served its goal since it was opened, and the last of them."""
    if not duties:
        return {}
    served = and_(
        Call.client_id == Duty.client_id, Call.goals.contains(array([Duty.goal])), Call.called_at >= Duty.opened_at
    )
    rows = await session.execute(
        select(Duty.id, Call)
        .join(Call, served)
        .where(Duty.id.in_([duty.id for duty in duties]))
        .order_by(Duty.id, Call.called_at)
    )
    found: dict[UUID, tuple[int, Call]] = {}
    for duty_id, call in rows:
        found[duty_id] = (found[duty_id][0] + 1 if duty_id in found else 1, call)
    return found
