"""Bodies of baskets."""

from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from services.orders.models import BasketItem
from services.orders.schemas.fields import Article, Brand, Description, Pieces, TermDays, ensure_sums_fit, examples
from shared.contracts.clients import Vehicle
from shared.contracts.orders import PartKind
from shared.web import Input, Output, Price


class NewBasketItem(Input):
    """Деталь с ценами и поставщиком, как она предложена клиенту."""

    model_config = examples(
        {
            "article": "GDB1550",
            "brand": "TRW",
            "description": "Колодки тормозные передние",
            "kind": "consumable",
            "quantity": 1,
            "sale_price": "1500.00",
            "purchase_price": "1100.00",
            "term_days": 3,
        }
    )

    article: Article
    brand: Brand
    description: Description
    kind: PartKind = "other"
    quantity: Pieces = 1
    sale_price: Price
    purchase_price: Price | None = None
    supplier_id: UUID | None = None
    term_days: TermDays | None = None
    no_catalogue: bool = Field(default=False, description="Нет каталога: выбор детали — риск клиента (CALL-08)")

    @model_validator(mode="after")
    def _sums_fit(self) -> Self:
        ensure_sums_fit(self.quantity, self.sale_price, self.purchase_price)
        return self


class BasketQuantity(Input):
    quantity: Pieces


class VinChoice(Input):
    offer_id: UUID
    quantity: Pieces | None = Field(default=None, description="По умолчанию — из запроса")
    sale_price: Price | None = Field(default=None, description="По умолчанию — цена ответа; только сотрудник")
    purchase_price: Price | None = Field(default=None, description="Только сотрудник")
    supplier_id: UUID | None = Field(default=None, description="Только сотрудник")
    kind: PartKind | None = None


class VinChoices(Input):
    request_id: UUID
    choices: list[VinChoice] = Field(min_length=1, max_length=100)


class BasketItemInternal(Output):
    """Видят только сотрудники."""

    supplier_id: UUID | None
    purchase_price: Decimal | None
    chosen_by: UUID | None


class BasketItemOut(Output):
    id: UUID
    article: str
    brand: str
    description: str
    kind: PartKind
    quantity: int
    sale_price: Decimal
    amount: Decimal
    term_days: int | None = Field(description="Срок верен на момент проценки (ORD-15)")
    supply_statistics: str | None = Field(description="«96/3» (ORD-16)")
    no_catalogue: bool
    vehicle: Vehicle | None
    vin_request_id: UUID | None
    offer_id: UUID | None
    added_at: datetime
    internal: BasketItemInternal | None

    @classmethod
    def of(cls, item: BasketItem, *, internal: bool) -> Self:
        return cls(
            **{name: getattr(item, name) for name in _AS_STORED},
            supply_statistics=item.supply_label,
            vehicle=Vehicle.model_validate(item.vehicle) if item.vehicle else None,
            internal=BasketItemInternal.model_validate(item) if internal else None,
        )


_AS_STORED = [name for name in BasketItemOut.model_fields if name not in ("supply_statistics", "vehicle", "internal")]


class BasketOut(Output):
    client_id: UUID
    items: list[BasketItemOut]
    total: Decimal
