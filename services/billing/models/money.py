"""Accounts of clients, the ledger, payments, bank statements and receipts."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.models.base import Base
from shared.contracts.billing import BalanceChanged
from shared.persistence.database import (
    ClientOwned,
    Instant,
    Money,
    OfficeOwned,
    Versioned,
    new_id,
)


class Account(Base, ClientOwned):
    """The client's money at one office's legal entity; its row is the lock of everything that moves it.

    `balance` = `available` + `held`; a negative one is the client's debt (wholesale issued on credit).
    """

    __tablename__ = "accounts"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    balance: Mapped[Money]
    held: Mapped[Money]
    version: Mapped[int]

    @property
    def available(self) -> Decimal:
        return self.balance - self.held

    def changed(self, at: datetime) -> BalanceChanged:
        return BalanceChanged(
            office_id=self.office_id,
            version=self.version,
            occurred_at=at,
            client_id=self.client_id,
            balance=self.balance,
            held=self.held,
            available=self.available,
        )


class LedgerEntry(Base, ClientOwned):
    """One business fact in the double-entry ledger: insert-only, its postings add up to zero (deferred trigger)."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("kind", "reference"),
        Index("ix_ledger_entries_client_id", "client_id", "at", "id"),
        Index("ix_ledger_entries_office_id", "office_id", "at", "id"),
        Index("ix_ledger_entries_at", "at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[Instant]
    kind: Mapped[str] = mapped_column(String(30))
    reference: Mapped[str]
    """What caused it; with `kind` unique, so that nothing is booked twice."""
    text: Mapped[str]
    order_id: Mapped[UUID | None]


class LedgerPosting(Base, ClientOwned):
    """Debit is positive, credit negative, in roubles."""

    __tablename__ = "ledger_postings"
    __table_args__ = (Index("ix_ledger_postings_entry_id", "entry_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entries.id"))
    account: Mapped[str] = mapped_column(String(30))
    amount: Mapped[Money]
    position_id: Mapped[UUID | None]


class Payment(Base, ClientOwned):
    """Money that came in (BILL-03).  `source` and `external_id` are unique: a repeat books nothing."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("ix_payments_client_id", "client_id", "received_at", "id"),
        Index("ix_payments_list", "office_id", "received_at", "id"),
        Index("ix_payments_received_at", "received_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[UUID | None]
    invoice_id: Mapped[UUID | None]
    method: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str]
    amount: Mapped[Money]
    received_at: Mapped[Instant]
    taken_by: Mapped[UUID | None]
    """The cashier; None for the acquirer and the bank."""


class Payout(Base, ClientOwned):
    """Money returned from the balance to the client's card, account or hand (BILL-03)."""

    __tablename__ = "payouts"
    __table_args__ = (Index("ix_payouts_client_id", "client_id", "paid_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    method: Mapped[str] = mapped_column(String(20))
    amount: Mapped[Money]
    reason: Mapped[str]
    paid_at: Mapped[Instant]
    paid_by: Mapped[UUID]


class StatementLine(Base, OfficeOwned):
    """An incoming payment of a bank statement; one that was not recognised waits for a person to assign it."""

    __tablename__ = "statement_lines"
    __table_args__ = (
        UniqueConstraint("office_id", "external_id"),
        Index("ix_statement_lines_list", "office_id", "state", "uploaded_at", "id"),
        Index("ix_statement_lines_state", "state", "uploaded_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    external_id: Mapped[str]
    """Number, day, account and amount of the bank's document."""
    number: Mapped[str]
    day: Mapped[date]
    payer_name: Mapped[str]
    payer_inn: Mapped[str | None]
    payer_account: Mapped[str | None]
    purpose: Mapped[str]
    amount: Mapped[Money]
    state: Mapped[str] = mapped_column(String(20))
    payment_id: Mapped[UUID | None]
    uploaded_at: Mapped[Instant]
    uploaded_by: Mapped[UUID]
    version: Mapped[int]


class Receipt(Base, ClientOwned, Versioned):
    """A fiscal receipt that the till was asked for, and its number once the till has answered (BILL-07)."""

    __tablename__ = "receipts"
    __table_args__ = (
        Index("ix_receipts_list", "office_id", "requested_at", "id"),
        Index("ix_receipts_requested_at", "requested_at", "id"),
        Index("ix_receipts_client_id", "client_id", "requested_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    operation: Mapped[str] = mapped_column(String(10))
    method: Mapped[str] = mapped_column(String(20))
    amount: Mapped[Money]
    payment_id: Mapped[UUID | None]
    requested_at: Mapped[Instant]
    fiscal_number: Mapped[str | None]
