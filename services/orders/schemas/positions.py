"""Bodies of positions.  `internal` holds what only staff see; clients get null (ORD-08)."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from services.orders.domain.bulk import BulkResult
from services.orders.domain.disclosures import Disclosure
from services.orders.domain.position import PositionState
from services.orders.domain.return_matrix import KIND_LABELS
from services.orders.models import Position
from services.orders.schemas.fields import Code, Moment, Pieces, TermDays, examples
from services.orders.schemas.related import RelatedRows, UnderModeration
from shared.base.errors import BusinessError
from shared.contracts.clients import Vehicle
from shared.contracts.orders import PartKind
from shared.vocabulary.fields import Comment
from shared.web import Input, Output, Price


class BalanceOut(Output):
    """Баланс клиента (BILL-04), рубли."""

    balance: Decimal
    held: Decimal
    available: Decimal


class ModerationOut(Output):
    """Все позиции клиента «На модерации»."""

    count: int
    amount: Decimal


class PositionInternal(Output):
    """Видят только сотрудники."""

    supplier_id: UUID | None
    supplier_name: str | None
    supplier_statistics: str | None = Field(description="«96/3»: поставлено, % / среднее опоздание, дни (ORD-16)")
    purchase_price: Decimal | None
    purchase_order_id: UUID | None
    manager_comment: str | None
    refusal_reason: str | None
    removal_reason: str | None
    chosen_by: UUID | None
    client_phone: str | None
    client_name_verified: bool | None = Field(description="CL-05")


class PositionOut(Output):
    id: UUID
    office_id: UUID
    client_id: UUID
    client_name: str | None
    order_id: UUID
    order_number: str
    line: int
    article: str
    brand: str
    description: str
    kind: PartKind
    kind_label: str
    quantity: int
    sale_price: Decimal
    amount: Decimal
    state: PositionState
    state_label: str
    state_changed_at: datetime
    paid: bool
    check_requested: bool
    applicable: bool | None = Field(description="Отметка проверки применимости (ORD-06); null — не проверена")
    check_comment: str | None
    client_comment: str | None = Field(description="«Комментарий к заказу» (ORD-08)")
    finally_refused: bool
    term_days: int | None
    promised_at: datetime | None
    supply_statistics: str | None = Field(description="«96/3» на момент предложения (ORD-15, ORD-16)")
    no_catalogue: bool
    vehicle: Vehicle | None
    shipment_id: UUID | None
    origin_id: UUID | None = Field(description="Позиция заказа, от которой отделена эта часть")
    split_from_id: UUID | None
    client_balance: BalanceOut | None
    client_under_moderation: ModerationOut | None = Field(description="null в ответе на оформление заказа")
    version: int
    internal: PositionInternal | None

    @classmethod
    def of(cls, position: Position, related: RelatedRows, *, internal: bool) -> Self:
        order = related.orders.get(position.order_id)
        client = related.clients.get(position.client_id)
        balance = related.balances.get(position.client_id)
        supplier = related.suppliers.get(position.supplier_id) if position.supplier_id else None
        statistics = related.statistics.get(position.supplier_id) if position.supplier_id else None
        return cls(
            **{name: getattr(position, name) for name in _AS_STORED},
            client_name=client.display_name if client else None,
            kind_label=KIND_LABELS[position.kind],
            state_label=position.state.label,
            check_requested=bool(order and order.check_requested),
            supply_statistics=position.supply_label,
            vehicle=Vehicle.model_validate(order.vehicle) if order and order.vehicle else None,
            client_balance=BalanceOut.model_validate(balance) if balance else None,
            client_under_moderation=None
            if related.moderated is None
            else ModerationOut.model_validate(related.moderated.get(position.client_id, UnderModeration())),
            internal=PositionInternal(
                supplier_id=position.supplier_id,
                supplier_name=supplier.name if supplier else None,
                supplier_statistics=statistics.label if statistics else None,
                purchase_price=position.purchase_price,
                purchase_order_id=position.purchase_order_id,
                manager_comment=position.manager_comment,
                refusal_reason=position.refusal_reason,
                removal_reason=position.removal_reason,
                chosen_by=position.chosen_by,
                client_phone=client.phone if client else None,
                client_name_verified=client.name_verified if client else None,
            )
            if internal
            else None,
        )


_AS_STORED = [
    "id",
    "office_id",
    "client_id",
    "order_id",
    "order_number",
    "line",
    "article",
    "brand",
    "description",
    "kind",
    "quantity",
    "sale_price",
    "amount",
    "state",
    "state_changed_at",
    "paid",
    "applicable",
    "check_comment",
    "client_comment",
    "finally_refused",
    "term_days",
    "promised_at",
    "no_catalogue",
    "shipment_id",
    "origin_id",
    "split_from_id",
    "version",
]


class ProblemOut(Output):
    """Почему именно эта позиция не прошла (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str

    @classmethod
    def of(cls, error: BusinessError) -> Self:
        return cls(
            type=f"urn:reglament:problem:{error.code}", title=error.title, status=error.status, detail=error.detail
        )


class PositionChange(Input):
    """Меняется только то, что передано."""

    supplier_id: UUID | None = None
    purchase_price: Price | None = None
    term_days: TermDays | None = None
    promised_at: Moment | None = Field(default=None, description="Новый срок поставщика (K10)")
    kind: PartKind | None = None
    manager_comment: Comment | None = Field(default=None, description="Клиент этого не видит (ORD-08)")


class CheckMark(Input):
    """Результат проверки применимости одной позиции (ORD-06)."""

    applicable: bool
    comment: Comment | None = Field(default=None, description="Клиент это прочтёт")


class MarkedPosition(Input):
    position_id: UUID
    version: Annotated[int, Field(ge=1, le=2**53)] = Field(description="Версия, которую видел сотрудник")
    quantity: Pieces | None = Field(default=None, description="Часть позиции; остаток станет отдельной позицией")


class PositionAction(Input):
    """Одно действие над отмеченными позициями (ORD-03)."""

    model_config = examples(
        {
            "action": "issue",
            "items": [{"position_id": "01920000-0000-7000-8000-000000000001", "version": 4}],
            "person_identified": True,
            "disclosures": ["packaging_opened"],
        },
        {
            "action": "remove",
            "items": [{"position_id": "01920000-0000-7000-8000-000000000001", "version": 1}],
            "reason_code": "not_paid",
        },
    )

    action: Literal["order", "receive", "issue", "remove"]
    items: list[MarkedPosition] = Field(min_length=1, max_length=500)
    supplier_id: UUID | None = Field(default=None, description="Для позиций, у которых поставщик не указан")
    reason_code: Code | None = None
    comment: Comment | None = Field(default=None, description="Текст для клиента вместо шаблона причины")
    disclosures: list[Disclosure] = Field(default=[], max_length=10)
    person_identified: bool = False
    override_reason: Comment | None = Field(default=None, description="Решение старшего менеджера (ORD-12)")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({item.position_id for item in self.items}) != len(self.items):
            raise ValueError("позиция отмечена дважды")
        return self


class Refusal(Input):
    """Отказ поставщика от всей позиции или её части."""

    reason: Comment
    final: bool = Field(description="Окончательно: деньги вернутся на баланс клиента (BILL-03)")
    quantity: Pieces | None = None


class Reorder(Input):
    """Заказ у другого поставщика по той же цене продажи (ORD-13)."""

    supplier_id: UUID
    purchase_price: Price
    term_days: TermDays | None = None
    override_reason: Comment | None = None


class ActionResult(Output):
    """Что стало с одной отмеченной позицией (ORD-03)."""

    position_id: UUID
    ok: bool
    state: PositionState | None
    state_label: str | None
    version: int | None
    remainder_id: UUID | None = Field(description="Новая позиция с остатком, если действие касалось части")
    problem: ProblemOut | None

    @classmethod
    def of(cls, result: BulkResult) -> Self:
        return cls(
            position_id=result.position_id,
            ok=result.problem is None,
            state=result.state,
            state_label=result.state.label if result.state else None,
            version=result.version,
            remainder_id=result.remainder_id,
            problem=ProblemOut.of(result.problem) if result.problem else None,
        )


class ActionResults(Output):
    results: list[ActionResult]


class RemovalReasonOut(Output):
    code: str
    label: str
    text: str = Field(description="Шаблон комментария для клиента, можно изменить (K4)")


class RefusedOut(Output):
    position: PositionOut
    remainder: PositionOut | None = Field(description="Часть, от которой поставщик не отказался")
