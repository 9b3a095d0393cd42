"""Bodies of returns."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from services.orders.domain.return_matrix import KIND_LABELS, Ground, OfferCode, Row
from services.orders.models import Claim
from services.orders.models.claim import ClientAnswer, Decision, SupplierVerdict
from services.orders.schemas.fields import Pieces, examples
from shared.contracts.orders import PartKind
from shared.vocabulary.fields import Comment, Percent
from shared.web import Input, LongText, Output


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


DECISION_LABELS = {"accepted": "Возврат принят", "kept": "Клиент оставил деталь", "rejected": "Отказано"}
OPEN_LABEL = "Рассматривается"


class PercentOut(Output):
    at_least: int
    at_most: int


class OfferOut(Output):
    code: str
    text: str = Field(description="Что предложить клиенту")
    discount: PercentOut | None
    later: PercentOut | None = Field(description="Скидка на последующие заказы, %")
    later_scope: Literal["next_order", "all_orders"] | None
    agreed_by_director: bool


class MatrixRow(Output):
    """Строка матрицы возвратов: предлагает, но не отнимает того, что даёт закон."""

    clause: str
    band: str
    offers: list[OfferOut]
    otherwise: str = Field(description="Если клиент не согласен")
    decides: Literal["manager", "director"]
    application: Literal["simple", "detailed"]

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls.model_validate(row)


class ClaimInternal(Output):
    """Видят только сотрудники."""

    purchase_amount: Decimal | None
    supplier_verdict: SupplierVerdict | None
    supplier_comment: str | None
    supplier_checked_at: datetime | None


class ClaimOut(Output):
    id: UUID
    number: str
    office_id: UUID
    client_id: UUID
    order_id: UUID
    position_id: UUID
    article: str
    brand: str
    description: str
    quantity: int
    amount: Decimal
    kind: PartKind
    kind_label: str
    ground: Ground
    ground_label: str
    reason: str
    opened_at: datetime
    offer_code: str | None
    offer_text: str | None
    discount_percent: int | None
    next_discount_percent: int | None
    discount_scope: Literal["next_order", "all_orders"] | None
    keeping_refund: Decimal | None = Field(description="Сколько вернётся, если клиент оставит деталь")
    client_answer: ClientAnswer | None
    decision: Decision | None
    decision_label: str
    decision_reason: str | None
    refund: Decimal | None
    decided_by: UUID | None
    decided_at: datetime | None
    version: int
    internal: ClaimInternal | None

    @classmethod
    def of(cls, claim: Claim, *, internal: bool) -> Self:
        return cls(
            **{name: getattr(claim, name) for name in _AS_STORED},
            kind_label=KIND_LABELS[claim.kind],
            ground_label=claim.ground.label,
            decision_label=DECISION_LABELS[claim.decision] if claim.decision else OPEN_LABEL,
            internal=ClaimInternal.model_validate(claim) if internal else None,
        )


_AS_STORED = [
    name for name in ClaimOut.model_fields if name not in ("kind_label", "ground_label", "decision_label", "internal")
]
