"""Что сотрудники делают с обязанностью: перенос, «взял в работу», ожидание, передача, возврат, отметка."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared.vocabulary.fields import Reason
from shared.web import Input

Words = Annotated[Reason, StringConstraints(min_length=3)]


class MoveDeadline(Input):
    """Новый срок по согласованию с клиентом."""

    due_at: AwareDatetime = Field(examples=["2026-11-24T09:00:00Z"])
    reason: Words = Field(description="Что согласовано и с кем", examples=["Клиент просит ответ завтра к обеду"])


class Acknowledge(Input):
    """«Взял в работу»."""

    minutes: Annotated[int, Field(ge=5, le=480)] = Field(default=60, description="Рабочих минут без напоминаний выше")


class SetWaiting(Input):
    """Кого ждёт обязанность."""

    holder: Literal["manager", "client", "supplier"]
    reason: Words = Field(examples=["Уточняем у клиента сторону"])


class Assign(Input):
    staff_id: UUID
    reason: Words = Field(examples=["Иванов в отпуске"])


class Transfer(Input):
    office_id: UUID
    staff_id: UUID | None = Field(default=None, description="Кто отвечает там; пока никто — сообщается всем менеджерам")
    reason: Words = Field(examples=["Клиент переехал, заказ выдаёт другой офис"])


class Reopen(Input):
    reason: Words = Field(examples=["Звонок записан не тому клиенту"])


class Complete(Input):
    comment: Annotated[str, StringConstraints(max_length=500)] = Field(default="", examples=["Отчёт отправлен"])
