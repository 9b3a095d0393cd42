"""Request and response bodies."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from services.notifier.clock.domain.rules import RuleBody
from shared.web import Input, Output

_EXAMPLE: dict[str, Any] = {
    "clause": "ORD-04",
    "duty": "payment_contact",
    "title": "Связаться с клиентом о неоплаченном заказе",
    "subject": "order",
    "opens": ["orders.order.placed.v1"],
    "when": {"fact": "paid", "is": False},
    "closes": [
        {
            "event": "clients.call.logged.v1",
            "match": ["order_id", "client_id"],
            "when": {"fact": "goals", "has": "order_contact"},
        }
    ],
    "cancels": [{"event": "billing.order.paid.v1"}],
    "duration": {"amount": 40, "unit": "working_minutes"},
    "warnings": [{"share": 75, "role": "manager"}],
    "ladder": [
        {"role": "manager", "after": {"amount": 0, "unit": "working_minutes"}},
        {"role": "senior_manager", "after": {"amount": 20, "unit": "working_minutes"}},
        {"role": "director", "after": {"amount": 60, "unit": "working_minutes"}},
        {"role": "head_office", "after": {"amount": 120, "unit": "working_minutes"}},
    ],
    "penalty_points": 2,
}


class PutRule(Input, RuleBody):
    """Правило целиком: новая версия заменяет прежнюю для обязанностей, которые откроются после `effective_from`."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    office_id: UUID | None = Field(default=None, description="Вариант одного офиса")
    effective_from: AwareDatetime | None = Field(default=None, description="По умолчанию сразу")

    @property
    def body(self) -> RuleBody:
        fields = self.model_dump(by_alias=True, include=set(RuleBody.model_fields))
        return RuleBody.model_validate(fields)


class CheckRule(PutRule):
    code: Annotated[str, Field(pattern=r"^[A-Z]{2,6}-[0-9]{2}(-[A-Z0-9]{1,20})*$", examples=["ORD-04"])]


class RuleOut(Output):
    """Опубликованная версия правила."""

    code: str
    version: int
    office_id: UUID | None
    effective_from: datetime
    in_force: bool
    published_at: datetime
    published_by: UUID | None
    clause: str
    title: str
    duration_label: str
    rule: dict[str, Any] = Field(description="Тело правила, как его принимает PUT")


class RuleList(Output):
    items: list[RuleOut]
    server_time: datetime


class RuleProblem(Output):
    rule: str
    message: str


class RuleCheck(Output):
    """Итог проверки черновика."""

    ok: bool
    problems: list[RuleProblem]


class DraftCheck(RuleCheck):
    """Итог проверки с тем, что публикации не мешает, но знать стоит."""

    warnings: list[RuleProblem]
