"""Read payments, balances, the ledger, bank statements and receipts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.domain.ledger import KIND_LABELS as ENTRY_LABELS
from services.billing.domain.ledger import ZERO, EntryKind
from services.billing.models.money import Account, LedgerEntry, LedgerPosting, Payment, Receipt, StatementLine
from services.billing.models.projections import Client
from services.billing.schemas.money import BalanceOut, EntryOut, PostingOut
from shared.base.errors import NotFound


def payments(client_id: UUID | None) -> Select[Payment]:
    """Return the payments of one client, or of all that the caller may see."""
    query = select(Payment)
    return query if client_id is None else query.where(Payment.client_id == client_id)


def receipts(client_id: UUID | None) -> Select[Receipt]:
    """Return the fiscal receipts of one client, or of all that the caller may see."""
    query = select(Receipt)
    return query if client_id is None else query.where(Receipt.client_id == client_id)


def statement_lines(state: str) -> Select[StatementLine]:
    """Return the incoming payments of bank statements in one state, `matched` or `unmatched`."""
    return select(StatementLine).where(StatementLine.state == state)


def entries(client_id: UUID | None) -> Select[LedgerEntry]:
    """Return the ledger's entries of one client, or of all that the caller may see."""
    query = select(LedgerEntry)
    return query if client_id is None else query.where(LedgerEntry.client_id == client_id)


async def balance(session: AsyncSession, client_id: UUID) -> BalanceOut:
    """Return the client's balance (BILL-04), zeroes before the first payment.  Raises NotFound."""
    account = await session.get(Account, client_id)
    if account is None:
        if await session.get(Client, client_id) is None:
            raise NotFound("Клиент не найден.")
        return BalanceOut(client_id=client_id, balance=ZERO, held=ZERO, available=ZERO, version=0)
    return BalanceOut.model_validate(account)


async def with_postings(session: AsyncSession, page: Sequence[LedgerEntry]) -> list[EntryOut]:
    """Return the entries of a page with their postings, in one query more."""
    ids = [entry.id for entry in page]
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
        for entry in page
    ]
