"""Request and response bodies about incoming mail and mailboxes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.web import Input, Output

Security = Literal["tls", "starttls", "none"]


class PutMailbox(Input):
    """Почтовый ящик офиса (IMAP)."""

    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:-]{1,255}$")] = Field(examples=["imap.example.ru"])
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    security: Security = "tls"
    login: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None, description="Пусто — оставить прежний"
    )
    folder: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ._/-]{1,100}$")] = "INBOX"
    active: bool = True


class MailboxOut(Output):
    office_id: UUID
    version: int
    host: str
    port: int
    security: Security
    login: str
    folder: str
    active: bool
    checked_at: datetime | None
    error: str | None = Field(description="Почему в последний раз не вышло")


class MailRow(Output):
    """Письмо в офис."""

    id: UUID = Field(description="Он же номер обращения, если письмо его открыло")
    office_id: UUID
    thread_id: UUID = Field(description="Переписка: её первое письмо или уведомление, на которое ответил клиент")
    client_id: UUID | None
    sender: str
    sender_name: str
    title: str
    kind: Literal["message", "automatic", "bounce"]
    attachments: list[str]
    received_at: datetime
    answered_at: datetime | None


class MailOut(MailRow):
    text: str


class AnswerMail(Input):
    text: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]


class MailAnswerOut(Output):
    notice_id: UUID = Field(description="Письмо в очереди отправки")
