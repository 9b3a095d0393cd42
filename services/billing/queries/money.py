"""Reads shaped for their callers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.domain.ledger import KIND_LABELS as ENTRY_LABELS
from services.billing.domain.ledger import ZERO, EntryKind
from services.billing.models.money import Account, LedgerEntry, LedgerPosting
from services.billing.models.projections import Client
from services.billing.schemas.money import BalanceOut, EntryOut, PostingOut
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
