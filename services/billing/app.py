"""Composition root of `billing`."""

from services.billing.api import documents, money
from services.billing.consumers import consumers
from services.billing.models import Base
from services.billing.settings import BillingSettings
from shared.contracts.billing import (
    BalanceChanged,
    InvoiceIssued,
    InvoicePaid,
    OrderPaid,
    PaymentReceived,
    ReceiptRequested,
    RefundMade,
)
from shared.runtime.service import Service

service = Service(
    name="billing",
    title="Деньги и документы",
    routers=[documents.router, money.router],
    consumers=consumers,
    publishes=[BalanceChanged, InvoiceIssued, InvoicePaid, OrderPaid, PaymentReceived, ReceiptRequested, RefundMade],
    metadata=Base.metadata,
    settings=BillingSettings,
)
