"""Publishing the delivery policy.  What was published never changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.domain.publishing import PUBLISHING, effective_since
from services.notifier.delivery.models.policy import DeliveryPolicy
from shared.identity.roles import Principal
from shared.persistence.locks import lock_until_commit
from shared.runtime.audit import audit


async def publish_policy(
    session: AsyncSession, values: dict[str, Any], *, effective_from: datetime | None, caller: Principal, at: datetime
) -> DeliveryPolicy:
    """Raises Invalid for a date in the past or beyond all plans."""
    since = effective_since(effective_from, at)
    await lock_until_commit(session, PUBLISHING)
    version = (await session.execute(select(func.coalesce(func.max(DeliveryPolicy.version), 0)))).scalar_one() + 1
    published = {"effective_from": since, "published_by": caller.id, "published_at": at}
    policy = DeliveryPolicy(version=version, **values, **published)
    session.add(policy)
    await audit(session, "delivery_policy.published", subject=f"delivery_policy/{version}", office_id=None)
    await session.flush()
    return policy
