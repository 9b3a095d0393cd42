"""Bodies about penalty points and figures of the regulations."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from services.control.domain.policy import PolicyCode
from services.control.schemas.fields import PlannedDay
from shared.vocabulary.fields import Reason
from shared.web import Input, Output


class ImposePenalty(Input):
    staff_id: UUID
    points: Annotated[int, Field(ge=1, le=1000)] = Field(examples=[3])
    clause: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(
        description="Нарушенный пункт регламента", examples=["CALL-09"]
    )
    reason: Reason = Field(examples=["Трубку сняли после пятого звонка"])


class WithdrawPenalty(Input):
    reason: Reason = Field(examples=["Клиент сам попросил перезвонить позже"])


class PenaltyOut(Output):
    id: UUID
    office_id: UUID
    staff_id: UUID | None = Field(description="null: ответственный не был назначен, баллы за офисом")
    staff_name: str | None
    points: int
    clause: str
    reason: str
    subject_kind: str | None
    subject_id: UUID | None
    obligation_id: UUID | None
    imposed_by: UUID | None = Field(description="null: начислено системой за просроченную обязанность")
    imposed_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: UUID | None
    withdrawal_reason: str | None
    version: int


class SetPolicy(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"code": "turnover_threshold", "effective_from": "2027-01-01", "value": "1500000.00"}]
        }
    )

    code: PolicyCode
    effective_from: PlannedDay
    value: Annotated[
        Decimal,
        BeforeValidator(lambda value: repr(value) if isinstance(value, float) else value),
        Field(ge=0, max_digits=14, decimal_places=2, allow_inf_nan=False),
    ]


class PolicyValueOut(Output):
    effective_from: date
    value: Decimal
    set_by: UUID
    set_at: datetime


class PolicyOut(Output):
    """Величина регламента; правится головным офисом с даты."""

    code: PolicyCode
    title: str
    clause: str
    unit: str
    default: Decimal = Field(description="Значение из регламента, пока не задано другое")
    current: Decimal
    values: list[PolicyValueOut]
