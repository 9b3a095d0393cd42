"""Звонки по данным телефонии (CALL-09)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.web import (
    Output,
)

Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


Seconds = Annotated[float, Field(ge=0, le=4_000_000_000)]


class AsteriskEvent(BaseModel):
    """Событие AMI в JSON; прочие поля не нужны."""

    model_config = ConfigDict(extra="ignore")

    Event: Text
    Linkedid: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
    Uniqueid: Text = ""
    CallerIDNum: Text = ""
    Exten: Text = ""
    Context: Text = ""
    DialStatus: Text = ""
    Timestamp: Seconds


class MangoSide(BaseModel):
    number: Text = ""
    extension: Text = ""
    line_number: Text = ""


class MangoCall(BaseModel):
    """Уведомление Mango Office о звонке или его итог."""

    model_config = ConfigDict(extra="ignore")

    entry_id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
    call_state: Text = ""
    location: Text = ""
    timestamp: Seconds = 0
    create_time: Seconds = 0
    talk_time: Seconds = 0
    end_time: Seconds = 0
    line_number: Text = ""
    caller: MangoSide = Field(default=MangoSide(), alias="from")
    called: MangoSide = Field(default=MangoSide(), alias="to")


class NewsTaken(Output):
    call_id: UUID | None


class CallOut(Output):
    """Звонок."""

    id: UUID
    office_id: UUID
    direction: Literal["in", "out"]
    phone: str
    line: str
    client_id: UUID | None
    began_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    in_time: bool | None = Field(description="CALL-09: трубку взяли к третьему звонку")


class CallStatistics(Output):
    """CALL-09 за период."""

    incoming: int
    answered: int
    missed: int
    in_time: int
    late: int
    in_time_percent: float | None
    median_answer_seconds: float | None
    outgoing: int
