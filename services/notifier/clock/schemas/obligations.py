"""Request and response bodies."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from services.notifier.clock.domain.rules import SubjectKind
from shared.web import Output, Page


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
