"""Reads shaped for their callers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.domain.documents.data import DOCUMENT_CLASSES, KIND_LABELS
from services.billing.domain.documents.render import render_pdf
from services.billing.domain.ledger import KIND_LABELS as ENTRY_LABELS
from services.billing.domain.ledger import ZERO, EntryKind
from services.billing.models import Account, Client, LedgerEntry, LedgerPosting, PrintedDocument
from services.billing.schemas import BalanceOut, DocumentOut, EntryOut, PostingOut
from shared.base.errors import NotFound


async def balance(session: AsyncSession, client_id: UUID) -> BalanceOut:
    """BILL-04; zeroes for a client who has never paid.  Raises NotFound."""
    account = await session.get(Account, client_id)
    if account is None:
        if await session.get(Client, client_id) is None:
            raise NotFound("Клиент не найден.")
        return BalanceOut(client_id=client_id, balance=ZERO, held=ZERO, available=ZERO, version=0)
    return BalanceOut.model_validate(account)


async def with_postings(session: AsyncSession, entries: Sequence[LedgerEntry]) -> list[EntryOut]:
    """Entries of a page with their postings, in one more query."""
    ids = [entry.id for entry in entries]
    postings: dict[UUID, list[PostingOut]] = {entry_id: [] for entry_id in ids}
    query = select(LedgerPosting).where(LedgerPosting.entry_id.in_(ids)).order_by(LedgerPosting.id)
    for posting in await session.scalars(query):
        postings[posting.entry_id].append(PostingOut.model_validate(posting))
    return [
        EntryOut(
            id=entry.id,
            at=entry.at,
            client_id=entry.client_id,
            kind=entry.kind,
            kind_label=ENTRY_LABELS[EntryKind(entry.kind)],
            text=entry.text,
            order_id=entry.order_id,
            postings=postings[entry.id],
        )
        for entry in entries
    ]


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
