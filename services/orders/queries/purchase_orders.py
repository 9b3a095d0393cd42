"""Read purchase orders."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.models import PurchaseOrder, PurchaseOrderLine
from services.orders.schemas.suppliers import PurchaseOrderLineOut, PurchaseOrderOut, PurchaseOrderSummary
from shared.base.errors import NotFound

NEWEST_FIRST = (PurchaseOrder.sent_at.desc(), PurchaseOrder.id.desc())


def purchase_orders_matching(*, supplier_id: UUID | None, office_id: UUID | None) -> Select[Any]:
    """Select purchase orders; None narrows nothing."""
    query = select(PurchaseOrder)
    if supplier_id is not None:
        query = query.where(PurchaseOrder.supplier_id == supplier_id)
    if office_id is not None:
        query = query.where(PurchaseOrder.office_id == office_id)
    return query


async def find_purchase_order(session: AsyncSession, purchase_order_id: UUID) -> PurchaseOrder:
    """Return one purchase order of the caller's scope.  Raises NotFound."""
    found = await session.scalar(select(PurchaseOrder).where(PurchaseOrder.id == purchase_order_id))
    if found is None:
        raise NotFound("Заказ поставщику не найден.")
    return found


async def lines_of(session: AsyncSession, purchase_order_id: UUID) -> list[PurchaseOrderLine]:
    """Return the lines of a purchase order in the order of the document."""
    lines = await session.scalars(
        select(PurchaseOrderLine)
        .where(PurchaseOrderLine.purchase_order_id == purchase_order_id)
        .order_by(PurchaseOrderLine.line)
    )
    return list(lines)


async def show_purchase_order(session: AsyncSession, purchase_order: PurchaseOrder) -> PurchaseOrderOut:
    """Return a purchase order with its lines."""
    return PurchaseOrderOut(
        **dict(PurchaseOrderSummary.model_validate(purchase_order)),
        lines=[PurchaseOrderLineOut.model_validate(line) for line in await lines_of(session, purchase_order.id)],
    )
