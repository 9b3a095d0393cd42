"""Payers, invoices and documents."""

import asyncio
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Query, Response

from services.billing.commands import documents, invoices
from services.billing.models.documents import Invoice, Payer, PrintedDocument
from services.billing.queries import documents as queries
from services.billing.schemas.documents import DocumentOut, InvoiceOut, IssueInvoice, MakeContract
from services.billing.schemas.payers import NewPayer, PayerChanges, PayerOut
from shared.base.clock import now
from shared.identity.roles import EVERYONE, OFFICE_STAFF, Role
from shared.web import Caller, IfMatch, Page, PageRequest, Session, allow, paginate, service_router, set_etag

router = service_router("Документы")
PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}


class Pdf(Response):
    media_type = "application/pdf"


@router.post(
    "/payers", status_code=201, dependencies=[allow(*OFFICE_STAFF, Role.CLIENT)], summary="Добавить плательщика"
)
async def add_payer(body: NewPayer, session: Session, response: Response) -> PayerOut:
    """BILL-02: у клиента может быть сколько угодно плательщиков."""
    payer = await invoices.add_payer(session, body)
    set_etag(response, payer.version)
    return PayerOut.model_validate(payer)


@router.get("/payers", dependencies=[allow(*EVERYONE)], summary="Плательщики")
async def list_payers(session: Session, page: PageRequest, client_id: UUID | None = None) -> Page[PayerOut]:
    rows, after = await paginate(session, queries.payers(client_id), page, key=(Payer.id,))
    return Page(items=[PayerOut.model_validate(row) for row in rows], next=after.next)


@router.patch("/payers/{payer_id}", dependencies=[allow(*OFFICE_STAFF, Role.CLIENT)], summary="Изменить плательщика")
async def change_payer(
    payer_id: UUID, body: PayerChanges, session: Session, expected: IfMatch, response: Response
) -> PayerOut:
    payer = await invoices.change_payer(session, payer_id, body, expected=expected)
    set_etag(response, payer.version)
    return PayerOut.model_validate(payer)


@router.post("/invoices", status_code=201, dependencies=[allow(*OFFICE_STAFF, Role.CLIENT)], summary="Выставить счёт")
async def issue_invoice(body: IssueInvoice, session: Session, caller: Caller, response: Response) -> InvoiceOut:
    """BILL-01: клиент → плательщик → сумма → документ."""
    invoice = await invoices.issue_invoice(session, body, caller=caller, at=now())
    set_etag(response, invoice.version)
    return InvoiceOut.model_validate(invoice)


@router.get("/invoices", dependencies=[allow(*EVERYONE)], summary="Счета")
async def list_invoices(
    session: Session, page: PageRequest, client_id: UUID | None = None, order_id: UUID | None = None
) -> Page[InvoiceOut]:
    query = queries.invoices(client_id, order_id)
    rows, after = await paginate(session, query, page, key=(Invoice.issued_at.desc(), Invoice.id.desc()))
    return Page(items=[InvoiceOut.model_validate(row) for row in rows], next=after.next)


@router.get("/invoices/{invoice_id}", dependencies=[allow(*EVERYONE)], summary="Счёт")
async def show_invoice(invoice_id: UUID, session: Session, response: Response) -> InvoiceOut:
    invoice = await queries.find_invoice(session, invoice_id)
    set_etag(response, invoice.version)
    return InvoiceOut.model_validate(invoice)


@router.get(
    "/invoices/{invoice_id}/document",
    dependencies=[allow(*EVERYONE)],
    summary="Скачать счёт (PDF)",
    response_class=Pdf,
    responses=PDF,
)
async def download_invoice(invoice_id: UUID, session: Session) -> Response:
    """BILL-01, BILL-05: «Счёт на оплату» с реквизитами, суммой прописью и кодом для оплаты."""
    invoice = await queries.find_invoice(session, invoice_id)
    return await _file(await queries.find_document(session, invoice.document_id))


@router.post("/contracts", status_code=201, dependencies=[allow(*OFFICE_STAFF)], summary="Напечатать договор")
async def make_contract(body: MakeContract, session: Session) -> DocumentOut:
    """ORD-11, BILL-05: два экземпляра, место подписи на каждом листе."""
    document = await documents.make_contract(session, body.order_id, body.payer_id, at=now())
    return queries.described(document)


@router.get("/documents", dependencies=[allow(*EVERYONE)], summary="Документы")
async def list_documents(
    session: Session,
    page: PageRequest,
    client_id: UUID | None = None,
    order_id: UUID | None = None,
    shipment_id: UUID | None = None,
    claim_id: Annotated[UUID | None, Query(description="Обращение с возвратом")] = None,
) -> Page[DocumentOut]:
    """BILL-05: счета, накладные, договоры, заявления на возврат."""
    query = queries.documents(client_id, order_id, shipment_id, claim_id)
    rows, after = await paginate(session, query, page, key=(PrintedDocument.made_at.desc(), PrintedDocument.id.desc()))
    return Page(items=[queries.described(row) for row in rows], next=after.next)


@router.get(
    "/documents/{document_id}/file",
    dependencies=[allow(*EVERYONE)],
    summary="Скачать документ (PDF)",
    response_class=Pdf,
    responses=PDF,
)
async def download(document_id: UUID, session: Session) -> Response:
    return await _file(await queries.find_document(session, document_id))


async def _file(document: PrintedDocument) -> Response:
    content = await asyncio.to_thread(queries.pdf, document)
    name = quote(f"{queries.described(document).kind_label} {document.number}.pdf")
    return Pdf(content, headers={"Content-Disposition": f"inline; filename*=UTF-8''{name}"})
