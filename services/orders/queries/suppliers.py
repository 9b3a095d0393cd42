"""How suppliers keep their word."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.policies import StatisticsPolicy
from services.orders.domain.statistics import SupplyStatistics
from services.orders.models import SupplierDay
from services.orders.queries.policies import policy_in_force


async def supply_statistics(
    session: AsyncSession, supplier_ids: Collection[UUID], at: datetime
) -> dict[UUID, SupplyStatistics]:
    """«96/3» of suppliers over the policy's last days (ORD-16, K14); one without history is absent."""
    if not supplier_ids:
        return {}
    policy = await policy_in_force(session, StatisticsPolicy, at)
    rows = await session.execute(
        select(
            SupplierDay.supplier_id,
            func.sum(SupplierDay.supplied),
            func.sum(SupplierDay.refused),
            func.sum(SupplierDay.late_days),
        )
        .where(
            SupplierDay.supplier_id.in_(set(supplier_ids)),
            SupplierDay.day >= (at - timedelta(days=policy.days)).date(),
        )
        .group_by(SupplierDay.supplier_id)
    )
    return {
        supplier_id: SupplyStatistics(int(supplied), int(refused), int(late))
        for supplier_id, supplied, refused, late in rows
    }
