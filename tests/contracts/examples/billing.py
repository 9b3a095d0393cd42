from decimal import Decimal
from typing import Any

from shared.contracts.billing import (
    BalanceChanged,
    InvoiceIssued,
    InvoicePaid,
    OrderPaid,
    PaymentReceived,
    ReceiptRequested,
    RefundMade,
)
from tests.contracts.examples.story import (
    BRAKES,
    CLAIM,
    CLIENT,
    FILTER,
    INVOICE,
    OFFICE,
    ORDER,
    PAYMENT,
    RECEIPT,
    TOTAL,
    at,
)

_OF_CLIENT: dict[str, Any] = {"office_id": OFFICE, "client_id": CLIENT}

PAID = (
    InvoiceIssued(
        **_OF_CLIENT,
        version=1,
        occurred_at=at(95),
        invoice_id=INVOICE,
        number="000001",
        order_id=ORDER,
        amount=TOTAL,
        issued_at=at(95),
    ),
    PaymentReceived(
        **_OF_CLIENT,
        version=1,
        occurred_at=at(100),
        payment_id=PAYMENT,
        order_id=ORDER,
        invoice_id=INVOICE,
        method="acquiring",
        amount=TOTAL,
        received_at=at(100),
    ),
    InvoicePaid(
        **_OF_CLIENT, version=2, occurred_at=at(100), invoice_id=INVOICE, number="000001", order_id=ORDER, amount=TOTAL
    ),
    BalanceChanged(**_OF_CLIENT, version=1, occurred_at=at(100), balance=TOTAL, held=TOTAL, available=Decimal("0.00")),
    OrderPaid(
        **_OF_CLIENT,
        version=1,
        occurred_at=at(100),
        order_id=ORDER,
        number="000001",
        position_ids=[BRAKES, FILTER],
        amount=TOTAL,
        paid_at=at(100),
    ),
    ReceiptRequested(
        **_OF_CLIENT,
        version=1,
        occurred_at=at(100),
        receipt_id=RECEIPT,
        payment_id=PAYMENT,
        operation="sale",
        method="acquiring",
        amount=TOTAL,
    ),
)

RETURNED = (
    RefundMade(
        **_OF_CLIENT,
        version=2,
        occurred_at=at(151),
        order_id=ORDER,
        position_id=FILTER,
        claim_id=CLAIM,
        reason="refused",
        amount=Decimal("501.00"),
    ),
)
