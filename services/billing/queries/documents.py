"""Reads shaped for their callers."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.domain.documents.data import DOCUMENT_CLASSES, KIND_LABELS
from services.billing.domain.documents.render import render_pdf
from services.billing.models.documents import PrintedDocument
from services.billing.schemas.documents import DocumentOut
from shared.base.errors import NotFound


def documents(
    client_id: UUID | None, order_id: UUID | None, shipment_id: UUID | None, claim_id: UUID | None
) -> Select[PrintedDocument]:
    query = select(PrintedDocument)
    wanted = {"client_id": client_id, "order_id": order_id, "shipment_id": shipment_id, "claim_id": claim_id}
    return query.filter_by(**{name: value for name, value in wanted.items() if value is not None})


def described(document: PrintedDocument) -> DocumentOut:
    fields = {name: getattr(document, name) for name in DocumentOut.model_fields if name != "kind_label"}
    return DocumentOut(**fields, kind_label=KIND_LABELS[document.kind])


async def find_document(session: AsyncSession, document_id: UUID) -> PrintedDocument:
    """Raises NotFound."""
    document = await session.get(PrintedDocument, document_id)
    if document is None:
        raise NotFound("Документ не найден.")
    return document


def pdf(document: PrintedDocument) -> bytes:
    """Some hundredths of a second of CPU: call it in a thread."""
    data = DOCUMENT_CLASSES[document.kind].model_validate(document.data)
    return render_pdf(document.kind, data, layout=document.layout)
