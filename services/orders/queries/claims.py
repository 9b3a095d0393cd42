"""Read returns."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.models import Claim
from shared.base.errors import NotFound

NEWEST_FIRST = (Claim.opened_at.desc(), Claim.id.desc())


def claims_matching(*, client_id: UUID | None, office_id: UUID | None, open_only: bool) -> Select[Any]:
    """Select returns; `open_only` leaves out those that are decided (RET-08)."""
    query = select(Claim)
    if client_id is not None:
        query = query.where(Claim.client_id == client_id)
    if office_id is not None:
        query = query.where(Claim.office_id == office_id)
    if open_only:
        query = query.where(Claim.decision.is_(None))
    return query


async def find_claim(session: AsyncSession, claim_id: UUID) -> Claim:
    """Return one return of the caller's scope.  Raises NotFound."""
    claim = await session.scalar(select(Claim).where(Claim.id == claim_id))
    if claim is None:
        raise NotFound("Возврат не найден.")
    return claim
