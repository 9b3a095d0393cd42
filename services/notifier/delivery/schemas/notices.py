"""Request and response bodies."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.web import Input, Output, Page

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


class NoticeResolution(Input):
    delivered: bool = Field(description="Дошло ли до получателя")
