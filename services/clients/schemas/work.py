"""Request and response bodies about calls, garage, consents, texts and figures (CL-13)."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from services.clients.domain.content import ContentCode
from services.clients.schemas.fields import FullName, Moment, PricedArticle, Remark
from shared.contracts.clients import CallGoal, CallOutcome, ConsentPurpose
from shared.vocabulary.fields import Brand, ModelYear, TermDays, VehicleNumber
from shared.web import Input, Output, Price, ShortText

AnswerUnit = Literal["calendar_hours", "seconds"]
Objection = Literal["price", "delivery", "prepayment", "other"]


CALL: dict[str, Any] = {
    "outcome": "reached",
    "goals": ["first_call"],
    "rating": 5,
    "comment": "Сайт удобный, закажет к выходным",
    "source": "листовка в автомойке",
    "full_name": "Иванов Иван Сергеевич",
}


class LogCall(Input):
    """Запись о звонке. Оценка ставится только по состоявшемуся разговору."""

    model_config = ConfigDict(json_schema_extra={"examples": [CALL]})

    outcome: CallOutcome
    goals: Annotated[list[CallGoal], Field(min_length=1, max_length=7)] = Field(
        description="Что звонок закрывает: один звонок может служить нескольким целям", examples=[["first_call"]]
    )
    order_id: UUID | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    comment: Remark = ""
    objection: Objection | None = Field(None, description="Что помешало заказу (CALL-04)")
    source: ShortText | None = Field(None, description="Откуда клиент узнал о магазине (CL-13)")
    full_name: FullName | None = Field(None, description="Настоящее ФИО, узнанное в разговоре (CL-05)")
    called_at: Moment | None = Field(None, description="Если запись делается позже звонка")


class CallFields(Output):
    id: UUID
    client_id: UUID
    staff_id: UUID
    caller: str
    outcome: CallOutcome
    outcome_label: str
    goals: list[CallGoal]
    goal_labels: list[str]
    order_id: UUID | None
    rating: int | None
    rating_label: str | None
    comment: str
    objection: Objection | None
    source: str | None
    called_at: datetime


class CallOut(CallFields):
    """Запись журнала."""

    entry: str = Field(description="Строка журнала по образцу CL-11, время офиса")


class LastAttempt(Output):
    called_at: datetime
    outcome: CallOutcome
    outcome_label: str


class DutyOut(Output):
    """Кому и зачем позвонить."""

    obligation_id: UUID
    office_id: UUID
    rule_code: str
    clause: str
    goal: CallGoal
    goal_label: str
    opened_at: datetime
    due_at: datetime
    seconds_left: int = Field(description="Отрицательно, когда срок прошёл")
    overdue: bool
    warned: bool
    client_id: UUID
    client_name: str
    name_verified: bool
    phone: str | None
    phone_shown: str | None
    phone_suspicion: str | None
    phone_suspicion_label: str | None
    client_time_zone: str
    rating: int | None
    order_id: UUID | None
    subject_kind: str
    subject_id: UUID
    manager_id: UUID | None
    attempts: int = Field(description="Сколько раз звонили с этой целью после открытия")
    last_attempt: LastAttempt | None
    script: str | None


class CallListOut(Output):
    server_time: datetime
    items: list[DutyOut]
    next: str | None = None


class ColdClientOut(Output):
    """Зарегистрировался несколько дней назад и ничего не заказал."""

    client_id: UUID
    office_id: UUID
    full_name: str
    name_verified: bool
    phone: str | None
    phone_shown: str | None
    time_zone: str
    city: str | None
    manager_id: UUID | None
    rating: int | None
    rating_label: str | None
    registered_at: datetime


class ColdListOut(Output):
    server_time: datetime
    script: str
    items: list[ColdClientOut]
    next: str | None = None


class ContactsRequestOut(Output):
    client_id: UUID
    email: str
    requested_at: datetime
    disable_at: datetime


class AddVehicle(Input):
    """Нужен VIN или FRAME, одно из двух."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"vin": "XTA210990Y2766389", "model": "21099"}]})

    vin: VehicleNumber | None = Field(None, examples=["XTA210990Y2766389"])
    frame: VehicleNumber | None = Field(
        None, description="Номер кузова праворульного автомобиля, например GX105-6010796"
    )
    make: ShortText | None = Field(None, examples=["Lada"])
    model: ShortText | None = None
    year: ModelYear | None = None
    engine: ShortText | None = None
    note: Remark | None = None


