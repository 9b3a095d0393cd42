"""Policies: figures with an effective date (editable by head office, never changed backwards)."""

from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.policies import POLICIES, PolicyData
from services.orders.inputs import NewPolicy
from services.orders.models import Policy
from shared.audit import audit
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.roles import Principal

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


async def publish_policy(
    session: AsyncSession, code: str, body: NewPolicy, *, caller: Principal, at: datetime
) -> Policy:
    """A new version from a moment on that is not past.  Raises NotFound, Invalid, Conflict."""
    kind = POLICIES.get(code)
    if kind is None:
        raise NotFound("Такого правила нет.")
    if body.effective_from < at:
        raise Invalid("Правило начинает действовать не раньше, чем сейчас.", field="body.effective_from")
    try:
        data: dict[str, Any] = kind.model_validate(body.data).model_dump(mode="json")
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5]]
        raise Invalid("; ".join(problems), field="body.data") from error
    policy = {
        "code": code,
        "effective_from": body.effective_from,
        "data": data,
        "created_by": caller.id,
        "created_at": at,
    }
    inserted = await session.execute(insert(Policy).values(policy).on_conflict_do_nothing().returning(Policy.code))
    if inserted.first() is None:
        raise Conflict("На этот момент версия правила уже есть.")
    await audit(session, "policy.published", subject=f"policy/{code}", office_id=None, details={"data": data})
    return Policy(**policy)
