"""Read policies and their versions."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.policies import POLICIES, PolicyCode, PolicyData
from services.orders.models import Policy

P = TypeVar("P", bound=PolicyData)

NEWEST_FIRST = (Policy.effective_from.desc(),)
_CODES: dict[type[PolicyData], PolicyCode] = {kind: code for code, kind in POLICIES.items()}


def versions_of(code: PolicyCode) -> Select[Any]:
    """Select all versions of one policy."""
    return select(Policy).where(Policy.code == code)


async def policy_in_force(session: AsyncSession, kind: type[P], at: datetime) -> P:
    """Return the newest version that had begun at that moment; the first migration makes one for every policy."""
    data = await session.scalar(
        select(Policy.data)
        .where(Policy.code == _CODES[kind], Policy.effective_from <= at)
        .order_by(Policy.effective_from.desc())
        .limit(1)
    )
    return kind.model_validate(data)
