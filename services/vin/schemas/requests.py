"""Bodies of requests and answers."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from services.vin.domain.labels import LineKind, PreferenceCode, RequestState
from shared.contracts.base import Roubles
from shared.vocabulary.fields import Article, Brand, Code, Comment, ModelYear, TermDays, VehicleNumber
from shared.web import Input, LongText, Output, Price, Quantity, ShortText

Number = Annotated[VehicleNumber, StringConstraints(min_length=5)]


class NewVehicle(Input):
    """Автомобиль: VIN или номер кузова (FRAME), остальное по желанию."""

    vin: Number | None = Field(None, examples=["XTA21124070445066"])
    frame: Number | None = Field(None, description="Номер кузова, например GX105-6010796")
    make: ShortText | None = None
    model: ShortText | None = None
    year: ModelYear | None = None
    engine: ShortText | None = None

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if self.vin is None and self.frame is None:
            raise ValueError("укажите VIN или номер кузова (FRAME)")
        return self


class NewPart(Input):
    text: ShortText = Field(description="Какая деталь нужна", examples=["Колодки тормозные передние"])
    quantity: Quantity = 1


class NewRequest(Input):
    """Запрос по VIN: автомобиль из гаража или новый, пожелание и список деталей."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "vehicle": {"vin": "XTA21124070445066", "make": "Lada", "model": "2112", "year": 2007},
                    "preference": "price_quality",
                    "parts": [{"text": "Колодки тормозные передние"}, {"text": "Фильтр масляный", "quantity": 2}],
                },
                {"vehicle": {"frame": "GX105-6010796"}, "parts": [{"text": "Ремень генератора"}]},
            ]
        }
    )

    client_id: UUID | None = Field(None, description="Сотрудник указывает клиента; сам клиент не заполняет")
    vehicle_id: UUID | None = Field(None, description="Автомобиль из гаража клиента")
    vehicle: NewVehicle | None = None
    preference: PreferenceCode = PreferenceCode.PRICE_QUALITY
    parts: Annotated[list[NewPart], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _one_vehicle(self) -> Self:
        if (self.vehicle_id is None) == (self.vehicle is None):
            raise ValueError("укажите автомобиль из гаража (vehicle_id) или новый (vehicle)")
        return self


class NewOffer(Input):
    """Одна строка — одна деталь одного производителя."""

    article: Article = Field(examples=["GDB1550"])
    brand: Brand = Field(examples=["TRW"])
    description: ShortText = Field(examples=["Колодки тормозные передние"])
    price: Price | None = None
    term_days: TermDays | None = Field(None, description="Срок поставки, дней")
    comment: Comment | None = Field(None, description="Для клиента")
    original: bool = Field(False, description="Деталь производителя автомобиля")


class NewRefusal(Input):
    reason_code: Code = Field(examples=["discontinued"])
    comment: Comment | None = Field(None, description="Для клиента; без него клиент прочитает текст причины")


class NewQuestion(Input):
    text: Comment
    call_attempt_id: UUID = Field(description="Звонок из журнала, на который клиент не ответил")


class LineAnswer(Input):
    """Ровно одно: предложения, отказ с причиной или вопрос."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "offers": [
                        {
                            "article": "GDB1550",
                            "brand": "TRW",
                            "description": "Колодки тормозные передние",
                            "price": "1500.00",
                            "term_days": 2,
                            "comment": "Рекомендуем Вам вместе с ними поменять диски",
                        }
                    ],
                    "preference_note": "К сожалению, оригинал Вам придётся ждать месяц, поэтому предлагаем замену",
                },
                {"refusal": {"reason_code": "discontinued"}},
            ]
        }
    )

    offers: Annotated[list[NewOffer], Field(min_length=1, max_length=20)] | None = None
    refusal: NewRefusal | None = None
    question: NewQuestion | None = None
    preference_note: Comment | None = Field(
        None, description="Почему не удалось учесть пожелание клиента; обращено к клиенту"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(part is not None for part in (self.offers, self.refusal, self.question)) != 1:
            raise ValueError("заполните ровно одно: offers, refusal или question")
        if self.preference_note is not None and self.offers is None:
            raise ValueError("preference_note поясняет предложения и без них не нужен")
        return self


class GiveAnswer(Input):
    notify_client: bool = Field(True, description="«Уведомить клиента об ответе на VIN-запрос» письмом")


class StartCorrection(Input):
    reason: LongText = Field(description="Что исправляется; клиенту не видно")


class VehicleOut(Output):
    vehicle_id: UUID
    vin: str | None
    frame: str | None
    make: str | None
    model: str | None
    year: int | None
    engine: str | None


class OfferOut(Output):
    offer_id: UUID
    article: str
    brand: str
    description: str
    price: Roubles | None = None
    term_days: int | None = None
    comment: str | None = None
    original: bool = False


class LineOut(Output):
    id: UUID
    ordinal: int
    text: str
    quantity: int
    kind: LineKind
    kind_label: str
    offers: list[OfferOut]
    preference_note: str | None = None
    refusal_code: str | None = None
    refusal_reason: str | None = None
    refusal_comment: str | None = None
    question: str | None = None
    chosen_by: UUID | None = None
    chosen_by_name: str | None = None


class AnswerOut(Output):
    """Ответ, как его прочитал клиент; кто подобрал детали, тот и отвечает за подбор."""

    number: int
    answered_by: UUID
    answered_by_name: str
    answered_at: datetime
    notify_client: bool
    lines: list[LineOut]


class RequestRow(Output):
    id: UUID
    office_id: UUID
    number: str
    client_id: UUID
    client_name: str | None
    vehicle: VehicleOut
    preference: PreferenceCode
    preference_label: str
    state: RequestState
    state_label: str
    submitted_at: datetime
    due_at: datetime | None = Field(description="Срок ответа; null, когда срок не идёт или это кабинет клиента")
    overdue: bool
    version: int


class RequestOut(RequestRow):
    correction: str | None = Field(description="Какие похожие русские буквы в номере заменены латинскими")
    lines: list[LineOut] = Field(description="Сотруднику — черновик ответа, клиенту — последний ответ")
    answer: AnswerOut | None = Field(description="Последний ответ клиенту")
    correction_reason: str | None = Field(description="Почему ответ исправляется; только для сотрудников")
