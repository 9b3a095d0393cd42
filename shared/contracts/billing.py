"""Events of `billing`: invoices, payments, the client's balance."""

from typing import Literal
from uuid import UUID

from shared.contracts.base import Event, InRoubles, Instant, Roubles

PaymentMethod = Literal["cash", "card", "acquiring", "bank_transfer"]
"""BILL-03."""


class InvoiceIssued(Event, InRoubles, type="billing.invoice.issued.v1", subject="invoice_id"):
    """«Выставление счета» (BILL-01); an unpaid one is checked after 2 working days (BILL-06)."""

    office_id: UUID
    invoice_id: UUID
    number: str
    order_id: UUID | None = None
    client_id: UUID
    amount: Roubles
    issued_at: Instant


class InvoicePaid(Event, InRoubles, type="billing.invoice.paid.v1", subject="invoice_id"):
    """The invoice is covered (closes BILL-06)."""

    office_id: UUID
    invoice_id: UUID
    number: str
    order_id: UUID | None = None
    client_id: UUID
    amount: Roubles


class PaymentReceived(Event, InRoubles, type="billing.payment.received.v1", subject="payment_id"):
    """Money came in by one of the three doors (BILL-03)."""

    office_id: UUID
    payment_id: UUID
    client_id: UUID
    order_id: UUID | None = None
    invoice_id: UUID | None = None
    method: PaymentMethod
    amount: Roubles
    received_at: Instant


class OrderPaid(Event, InRoubles, type="billing.order.paid.v1", subject="order_id"):
    """Every live position of the order is covered by a hold; opens the 20 minutes (ORD-05)."""

    office_id: UUID
    order_id: UUID
    number: str
    client_id: UUID
    position_ids: list[UUID]
    amount: Roubles
    paid_at: Instant


class BalanceChanged(Event, InRoubles, type="billing.balance.changed.v1", subject="client_id"):
    """BILL-04.  `available` = `balance` − `held`; `version` grows with every ledger entry of the client."""

    office_id: UUID
    client_id: UUID
    balance: Roubles
    held: Roubles
    available: Roubles


class RefundMade(Event, InRoubles, type="billing.refund.made.v1", subject="client_id"):
    """Money returned to the client's balance: a refused position, a removed one, or a claim."""

    office_id: UUID
    client_id: UUID
    order_id: UUID
    position_id: UUID
    claim_id: UUID | None = None
    reason: Literal["refused", "removed", "claim"]
    amount: Roubles


class ReceiptRequested(Event, InRoubles, type="billing.receipt.requested.v1", subject="receipt_id"):
    """BILL-07: the till is asked for a fiscal receipt; the product does not fiscalise."""

    office_id: UUID
    receipt_id: UUID
    client_id: UUID
    payment_id: UUID | None = None
    operation: Literal["sale", "refund"]
    method: PaymentMethod
    amount: Roubles
