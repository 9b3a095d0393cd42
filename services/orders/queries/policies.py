"""Which figures are in force."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.policies import POLICIES, PolicyData
from services.orders.models import Policy

P = TypeVar("P", bound=PolicyData)

_CODES: dict[type[PolicyData], str] = {kind: code for code, kind in POLICIES.items()}


async def policy_in_force(session: AsyncSession, kind: type[P], at: datetime) -> P:
    """The newest version that had begun at that moment; the defaults are seeded, so there always is one."""
    data = await session.scalar(
        select(Policy.data)
        .where(Policy.code == _CODES[kind], Policy.effective_from <= at)
        .order_by(Policy.effective_from.desc())
        .limit(1)
    )
    return kind.model_validate(data)
