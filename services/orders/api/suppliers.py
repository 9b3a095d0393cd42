"""Suppliers with their «96/3», and purchase orders."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from fastapi import Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.commands import purchasing
from services.orders.commands import suppliers as commands
from services.orders.domain.statistics import SupplyStatistics
from services.orders.models import PurchaseOrder, PurchaseOrderLine, Supplier
from services.orders.queries.suppliers import supply_statistics
from services.orders.schemas.suppliers import SupplierBody, SupplierChange
from shared.base.clock import now
from shared.base.errors import NotFound
from shared.identity.roles import OFFICE_STAFF, SENIORS, STAFF
from shared.web import (
    Caller,
    IfMatch,
    Output,
    Page,
    PageRequest,
    Session,
    allow,
    paginate,
    service_router,
    set_etag,
)

router = service_router("Поставщики")


class SupplierOut(Output):
    id: UUID
    office_id: UUID
    name: str
    email: str
    phone: str | None
    note: str | None
    active: bool
    statistics: str | None = Field(default=None, description="«96/3»: поставлено, % / среднее опоздание, дни (ORD-16)")
    supplied: int = 0
    refused: int = 0
    version: int


class PurchaseOrderSummary(Output):
    id: UUID
    number: str
    office_id: UUID
    supplier_id: UUID
    supplier_name: str
    supplier_email: str
    total: Decimal
    sendings: int = Field(description="Сколько раз документ отправлен")
    sent_by: UUID
    sent_at: datetime
    last_sent_at: datetime
    version: int


class PurchaseOrderLineOut(Output):
    line: int
    position_id: UUID
    article: str
    brand: str
    description: str
    quantity: int
    purchase_price: Decimal
    amount: Decimal


class PurchaseOrderOut(PurchaseOrderSummary):
    lines: list[PurchaseOrderLineOut]


@router.post("/suppliers", status_code=201, summary="Завести поставщика", dependencies=[allow(*OFFICE_STAFF)])
async def add_supplier(body: SupplierBody, session: Session, caller: Caller, response: Response) -> SupplierOut:
    """Заказы поставщику уходят на его почту (ORD-01)."""
    supplier = await commands.add_supplier(session, body, caller=caller, at=now())
    set_etag(response, supplier.version)
    return _show(supplier, None)


@router.get("/suppliers", summary="Поставщики", dependencies=[allow(*STAFF)])
async def list_suppliers(session: Session, page: PageRequest, office_id: UUID | None = None) -> Page[SupplierOut]:
    """Со статистикой поставок по собственной истории (ORD-16, K14)."""
    query = select(Supplier)
    if office_id is not None:
        query = query.where(Supplier.office_id == office_id)
    suppliers, following = await paginate(session, query, page, key=(Supplier.name, Supplier.id))
    statistics = await supply_statistics(session, [supplier.id for supplier in suppliers], now())
    return Page(items=[_show(supplier, statistics.get(supplier.id)) for supplier in suppliers], next=following.next)


@router.get("/suppliers/{supplier_id}", summary="Поставщик", dependencies=[allow(*STAFF)])
async def get_supplier(supplier_id: UUID, session: Session, response: Response) -> SupplierOut:
    """«96/3»: вероятность поставки и среднее опоздание (ORD-16)."""
    supplier = await session.scalar(select(Supplier).where(Supplier.id == supplier_id))
    if supplier is None:
        raise NotFound("Поставщик не найден.")
    return await _one(session, supplier, response)


@router.patch("/suppliers/{supplier_id}", summary="Изменить поставщика", dependencies=[allow(*SENIORS)])
async def change_supplier(
    supplier_id: UUID, body: SupplierChange, session: Session, expected: IfMatch, response: Response
) -> SupplierOut:
    """Отключённому поставщику заказы не отправляются. Меняют старший менеджер и управляющий (ORG-02)."""
    supplier = await commands.change_supplier(session, supplier_id, body, expected_version=expected)
    return await _one(session, supplier, response)


@router.get("/purchase-orders", summary="Заказы поставщикам", dependencies=[allow(*STAFF)])
async def list_purchase_orders(
    session: Session, page: PageRequest, supplier_id: UUID | None = None, office_id: UUID | None = None
) -> Page[PurchaseOrderSummary]:
    """Новые сверху («Заказ поставщику», ORD-01)."""
    query = select(PurchaseOrder)
    if supplier_id is not None:
        query = query.where(PurchaseOrder.supplier_id == supplier_id)
    if office_id is not None:
        query = query.where(PurchaseOrder.office_id == office_id)
    found, following = await paginate(session, query, page, key=(PurchaseOrder.sent_at.desc(), PurchaseOrder.id.desc()))
    return Page(items=[PurchaseOrderSummary.model_validate(order) for order in found], next=following.next)


@router.get("/purchase-orders/{purchase_order_id}", summary="Заказ поставщику", dependencies=[allow(*STAFF)])
async def get_purchase_order(purchase_order_id: UUID, session: Session, response: Response) -> PurchaseOrderOut:
    """Строки документа не меняются, что бы ни стало с позициями."""
    found = await session.scalar(select(PurchaseOrder).where(PurchaseOrder.id == purchase_order_id))
    if found is None:
        raise NotFound("Заказ поставщику не найден.")
    return await _document(session, found, response)


@router.post(
    "/purchase-orders/{purchase_order_id}/resend",
    summary="Отправить тот же документ ещё раз",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def resend(purchase_order_id: UUID, session: Session, caller: Caller, response: Response) -> PurchaseOrderOut:
    """Письмо уходит повторно, второго заказа не возникает."""
    found = await purchasing.resend_purchase_order(session, purchase_order_id, caller=caller, at=now())
    return await _document(session, found, response)


def _show(supplier: Supplier, statistics: SupplyStatistics | None) -> SupplierOut:
    shown = SupplierOut.model_validate(supplier)
    if statistics is not None:
        shown.statistics, shown.supplied, shown.refused = statistics.label, statistics.supplied, statistics.refused
    return shown


async def _one(session: AsyncSession, supplier: Supplier, response: Response) -> SupplierOut:
    set_etag(response, supplier.version)
    return _show(supplier, (await supply_statistics(session, [supplier.id], now())).get(supplier.id))


async def _document(session: AsyncSession, found: PurchaseOrder, response: Response) -> PurchaseOrderOut:
    set_etag(response, found.version)
    lines = await session.scalars(
        select(PurchaseOrderLine)
        .where(PurchaseOrderLine.purchase_order_id == found.id)
        .order_by(PurchaseOrderLine.line)
    )
    return PurchaseOrderOut(
        **dict(PurchaseOrderSummary.model_validate(found)),
        lines=[PurchaseOrderLineOut.model_validate(line) for line in lines],
    )
