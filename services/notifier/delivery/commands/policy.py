"""Publish the delivery policy.  A published version never changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.domain.publishing import PUBLISHING, effective_since
from services.notifier.delivery.models.policy import DeliveryPolicy
from services.notifier.delivery.queries.policy import current_policy
from shared.base.clock import now
from shared.identity.roles import Principal
from shared.persistence.locks import lock_until_commit
from shared.runtime.audit import audit
from shared.web import check_version


async def change_policy(
    session: AsyncSession, values: dict[str, Any], *, expected: int, effective_from: datetime | None, caller: Principal
) -> DeliveryPolicy:
    """Publish the version after the `expected` one, 0 for the first; it takes effect now or at `effective_from`.

    Raises Invalid for a date in the past or more than ten years ahead, PreconditionFailed for a lost race.
    """
    await lock_until_commit(session, PUBLISHING)
    at = now()  # Read after the lock: the version that another transaction has just published is in force by then.
    policy = await current_policy(session, at)
    check_version(policy.version if policy else 0, expected)
    since = effective_since(effective_from, at)
    version = (await session.execute(select(func.coalesce(func.max(DeliveryPolicy.version), 0)))).scalar_one() + 1
    published = {"effective_from": since, "published_by": caller.id, "published_at": at}
    policy = DeliveryPolicy(version=version, **values, **published)
    session.add(policy)
    await audit(session, "delivery_policy.published", subject=f"delivery_policy/{version}", office_id=None)
    await session.flush()
    return policy
