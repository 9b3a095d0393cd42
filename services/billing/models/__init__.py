"""Tables of `billing`: what it knows of others, the ledger, payers, invoices, payments, documents."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.domain.documents.data import DocumentKind
from shared.contracts.billing import BalanceChanged
from shared.contracts.control import OfficeChanged
from shared.persistence.database import (
    ClientOwned,
    Instant,
    Money,
    OfficeOwned,
    ServiceBase,
    Versioned,
    new_id,
    new_metadata,
)


class Base(ServiceBase):
    metadata = new_metadata()


class Office(Base):
    """Projection of `control.office.changed.v1`, whole: requisites, bank accounts and VAT go into documents."""

    __tablename__ = "offices"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]

    @property
    def state(self) -> OfficeChanged:
        return OfficeChanged.model_validate(self.facts)


class Client(Base, ClientOwned):
    """Projection of `clients.client.*`."""

    __tablename__ = "clients"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    organization_name: Mapped[str | None]
    phone: Mapped[str | None]
    active: Mapped[bool]
    version: Mapped[int]


class Order(Base, ClientOwned):
    """What billing knows of an order.  `announced` once `billing.order.paid.v1` has told that it is covered."""

    __tablename__ = "orders"
    __table_args__ = (Index("ix_orders_client_id", "client_id", "placed_at", "order_id"),)

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    placed_at: Mapped[Instant]
    vehicle: Mapped[str | None]
    announced: Mapped[bool] = mapped_column(default=False)


class Position(Base, ClientOwned):
    """A position as it was placed; pieces that `orders` splits off are counted against it.

    `due` is what it still may cost the client: the placed amount less what was removed, refused for good or issued.
    `held` is the money set aside for it, never more than `due`.
    """

    __tablename__ = "positions"
    __table_args__ = (Index("ix_positions_order_id", "order_id", "line"),)

    position_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    line: Mapped[int]
    article: Mapped[str]
    brand: Mapped[str]
    description: Mapped[str]
    quantity: Mapped[int]
    sale_price: Mapped[Money]
    amount: Mapped[Money]
    due: Mapped[Money]
    held: Mapped[Money]


class EarlyChange(Base):
    """Something happened to a position before its order was heard of: order of events is never promised."""

    __tablename__ = "early_changes"
    __table_args__ = (Index("ix_early_changes_position_id", "position_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    position_id: Mapped[UUID]
    amount: Mapped[Money]


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


class Payer(Base, ClientOwned, Versioned):
    """«Плательщик» (BILL-02); its numbers were checked by their check digits."""

    __tablename__ = "payers"
    __table_args__ = (Index("ix_payers_client_id", "client_id", "id"), Index("ix_payers_office_id", "office_id", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    inn: Mapped[str | None]
    kpp: Mapped[str | None]
    address: Mapped[str | None]
    bank_name: Mapped[str | None]
    bic: Mapped[str | None]
    account: Mapped[str | None]
    correspondent_account: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)


class Invoice(Base, ClientOwned, Versioned):
    """«Счёт на оплату» (BILL-01)."""

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("office_id", "number"),
        Index("ix_invoices_client_id", "client_id", "issued_at", "id"),
        Index("ix_invoices_list", "office_id", "issued_at", "id"),
        Index("ix_invoices_issued_at", "issued_at", "id"),
        Index("ix_invoices_order_id", "order_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str]
    day: Mapped[date]
    payer_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None]
    amount: Mapped[Money]
    paid: Mapped[Money]
    issued_at: Mapped[Instant]
    issued_by: Mapped[UUID]
    document_id: Mapped[UUID]

    @property
    def state(self) -> str:
        if self.paid >= self.amount:
            return "paid"
        return "partly_paid" if self.paid else "issued"


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
    """An incoming payment of a bank statement; one that was not recognised waits for a person."""

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


class PrintedDocument(Base, ClientOwned):
    """A document as it was made (BILL-05): the data is frozen, the PDF is drawn from it and always the same."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("kind", "reference"),
        Index("ix_documents_client_id", "client_id", "made_at", "id"),
        Index("ix_documents_list", "office_id", "made_at", "id"),
        Index("ix_documents_made_at", "made_at", "id"),
        Index("ix_documents_order_id", "order_id"),
        Index("ix_documents_shipment_id", "shipment_id"),
        Index("ix_documents_claim_id", "claim_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[DocumentKind] = mapped_column(String(30))
    reference: Mapped[str]
    """What it was made for; with `kind` unique."""
    number: Mapped[str]
    day: Mapped[date]
    layout: Mapped[int]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    order_id: Mapped[UUID | None]
    invoice_id: Mapped[UUID | None]
    shipment_id: Mapped[UUID | None]
    claim_id: Mapped[UUID | None]
    made_at: Mapped[Instant]


class Receipt(Base, ClientOwned, Versioned):
    """A fiscal receipt asked of the till, and its number once the till has told it (BILL-07)."""

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


class Counter(Base):
    """The last number given in an office, per kind of document and year.  Nothing to isolate."""

    __tablename__ = "counters"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
