"""Request and response bodies."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Self
from uuid import UUID

from pydantic import model_validator

from services.billing.domain.documents.data import DocumentKind
from shared.web import Input, Output, Price


class IssueInvoice(Input):
    """Плательщик подставляется сам, если он у клиента один; сумма — неоплаченный остаток заказа."""

    client_id: UUID
    payer_id: UUID | None = None
    order_id: UUID | None = None
    amount: Price | None = None


class InvoiceOut(Output):
    id: UUID
    number: str
    day: date
    client_id: UUID
    payer_id: UUID | None
    order_id: UUID | None
    amount: Decimal
    paid: Decimal
    state: Literal["issued", "partly_paid", "paid"]
    state_label: str = ""
    issued_at: datetime
    document_id: UUID
    version: int

    @model_validator(mode="after")
    def _label(self) -> Self:
        labels = {"issued": "выставлен", "partly_paid": "оплачен частично", "paid": "оплачен"}
        self.state_label = labels[self.state]
        return self


class DocumentOut(Output):
    id: UUID
    kind: DocumentKind
    kind_label: str
    number: str
    day: date
    client_id: UUID
    order_id: UUID | None
    invoice_id: UUID | None
    shipment_id: UUID | None
    claim_id: UUID | None
    made_at: datetime


class MakeContract(Input):
    order_id: UUID
    payer_id: UUID | None = None
