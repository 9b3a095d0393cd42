"""Request and response bodies about the policy of delivery, templates, mailboxes and telephony."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared.persistence.database import MAX_INTEGER
from shared.web import Input, Output

LocalClock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


Limit = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class PutPolicy(Input):
    """Когда, кому и сколько SMS уходит; что делать с неизвестным исходом; за сколько берут трубку."""

    quiet_hours: bool = Field(description="Не слать SMS ночью по местному времени получателя")
    quiet_from: LocalClock = Field(default="21:00", examples=["21:00"])
    quiet_until: LocalClock = Field(default="08:00", examples=["08:00"])
    only_russian_numbers: bool = True
    sms_daily_limit: Limit | None = Field(
        default=1000, description="SMS (частей) одного офиса в день; null — без лимита"
    )
    sms_office_limits: dict[UUID, Limit] = Field(
        default={}, max_length=1000, description="Офис → его собственный лимит"
    )
    sms_number_limit: Limit | None = Field(default=10, description="SMS на один номер за 24 часа; null — без лимита")
    resend_unknown_mail: bool = Field(
        default=False,
        description="Письмо с неизвестным исходом уходит один раз само; иначе решает человек. SMS — всегда человек",
    )
    answer_within_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        default=15, description="CALL-09: сколько длятся три звонка"
    )
    effective_from: AwareDatetime | None = None


class PolicyOut(Output):
    version: int
    effective_from: datetime
    quiet_hours: bool
    quiet_from: str
    quiet_until: str
    only_russian_numbers: bool
    sms_daily_limit: int | None
    sms_office_limits: dict[UUID, int]
    sms_number_limit: int | None
    resend_unknown_mail: bool
    answer_within_seconds: int
    published_by: UUID | None
    published_at: datetime


class SmsUsageOut(Output):
    """Сколько SMS ушло у офиса за его день."""

    office_id: UUID
    office_name: str | None
    day: date
    parts: int = Field(description="Частей: длинный текст — несколько SMS")
    limit: int | None
    exhausted_at: datetime | None = Field(description="Когда лимит кончился и головной офис получил письмо")
