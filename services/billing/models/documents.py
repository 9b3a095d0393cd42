"""Payers, invoices and printed documents."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.domain.documents.data import DocumentKind
from services.billing.models.base import Base
from shared.persistence.database import (
    ClientOwned,
    Instant,
    Money,
    Versioned,
    new_id,
)


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


class Counter(Base):
    """The last number given in an office, per kind of document and year.  It holds nothing to isolate."""

    __tablename__ = "counters"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