class ChangeVehicle(Input):
    """Поля, которых нет в запросе, не меняются."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"engine": "21083"}]})

    make: ShortText | None = None
    model: ShortText | None = None
    year: ModelYear | None = None
    engine: ShortText | None = None
    note: Remark | None = None


class VehicleOut(Output):
    id: UUID
    client_id: UUID
    vin: str | None
    frame: str | None
    make: str | None
    model: str | None
    year: int | None
    engine: str | None
    note: str | None
    country: str | None = Field(None, description="Страна производства по VIN")
    possible_years: list[int] = Field([], description="Модельные годы, которые допускает VIN")
    correction: str | None = Field(None, description="Какие русские буквы заменены похожими латинскими")
    created_at: datetime
    version: int


class RecordPriceCheck(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"article": "04465-33471", "brand": "Toyota", "price": "1520.50", "term_days": 3}]
        }
    )

    article: PricedArticle
    brand: Brand
    description: ShortText | None = None
    price: Price | None = None
    term_days: TermDays | None = None


class PriceCheckOut(Output):
    id: UUID
    article: str
    brand: str
    description: str | None
    price: Decimal | None
    term_days: int | None
    checked_at: datetime


class SetConsent(Input):
    given: bool = Field(description="true — дано, false — отозвано")


class ConsentOut(Output):
    id: UUID
    purpose: ConsentPurpose
    purpose_label: str
    document_version: int
    given_at: datetime
    withdrawn_at: datetime | None


class ContentOut(Output):
    code: ContentCode
    number: int
    title: str
    body: str
    effective_from: datetime


class ContractOut(ContentOut):
    """Текст договора с реквизитами офиса."""

    office_name: str | None


class ScriptsOut(Output):
    """Скрипты звонков и ответы на возражения (CALL-01…05)."""

    scripts: dict[CallGoal, ContentOut]
    objections: list[ContentOut]


class PublishContent(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"code": "objection_price", "title": "Высокие цены", "body": "Предложите аналог."}]
        }
    )

    code: ContentCode
    title: ShortText
    body: Annotated[str, StringConstraints(min_length=1, max_length=40_000)]
    effective_from: Moment | None = Field(None, description="Без даты действует сразу")


class PolicyOut(Output):
    id: UUID
    answer_within: int
    unit: AnswerUnit
    cards_per_phone: int
    cold_from_days: int
    cold_until_days: int
    effective_from: datetime


class PublishPolicy(Input):
    answer_within: Annotated[int, Field(ge=1, le=8760)] = Field(description="За сколько клиент должен ответить (CL-06)")
    unit: AnswerUnit = "calendar_hours"
    cards_per_phone: Annotated[int, Field(ge=1, le=1000)] = Field(
        description="На скольких карточках номеру ещё верят (CL-06)"
    )
    cold_from_days: Annotated[int, Field(ge=1, le=365)] = Field(7, description="Обзвон холодной базы: от (CALL-04)")
    cold_until_days: Annotated[int, Field(ge=1, le=365)] = Field(10, description="Обзвон холодной базы: до (CALL-04)")
    effective_from: Moment | None = Field(None, description="Без даты действует сразу")


class PublicOfficeOut(Output):
    id: UUID
    name: str
    city: str
    address: str
    phones: list[str]
    courier_delivery: bool
