"""What callers send: request bodies, one per use case."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import (
    Field,
)

from services.orders.domain.return_matrix import Ground, OfferCode
from services.orders.models.claim import ClientAnswer, Decision, SupplierVerdict
from services.orders.schemas.fields import Comment, Percent, Pieces, examples
from shared.contracts.orders import PartKind
from shared.web import Input, LongText


class NewClaim(Input):
    """Клиент возвращает выданное."""

    position_id: UUID
    kind: PartKind | None = Field(default=None, description="По умолчанию — вид детали из заказа")
    ground: Ground = Ground.UNWANTED
    reason: LongText
    quantity: Pieces | None = None


class SupplierCheck(Input):
    verdict: SupplierVerdict = Field(description="Примет ли поставщик деталь обратно (RET-09)")
    comment: Comment | None = None


class ClaimOffer(Input):
    """Что предложено по матрице и что ответил клиент."""

    model_config = examples(
        {"offer_code": "discount", "discount_percent": 20, "next_discount_percent": 5, "client_answer": "declined"}
    )

    offer_code: OfferCode
    client_answer: ClientAnswer
    discount_percent: Percent | None = None
    next_discount_percent: Percent | None = None
    agreed_price: Annotated[Decimal, Field(ge=0, le=99_999_999, decimal_places=2)] | None = Field(
        default=None, description="Сколько клиент платит в итоге, если цена ниже закупочной"
    )


class ClaimDecision(Input):
    decision: Decision
    reason: LongText
