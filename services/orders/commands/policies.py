"""Publish policies: figures with an effective date, which head office adds and never changes backwards."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.policies import POLICIES, PolicyCode
from services.orders.models import Policy
from services.orders.schemas.policies import NewPolicy
from shared.base.errors import Conflict, Invalid
from shared.identity.roles import Principal
from shared.runtime.audit import audit


async def publish_policy(
    session: AsyncSession, code: PolicyCode, body: NewPolicy, *, caller: Principal, at: datetime
) -> Policy:
    """Add a version that holds from now or a later moment on.  Raises Invalid, Conflict."""
    effective_from = body.effective_from or at
    if effective_from < at:
        raise Invalid("Правило начинает действовать не раньше, чем сейчас.", field="body.effective_from")
    try:
        data: dict[str, Any] = POLICIES[code].model_validate(body.data).model_dump(mode="json")
    except ValidationError as error:
        raise Invalid("; ".join(_describe(item) for item in error.errors()[:5]), field="body.data") from error
    policy = {
        "code": code,
        "effective_from": effective_from,
        "data": data,
        "created_by": caller.id,
        "created_at": at,
    }
    inserted = await session.execute(insert(Policy).values(policy).on_conflict_do_nothing().returning(Policy.code))
    if inserted.first() is None:
        raise Conflict("На этот момент версия правила уже есть.")
    await audit(session, "policy.published", subject=f"policy/{code}", office_id=None, details={"data": data})
    return Policy(**policy)


def _describe(item: ErrorDetails) -> str:
    own = item.get("ctx", {}).get("error")
    message = str(own) if isinstance(own, ValueError) else "недопустимое значение"
    return f"{'.'.join(map(str, item['loc'])) or 'правило'}: {message}"
