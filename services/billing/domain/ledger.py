"""The chart of accounts and how each business fact is booked (BILL-03, BILL-04).

Debit is positive, credit negative.  The office's debt to a client is a credit of `client_available` or `client_held`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

ZERO = Decimal("0.00")


class LedgerAccount(StrEnum):
    """Accounts of the ledger; those of payment methods are named like the methods."""

    CASH = "cash"
    CARD = "card"
    ACQUIRING = "acquiring"
    BANK = "bank_transfer"
    AVAILABLE = "client_available"
    HELD = "client_held"
    SALES = "sales"


class EntryKind(StrEnum):
    """Kinds of business facts that are booked."""

    PAYMENT = "payment"
    PAYOUT = "payout"
    HOLD = "hold"
    RELEASE = "release"
    SALE = "sale"
    REFUND = "refund"


KIND_LABELS = {
    EntryKind.PAYMENT: "Поступление",
    EntryKind.PAYOUT: "Выплата клиенту",
    EntryKind.HOLD: "Резерв под заказ",
    EntryKind.RELEASE: "Снятие резерва",
    EntryKind.SALE: "Отгрузка",
    EntryKind.REFUND: "Возврат на баланс",
}


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of an entry, in roubles."""

    account: LedgerAccount
    amount: Decimal
    position_id: UUID | None = None


def payment(method: str, amount: Decimal) -> list[Posting]:
    """Return the postings of money that came in by a method."""
    return [Posting(LedgerAccount(method), amount), Posting(LedgerAccount.AVAILABLE, -amount)]


def payout(method: str, amount: Decimal) -> list[Posting]:
    """Return the postings of money that went back to the client by a method."""
    return [Posting(LedgerAccount.AVAILABLE, amount), Posting(LedgerAccount(method), -amount)]


def hold(amount: Decimal, position_id: UUID) -> list[Posting]:
    """Return the postings that set money aside for a position."""
    return [
        Posting(LedgerAccount.AVAILABLE, amount, position_id),
        Posting(LedgerAccount.HELD, -amount, position_id),
    ]


def release(amount: Decimal, position_id: UUID) -> list[Posting]:
    """Return the postings that free a position's money."""
    return [
        Posting(LedgerAccount.HELD, amount, position_id),
        Posting(LedgerAccount.AVAILABLE, -amount, position_id),
    ]


def sale(from_hold: Decimal, on_credit: Decimal, position_id: UUID) -> list[Posting]:
    """Return the postings of issued goods: paid from their hold, the rest from the balance, into debt if need be."""
    postings = [
        Posting(LedgerAccount.HELD, from_hold, position_id),
        Posting(LedgerAccount.AVAILABLE, on_credit, position_id),
        Posting(LedgerAccount.SALES, -(from_hold + on_credit), position_id),
    ]
    return [posting for posting in postings if posting.amount]


def refund(amount: Decimal, position_id: UUID) -> list[Posting]:
    """Return the postings of money returned for a sold position."""
    return [Posting(LedgerAccount.SALES, amount, position_id), Posting(LedgerAccount.AVAILABLE, -amount, position_id)]


def effect(postings: Sequence[Posting]) -> tuple[Decimal, Decimal]:
    """Return how an entry changes the client's balance and its held part.

    Raises ValueError when the postings do not balance.
    """
    if sum((posting.amount for posting in postings), ZERO):
        raise ValueError("the postings of an entry add up to zero")
    available = -sum((p.amount for p in postings if p.account is LedgerAccount.AVAILABLE), ZERO)
    held = -sum((p.amount for p in postings if p.account is LedgerAccount.HELD), ZERO)
    return available + held, held


def allocate(available: Decimal, needs: Sequence[tuple[UUID, Decimal]]) -> list[tuple[UUID, Decimal]]:
    """Divide money among positions in their order, as far as it reaches; the last one may be covered in part."""
    shares = []
    for position_id, need in needs:
        share = min(available, need)
        if share > ZERO:
            shares.append((position_id, share))
            available -= share
    return shares
