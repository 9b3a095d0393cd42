"""Bodies of statistics and of head office's board."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.control.schemas.offices import HintOut
from shared.web import Output


class CountOut(Output):
    name: str
    count: int


class Figures(Output):
    """Что случилось за период."""

    visits: int = Field(default=0, description="Посещения")
    calls: int = Field(default=0, description="Входящие звонки")
    messages: int = Field(default=0, description="Письма, мессенджеры, обращения с сайта")
    inquiries: int = Field(default=0, description="Все обращения")
    open: int = 0
    won: int = Field(default=0, description="Обращения, ставшие заказами")
    lost: int = 0
    conversion_percent: Decimal | None = Field(default=None, description="Доля обращений, ставших заказами, %")
    vip: int = Field(default=0, description="INQ-04")
    bad: int = Field(default=0, description="INQ-05")
    calls_made: int = Field(default=0, description="Звонки клиентам из журнала (CL-11)")
    calls_reached: int = Field(default=0, description="Из них удалось поговорить")
    average_rating: Decimal | None = Field(default=None, description="Средняя оценка клиентов (CL-12)")
    breached: int = Field(default=0, description="Просроченные обязанности")
    penalty_points: int = Field(default=0, description="Штрафные баллы за вычетом снятых (HR-03)")


class ManagerFigures(Figures):
    staff_id: UUID | None = Field(description="null: за офисом, без ответственного")
    staff_name: str | None
    role_label: str | None


class OfficeStatistics(Output):
    office_id: UUID
    office_name: str | None
    totals: Figures
    managers: list[ManagerFigures]
    lost_reasons: list[CountOut]
    goods: list[CountOut] = Field(description="Чем интересовались чаще всего")


class Statistics(Output):
    first_day: date
    last_day: date
    totals: Figures
    offices: list[OfficeStatistics]


class ObligationCounts(Output):
    open: int = Field(default=0, description="Открытые, включая просроченные")
    overdue: int = Field(default=0, description="Открытые, срок которых прошёл")
    breached: int = Field(default=0, description="Просроченные с начала месяца, включая уже закрытые")


class OfficeBoard(Output):
    office_id: UUID
    name: str
    city: str
    active: bool
    acting_director: str | None = Field(description="Управляющий, а пока его нет, старший менеджер (ORG-03)")
    acting_director_role_label: str | None
    turnover_this_month: Decimal
    turnover_last_month: Decimal
    hints: list[HintOut]
    obligations: ObligationCounts
    figures: Figures = Field(description="С начала месяца офиса")


class QueueBoard(Output):
    name: str
    depth: int
    ready: int
    unacknowledged: int
    consumers: int


class BrokerBoard(Output):
    state: Literal["ok", "no_answer", "not_configured"]
    state_label: str
    queues: list[QueueBoard]


class ServiceBoard(Output):
    """Состояние обмена событиями одного сервиса."""

    service: str
    state: Literal["ok", "no_answer"]
    state_label: str
    outbox_backlog: int | None
    outbox_oldest_seconds: float | None
    parked: int | None
    retrying: int | None


class Board(Output):
    at: datetime
    obligations: ObligationCounts
    figures: Figures
    offices: list[OfficeBoard]
    broker: BrokerBoard
    services: list[ServiceBoard]
