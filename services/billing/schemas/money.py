"""Request and response bodies."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.billing import PaymentMethod
from shared.web import Input, Output, Price, ShortText


class TakePayment(Input):
    """Касса: наличные или карта в офисе; по счёту, за заказ или просто на баланс."""

    client_id: UUID | None = None
    invoice_id: UUID | None = None
    order_id: UUID | None = None
    method: Literal["cash", "card"]
    amount: Price


class PayOut(Input):
    """Выплата с баланса."""

    client_id: UUID
    method: PaymentMethod
    amount: Price
    reason: ShortText


class AcquirerNotice(Input):
    """Уведомление эквайера о платеже."""

    event_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    office_id: UUID
    client_id: UUID | None = None
    invoice_id: UUID | None = None
    order_id: UUID | None = None
    amount: Price
    currency: Literal["RUB"]
    status: Literal["succeeded"]


class PaymentOut(Output):
    id: UUID
    client_id: UUID
    order_id: UUID | None
    invoice_id: UUID | None
    method: PaymentMethod
    amount: Decimal
    received_at: datetime


class PayoutOut(Output):
    id: UUID
    client_id: UUID
    method: PaymentMethod
    amount: Decimal
    reason: str
    paid_at: datetime


class BalanceOut(Output):
    """BILL-04: `available` — свободно, `held` — в резерве под заказы, `balance` — вместе; минус — долг клиента."""

    client_id: UUID
    balance: Decimal
    held: Decimal
    available: Decimal
    version: int


class PostingOut(Output):
    account: str
    amount: Decimal = Field(description="дебет — плюс, кредит — минус")
    position_id: UUID | None


class EntryOut(Output):
    id: UUID
    at: datetime
    client_id: UUID
    kind: str
    kind_label: str
    text: str
    order_id: UUID | None
    postings: list[PostingOut]


class ReceiptOut(Output):
    id: UUID
    client_id: UUID
    operation: Literal["sale", "refund"]
    method: PaymentMethod
    amount: Decimal
    payment_id: UUID | None
    requested_at: datetime
    fiscal_number: str | None
    version: int


class RegisterReceipt(Input):
    fiscal_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
