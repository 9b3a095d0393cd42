"""What callers send: request bodies, one per use case."""

from typing import Literal, Self
from uuid import UUID

from pydantic import (
    Field,
    model_validator,
)

from services.orders.models.inquiry import CustomerType, InquiryChannel, InquiryStatus, TaskKind
from services.orders.schemas.fields import (
    Article,
    City,
    Code,
    Comment,
    InquirerName,
    Moment,
    Phone,
    Pieces,
    ensure_sums_fit,
    examples,
)
from shared.web import Input, LongText, Price, ShortText


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
