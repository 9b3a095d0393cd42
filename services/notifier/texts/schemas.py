"""Request and response bodies."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.web import Input, Output


class TemplateOut(Output):
    name: str
    title: str
    channel: Literal["email", "sms"]


class Preview(Output):
    name: str
    title: str
    text: str
    html: str | None


Source = Annotated[str, StringConstraints(min_length=1, max_length=20_000, strip_whitespace=False)]


class TextScope(Input):
    office_id: UUID | None = Field(default=None, description="Чей текст; null — всей сети")


class PutDraft(TextScope):
    """Текст письма или SMS: слова, данные в {{ }}, условия и циклы Jinja; в HTML — простая разметка."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None, description="Тема; у SMS нет"
    )
    text: Source
    html: Source | None = Field(default=None, description="Тело письма без оформления сети; у SMS нет")


class DraftOut(Output):
    # The published name of the schema begins with the module of the first release, as in `clock/schemas/drafts.py`.
    __module__ = "services.notifier.schemas_delivery"

    name: str
    version: int
    for_office_id: UUID | None
    title: str | None
    text: str
    html: str | None
    edited_by: UUID | None
    edited_at: datetime


class TemplateVersionOut(Output):
    name: str
    version: int
    for_office_id: UUID | None = Field(description="null — вся сеть")
    title: str | None
    text: str | None = Field(description="null — с этой версии действует более общий текст")
    html: str | None
    published_by: UUID | None
    published_at: datetime
