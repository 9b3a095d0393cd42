"""Routes of suppliers and purchase orders."""

from uuid import UUID

from fastapi import Response

from services.orders.commands import purchasing
from services.orders.commands import suppliers as commands
from services.orders.models import PurchaseOrder, Supplier
from services.orders.queries import purchase_orders
from services.orders.queries import suppliers as queries
from services.orders.schemas.suppliers import (
    PurchaseOrderOut,
    PurchaseOrderSummary,
    SupplierBody,
    SupplierChange,
    SupplierOut,
)
from shared.base.clock import now
from shared.identity.roles import OFFICE_STAFF, SENIORS, STAFF
from shared.web import Caller, IfMatch, Page, PageRequest, Session, allow, paginate, service_router, set_etag

router = service_router("Поставщики")


@router.post("/suppliers", status_code=201, summary="Завести поставщика", dependencies=[allow(*OFFICE_STAFF)])
async def add_supplier(body: SupplierBody, session: Session, caller: Caller, response: Response) -> SupplierOut:
    """Заказы поставщику уходят на его почту (ORD-01)."""
    supplier = await commands.add_supplier(session, body, caller=caller, at=now())
    set_etag(response, supplier.version)
    return SupplierOut.of(supplier, None)


@router.get("/suppliers", summary="Поставщики", dependencies=[allow(*STAFF)])
async def list_suppliers(session: Session, page: PageRequest, office_id: UUID | None = None) -> Page[SupplierOut]:
    """Со статистикой поставок по собственной истории (ORD-16, K14)."""
    query = queries.suppliers_matching(office_id=office_id)
    suppliers, following = await paginate(session, query, page, key=queries.BY_NAME)
    return Page(items=await queries.show_suppliers(session, suppliers, now()), next=following.next)


@router.get("/suppliers/{supplier_id}", summary="Поставщик", dependencies=[allow(*STAFF)])
async def get_supplier(supplier_id: UUID, session: Session, response: Response) -> SupplierOut:
    """«96/3»: вероятность поставки и среднее опоздание (ORD-16)."""
    return await _one(session, await queries.find_supplier(session, supplier_id), response)


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
    query = purchase_orders.purchase_orders_matching(supplier_id=supplier_id, office_id=office_id)
    found, following = await paginate(session, query, page, key=purchase_orders.NEWEST_FIRST)
    return Page(items=[PurchaseOrderSummary.model_validate(order) for order in found], next=following.next)


@router.get("/purchase-orders/{purchase_order_id}", summary="Заказ поставщику", dependencies=[allow(*STAFF)])
async def get_purchase_order(purchase_order_id: UUID, session: Session, response: Response) -> PurchaseOrderOut:
    """Строки документа не меняются, что бы ни стало с позициями."""
    return await _document(session, await purchase_orders.find_purchase_order(session, purchase_order_id), response)


@router.post(
    "/purchase-orders/{purchase_order_id}/resend",
    summary="Отправить тот же документ ещё раз",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def resend(purchase_order_id: UUID, session: Session, caller: Caller, response: Response) -> PurchaseOrderOut:
    """Письмо уходит повторно, второго заказа не возникает."""
    found = await purchasing.resend_purchase_order(session, purchase_order_id, caller=caller, at=now())
    return await _document(session, found, response)


async def _one(session: Session, supplier: Supplier, response: Response) -> SupplierOut:
    set_etag(response, supplier.version)
    (shown,) = await queries.show_suppliers(session, [supplier], now())
    return shown


async def _document(session: Session, found: PurchaseOrder, response: Response) -> PurchaseOrderOut:
    set_etag(response, found.version)
    return await purchase_orders.show_purchase_order(session, found)
