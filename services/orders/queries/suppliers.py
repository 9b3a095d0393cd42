"""Read suppliers and how reliably they supply (ORD-16).

CALL-07, in part: the statistics stand beside an item, the system offers no alternative.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.policies import StatisticsPolicy
from services.orders.domain.statistics import SupplyStatistics
from services.orders.models import Supplier, SupplierDay
from services.orders.queries.policies import policy_in_force
from services.orders.schemas.suppliers import SupplierOut
from shared.base.errors import NotFound

BY_NAME = (Supplier.name, Supplier.id)


def suppliers_matching(*, office_id: UUID | None) -> Select[Any]:
    """Select suppliers; None narrows nothing."""
    query = select(Supplier)
    return query if office_id is None else query.where(Supplier.office_id == office_id)


async def find_supplier(session: AsyncSession, supplier_id: UUID) -> Supplier:
    """Return one supplier of the caller's scope.  Raises NotFound."""
    supplier = await session.scalar(select(Supplier).where(Supplier.id == supplier_id))
    if supplier is None:
        raise NotFound("Поставщик не найден.")
    return supplier


async def show_suppliers(session: AsyncSession, suppliers: Sequence[Supplier], at: datetime) -> list[SupplierOut]:
    """Return suppliers with their statistics, one statement for all of them."""
    statistics = await supply_statistics(session, [supplier.id for supplier in suppliers], at)
    return [SupplierOut.of(supplier, statistics.get(supplier.id)) for supplier in suppliers]


async def supply_statistics(
    session: AsyncSession, supplier_ids: Collection[UUID], at: datetime
) -> dict[UUID, SupplyStatistics]:
    """Return «96/3» of suppliers over the policy's last days (ORD-16, K14); one without history is absent."""
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
