"""Read the list of calls to make."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.models import Call, Client, ObligationProjection
from shared.contracts.clients import CallGoal


def open_obligations(
    *,
    goal: CallGoal | None,
    manager_id: UUID | None,
    office_id: UUID | None,
    client_id: UUID | None,
    overdue_at: datetime | None,
) -> Select[ObligationProjection, Client]:
    """Return the open obligations to call, with their clients.

    A client without consent to cold calls is not called cold (CALL-04).
    """
    consented = or_(ObligationProjection.goal != "cold_call", Client.consents.contains(["calls"]))
    query = (
        select(ObligationProjection, Client)
        .join(Client, Client.client_id == ObligationProjection.client_id)
        .where(ObligationProjection.open, consented)
    )
    if goal is not None:
        query = query.where(ObligationProjection.goal == goal)
    if manager_id is not None:
        query = query.where(Client.manager_id == manager_id)
    if office_id is not None:
        query = query.where(ObligationProjection.office_id == office_id)
    if client_id is not None:
        query = query.where(ObligationProjection.client_id == client_id)
    if overdue_at is not None:
        query = query.where(ObligationProjection.due_at <= overdue_at)
    return query


async def attempts(session: AsyncSession, obligations: list[ObligationProjection]) -> dict[UUID, tuple[int, Call]]:
    """Return, by obligation, how many calls served its goal since it was opened, and the last of them."""
    if not obligations:
        return {}
    served = and_(
        Call.client_id == ObligationProjection.client_id,
        Call.goals.contains(array([ObligationProjection.goal])),
        Call.called_at >= ObligationProjection.opened_at,
    )
    rows = await session.execute(
        select(ObligationProjection.id, Call)
        .join(Call, served)
        .where(ObligationProjection.id.in_([obligation.id for obligation in obligations]))
        .order_by(ObligationProjection.id, Call.called_at)
    )
    found: dict[UUID, tuple[int, Call]] = {}
    for obligation_id, call in rows:
        found[obligation_id] = (found[obligation_id][0] + 1 if obligation_id in found else 1, call)
    return found
