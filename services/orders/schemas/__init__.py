"""What callers send: request bodies, one per use case."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    model_validator,
)

from services.orders.domain.disclosures import Disclosure
from services.orders.domain.return_matrix import Ground, OfferCode
from services.orders.models.claim import ClientAnswer, Decision, SupplierVerdict
from services.orders.models.inquiry import CustomerType, InquiryChannel, InquiryStatus, TaskKind
from services.orders.models.order import Delivery
from shared.contracts.orders import PartKind
from shared.web import Input, LongText, Price, ShortText, one_line

MAX_POSITION_AMOUNT = Decimal(10_000_000)
"""Roubles: keeps every sum of a bulk action inside NUMERIC(14,2)."""

Article = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(one_line)]
Brand = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(one_line)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(one_line)]
Comment = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=50)]
Phone = Annotated[str, StringConstraints(min_length=5, max_length=50)]
City = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Pieces = Annotated[int, Field(ge=1, le=10_000)]
TermDays = Annotated[int, Field(ge=0, le=3650)]
Percent = Annotated[int, Field(ge=0, le=100)]
Email = Annotated[EmailStr, Field(max_length=254)]
InquirerName = Annotated[
    str,
    StringConstraints(max_length=200),
    Field(description="Неизвестно — пусто; старая отметка «1» значит то же"),
]


def _reasonable(moment: datetime) -> datetime:
    """Far from the calendar's ends, where a change of zone would leave it."""
    if not 1900 <= moment.year <= 2200:
        raise ValueError("дата вне разумных границ")
    return moment


def _no_epoch(value: Any) -> Any:
    """Seconds since 1970 are not a date that a person wrote."""
    if isinstance(value, int | float):
        raise ValueError("нужна дата и время в ISO 8601")
    return value


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_no_epoch),
    AfterValidator(_reasonable),
    Field(description="ISO 8601 с часовым поясом"),
]


def examples(*values: dict[str, Any]) -> ConfigDict:
    """Bodies that a reader of the API documents can send as they are, ids aside."""
    return ConfigDict(json_schema_extra={"examples": list(values)})


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


class PlaceOrder(Input):
    """Вся корзина клиента становится заказом."""

    client_id: UUID
    check_requested: bool = Field(default=False, description="Проверить применимость (ORD-06)")
    vehicle_id: UUID | None = None
    disclosures: list[Disclosure] = Field(default=[], max_length=10)
    delivery: Delivery = "office"
    delivery_city: City | None = None
    delivery_note: Comment | None = Field(default=None, description="О чём договорились с менеджером (ORD-18)")

    @model_validator(mode="after")
    def _delivery_is_complete(self) -> Self:
        if self.delivery == "courier" and self.delivery_city is None:
            raise ValueError("для доставки нужен город")
        return self


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


class InquiryItem(Input):
    text: ShortText = Field(description="Товар или вид товара, без личных данных")
    quantity: Pieces = 1
    article: Article | None = None
    price: Price | None = None
    category: ShortText | None = Field(default=None, description="Категория 2-го уровня (INQ-04)")


class NewTask(Input):
    kind: TaskKind
    text: Comment
    due_at: Moment | None = Field(default=None, description="По умолчанию — сейчас; проверка оплаты — через 2 дня")


def is_call(task: NewTask) -> bool:
    """Whether the task promises a call, which takes a telephone number (INQ-02)."""
    return task.kind in ("call_back", "call_on_arrival")


class NewInquiry(Input):
    """Посещение, звонок или сообщение (INQ-02)."""

    model_config = examples(
        {
            "customer_type": "individual",
            "channel": "visit",
            "name": "Сергей",
            "city": "Москва",
            "items": [{"text": "Колодки тормозные", "quantity": 1, "price": "1800.00"}],
            "status": "lost",
            "lost_reason": "high_price",
        },
        {
            "customer_type": "legal_entity",
            "channel": "phone",
            "phone": "+74951234567",
            "call_back_promised": True,
            "city": "Нижний Тагил",
            "items": [{"text": "Фильтры", "quantity": 40, "price": "2500.00", "category": "Фильтры"}],
            "regular": True,
            "status": "open",
            "tasks": [{"kind": "supplier_request", "text": "Запросить наличие у поставщика"}],
        },
    )

    customer_type: CustomerType
    channel: InquiryChannel
    name: InquirerName | None = None
    phone: Phone | None = None
    city: City
    items: list[InquiryItem] = Field(min_length=1, max_length=100)
    delivery: bool = False
    call_back_promised: bool = False
    internet_advantages_told: bool = Field(default=False, description="CALL-13")
    regular: bool = Field(default=False, description="Цикличные или регулярные закупки")
    state_institution: bool = False
    discontinued_without_alternative: bool = False
    components: bool = False
    mark: Literal["vip", "bad"] | None = None
    status: InquiryStatus
    lost_reason: Code | None = None
    order_id: UUID | None = None
    comment: LongText | None = None
    tasks: list[NewTask] = Field(default=[], max_length=20)

    @model_validator(mode="after")
    def _phone_as_promised(self) -> Self:
        """INQ-02, K9."""
        if self.phone is None and (self.delivery or self.call_back_promised or any(map(is_call, self.tasks))):
            raise ValueError("нужен телефон: обещан звонок или оформляется доставка")
        for item in self.items:
            ensure_sums_fit(item.quantity, item.price, None)
        return self


class InquiryContact(Input):
    """Что человек сказал о себе позже; меняется только то, что передано, телефон и город не стираются (INQ-02)."""

    model_config = examples({"phone": "+79031234567"})

    name: InquirerName | None = None
    phone: Phone | None = None
    city: City | None = None


class InquiryStatusBody(Input):
    status: InquiryStatus
    lost_reason: Code | None = None
    order_id: UUID | None = None
    paid_online: bool = Field(default=False, description="Заказ оплачен онлайн после первого касания (INQ-04)")
    tasks: list[NewTask] = Field(default=[], max_length=20)


class InquiryMark(Input):
    mark: Literal["vip", "bad"] | None = Field(description="Решает менеджер; null — без отметки")


class TaskDone(Input):
    result: Comment | None = None


class NewPolicy(Input):
    """Новая версия правила; состав `data` — как у прежней версии."""

    model_config = examples({"data": {"exempt_categories": ["opt5", "opt10"]}})

    effective_from: Moment | None = Field(default=None, description="По умолчанию — сейчас")
    data: dict[str, Any]


def ensure_sums_fit(quantity: int, *prices: Decimal | None) -> None:
    """Raises ValueError."""
    if any(price is not None and price * quantity > MAX_POSITION_AMOUNT for price in prices):
        raise ValueError(f"сумма позиции больше {MAX_POSITION_AMOUNT:,} ₽".replace(",", " "))
