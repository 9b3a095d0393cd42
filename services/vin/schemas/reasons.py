"""Bodies of the reasons for refusal."""

from datetime import UTC, datetime
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from shared.vocabulary.fields import Code, Comment
from shared.web import Input, Output, ShortText


class NewReason(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "factory_order",
                    "label": "Только под заказ на заводе",
                    "allowed": True,
                    "text": "К сожалению, эту деталь завод делает под заказ. Напишите нам, если Вы готовы ждать.",
                }
            ]
        }
    )

    code: Code
    label: ShortText
    allowed: bool
    text: Comment = Field(description="Допустимая причина: текст для клиента; недопустимая: что делать вместо отказа")
    effective_from: AwareDatetime | None = Field(
        None,
        description="С какого момента действует; пусто — сразу",
        ge=datetime(2000, 1, 1, tzinfo=UTC),
        le=datetime(2100, 1, 1, tzinfo=UTC),
    )


class ReasonOut(Output):
    id: UUID
    code: str
    label: str
    allowed: bool
    text: str
    effective_from: datetime
