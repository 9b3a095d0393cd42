"""Request and response bodies."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from services.notifier.clock.domain.rules import RuleBody, SubjectKind
from shared.web import Input, Output, Page


class ObligationOut(Output):
    """Обязанность со сроком."""

    id: UUID
    version: int
    generation: int = Field(description="Растёт, когда срок пересчитан из-за изменившихся условий")
    rule_code: str
    rule_version: int
    clause: str = Field(description="Пункт регламента")
    title: str
    office_id: UUID
    office_name: str | None
    subject_kind: SubjectKind
    subject_label: str = Field(description="О чём: «заказ З-0012»")
    subject_id: UUID
    client_id: UUID | None
    client_name: str | None
    responsible_staff_id: UUID | None
    responsible_name: str | None
    state: Literal["open", "done", "cancelled"]
    state_label: str
    opened_at: datetime
    soon_at: datetime = Field(description="С этого момента срок считается близким")
    due_at: datetime
    seconds_left: int = Field(description="До срока на момент server_time; отрицательное — просрочено")
    overdue: bool
    paused_at: datetime | None = Field(default=None, description="Отсчёт стоит с этого момента")
    waits_for: Literal["manager", "client", "supplier"] | None = Field(default=None, description="Кого ждёт сейчас")
    warned_at: datetime | None
    breached_at: datetime | None
    closed_at: datetime | None


class ObligationCounts(Output):
    """Открытые обязанности по группам."""

    open: int
    soon: int
    overdue: int
    mine: int
    mine_soon: int
    mine_overdue: int


class ObligationPage(Page[ObligationOut]):
    """«Мой день»."""

    server_time: datetime
    counts: ObligationCounts


class HistoryEntry(Output):
    event: str
    event_label: str
    generation: int
    at: datetime
    recorded_at: datetime
    role: str | None = None
    role_label: str | None = None
    told: list[str] = Field(default=[], description="Кому сообщено")
    details: dict[str, Any]


class StepOut(Output):
    """Шаг лестницы."""

    level: int
    kind: Literal["warning", "breach", "escalation", "limit"]
    kind_label: str
    at: datetime
    role: str | None
    role_label: str | None
    action: str | None
    fired: bool


class HolderMinutes(Output):
    """Сколько минут обязанность ждала: рабочих, если правило считает рабочее время."""

    holder: str
    holder_label: str
    minutes: int


class SpanOut(Output):
    """Время, когда ждали не менеджера."""

    holder: str
    holder_label: str
    pauses: bool = Field(description="Отсчёт стоял")
    began_at: datetime
    ended_at: datetime | None
    until: datetime | None = Field(default=None, description="Тогда отсчёт пойдёт сам: предел паузы по правилу")


class RemarkOut(Output):
    """Что сделал сотрудник и почему."""

    event: str
    event_label: str
    at: datetime
    staff_id: UUID
    staff_name: str | None
    text: str


class ObligationDetails(ObligationOut):
    server_time: datetime
    penalty_points: int
    agreed_due_at: datetime | None = Field(default=None, description="Срок, согласованный с клиентом")
    acknowledged_by: UUID | None = None
    acknowledged_until: datetime | None = Field(default=None, description="До этого момента выше не сообщается")
    minutes: list[HolderMinutes]
    spans: list[SpanOut]
    remarks: list[RemarkOut]
    calendar_is_current: bool = Field(description="Нет: календарь офиса с тех пор изменился, а срок остался прежним")
    steps: list[StepOut]
    history: list[HistoryEntry]
    explanation: list[str]


class Explanation(Output):
    obligation_id: UUID
    generation: int
    due_at: datetime
    rule_code: str
    rule_version: int
    calendar_version: int
    time_zone: str
    sentences: list[str]


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


NoticeState = Literal["queued", "sending", "sent", "delivered", "failed", "expired", "unknown"]
NoticeChannel = Literal["email", "sms"]


class NoticeRow(Output):
    """Письмо или SMS."""

    id: UUID
    office_id: UUID
    channel: NoticeChannel
    channel_label: str
    purpose: Literal["service", "advertising", "staff", "supplier"]
    template: str
    client_id: UUID | None
    staff_id: UUID | None
    obligation_id: UUID | None
    subject_kind: str | None
    subject_id: UUID | None
    recipient: str
    recipient_name: str
    title: str | None
    state: NoticeState
    state_label: str
    attempts: int
    last_answer: str | None
    created_at: datetime
    next_attempt_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None


class AttemptOut(Output):
    number: int
    at: datetime
    outcome: str
    answer: str


class NoticeDetails(NoticeRow):
    text: str | None
    html: str | None
    attachments: list[str]
    tries: list[AttemptOut]


class MessageOut(Output):
    """Сообщение в кабинете."""

    id: UUID
    client_id: UUID
    template: str
    title: str
    text: str
    html: str
    subject_kind: str | None
    subject_id: UUID | None
    created_at: datetime
    read_at: datetime | None


class MessagePage(Page[MessageOut]):
    unread: int
    server_time: datetime


class TemplateOut(Output):
    name: str
    title: str
    channel: Literal["email", "sms"]


class Preview(Output):
    name: str
    title: str
    text: str
    html: str | None


class DraftCheck(RuleCheck):
    """Итог проверки с тем, что публикации не мешает, но знать стоит."""

    warnings: list[RuleProblem]
