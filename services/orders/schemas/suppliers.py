"""Bodies of suppliers and purchase orders."""

from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from pydantic import Field

from services.orders.domain.statistics import SupplyStatistics
from services.orders.models import Supplier
from services.orders.schemas.fields import Phone, examples
from shared.vocabulary.fields import Comment, Email
from shared.web import Input, Output, ShortText


class SupplierBody(Input):
    """Новый поставщик офиса."""

    model_config = examples({"name": "Автотрейд", "email": "zakaz@autotrade.example", "phone": "+74951234567"})

    name: ShortText
    email: Email
    phone: Phone | None = None
    note: Comment | None = None


class SupplierChange(Input):
    """Меняется только то, что передано."""

    name: ShortText | None = None
    email: Email | None = None
    phone: Phone | None = None
    note: Comment | None = None
    active: bool | None = None


class SupplierOut(Output):
    id: UUID
    office_id: UUID
    name: str
    email: str
    phone: str | None
    note: str | None
    active: bool
    statistics: str | None = Field(default=None, description="«96/3»: поставлено, % / среднее опоздание, дни (ORD-16)")
    supplied: int = 0
    refused: int = 0
    version: int

    @classmethod
    def of(cls, supplier: Supplier, statistics: SupplyStatistics | None) -> Self:
        shown = cls.model_validate(supplier)
        if statistics is not None:
            shown.statistics, shown.supplied, shown.refused = statistics.label, statistics.supplied, statistics.refused
        return shown


class PurchaseOrderSummary(Output):
    id: UUID
    number: str
    office_id: UUID
    supplier_id: UUID
    supplier_name: str
    supplier_email: str
    total: Decimal
    sendings: int = Field(description="Сколько раз документ отправлен")
    sent_by: UUID
    sent_at: datetime
    last_sent_at: datetime
    version: int


class PurchaseOrderLineOut(Output):
    line: int
    position_id: UUID
    article: str
    brand: str
    description: str
    quantity: int
    purchase_price: Decimal
    amount: Decimal


class PurchaseOrderOut(PurchaseOrderSummary):
    lines: list[PurchaseOrderLineOut]
