"""Bodies of inquiries and their tasks (INQ-02)."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from services.orders.domain.inquiry_marks import Mark
from services.orders.models import Inquiry, InquiryTask
from services.orders.models.inquiry import CustomerType, InquiryChannel, InquiryStatus, TaskKind
from services.orders.schemas.fields import Article, Code, InquirerName, Moment, Phone, Pieces, ensure_sums_fit, examples
from shared.vocabulary.fields import Comment, PlaceName
from shared.web import Input, LongText, Output, Price, ShortText


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
    """Return whether the task promises a call, which needs a telephone number (INQ-02)."""
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
    city: PlaceName
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
        """Require a telephone number where a call or a delivery is promised (INQ-02, K9)."""
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
    city: PlaceName | None = None


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


CHANNEL_LABELS = {
    "visit": "Посещение",
    "phone": "Звонок",
    "email": "Почта",
    "messenger": "Мессенджер",
    "site": "Сайт",
}
STATUS_LABELS = {"open": "В работе", "won": "Оформлен заказ", "lost": "Потеряно"}
TASK_LABELS = {
    "supplier_request": "Заявка поставщику",
    "call_on_arrival": "Звонок о поступлении",
    "payment_check": "Проверить оплату",
    "call_back": "Перезвонить",
    "other": "Другое",
}
ANONYMOUS = "Без имени"


class TaskOut(Output):
    id: UUID
    inquiry_id: UUID
    staff_id: UUID
    kind: TaskKind
    kind_label: str
    text: str
    due_at: datetime
    done_at: datetime | None
    result: str | None
    version: int

    @classmethod
    def of(cls, task: InquiryTask) -> Self:
        names = [name for name in cls.model_fields if name != "kind_label"]
        return cls(**{name: getattr(task, name) for name in names}, kind_label=TASK_LABELS[task.kind])


class InquirySummary(Output):
    id: UUID
    office_id: UUID
    staff_id: UUID
    customer_type: CustomerType
    channel: InquiryChannel
    channel_label: str
    name: str | None
    name_label: str = Field(description="Имя или «Без имени» (INQ-02)")
    phone: str | None
    city: str
    items: list[InquiryItem]
    total: Decimal | None
    features: dict[str, Any]
    delivery: bool
    call_back_promised: bool
    internet_advantages_told: bool
    comment: str | None
    suggested_mark: Mark | None = Field(description="Предложение системы (INQ-04, INQ-05)")
    criteria: list[str] = Field(description="По каким признакам")
    mark: Mark | None = Field(description="Решение менеджера")
    status: InquiryStatus
    status_label: str
    status_changed_at: datetime
    lost_reason: str | None
    order_id: UUID | None
    recorded_at: datetime
    version: int

    @classmethod
    def of(cls, inquiry: Inquiry) -> Self:
        return cls(
            **{name: getattr(inquiry, name) for name in _AS_STORED},
            channel_label=CHANNEL_LABELS[inquiry.channel],
            status_label=STATUS_LABELS[inquiry.status],
            name_label=inquiry.name or ANONYMOUS,
        )


_AS_STORED = [
    name for name in InquirySummary.model_fields if name not in ("channel_label", "status_label", "name_label")
]


class InquiryOut(InquirySummary):
    tasks: list[TaskOut]


class LostReasonOut(Output):
    code: str
    label: str
