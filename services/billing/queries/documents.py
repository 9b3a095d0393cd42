"""Read payers, invoices and printed documents (BILL-02, BILL-05)."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.domain.documents.data import DOCUMENT_CLASSES, KIND_LABELS
from services.billing.domain.documents.render import render_pdf
from services.billing.models.documents import Invoice, Payer, PrintedDocument
from services.billing.schemas.documents import DocumentOut
from shared.base.errors import NotFound


def payers(client_id: UUID | None) -> Select[Payer]:
    """Return the payers of one client, or of all that the caller may see."""
    query = select(Payer)
    return query if client_id is None else query.where(Payer.client_id == client_id)


def invoices(client_id: UUID | None, order_id: UUID | None) -> Select[Invoice]:
    """Return the invoices of a client, of an order, or all that the caller may see."""
    wanted = {"client_id": client_id, "order_id": order_id}
    return select(Invoice).filter_by(**{name: value for name, value in wanted.items() if value is not None})


async def find_invoice(session: AsyncSession, invoice_id: UUID) -> Invoice:
    """Return an invoice.  Raises NotFound."""
    invoice = await session.get(Invoice, invoice_id)
    if invoice is None:
        raise NotFound("Счёт не найден.")
    return invoice


def documents(
    client_id: UUID | None, order_id: UUID | None, shipment_id: UUID | None, claim_id: UUID | None
) -> Select[PrintedDocument]:
    """Return the printed documents of a client, an order, a shipment or a claim."""
    wanted = {"client_id": client_id, "order_id": order_id, "shipment_id": shipment_id, "claim_id": claim_id}
    return select(PrintedDocument).filter_by(**{name: value for name, value in wanted.items() if value is not None})


def described(document: PrintedDocument) -> DocumentOut:
    """Return a document with the label of its kind."""
    fields = {name: getattr(document, name) for name in DocumentOut.model_fields if name != "kind_label"}
    return DocumentOut(**fields, kind_label=KIND_LABELS[document.kind])


async def find_document(session: AsyncSession, document_id: UUID) -> PrintedDocument:
    """Return a printed document.  Raises NotFound."""
    document = await session.get(PrintedDocument, document_id)
    if document is None:
        raise NotFound("Документ не найден.")
    return document


def pdf(document: PrintedDocument) -> bytes:
    """Return the bytes of the PDF; takes some hundredths of a second of CPU, so call it in a thread."""
    data = DOCUMENT_CLASSES[document.kind].model_validate(document.data)
    return render_pdf(document.kind, data, layout=document.layout)
