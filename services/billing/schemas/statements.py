"""Request and response bodies."""

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.web import Input, Output


class StatementOut(Output):
    matched: int = Field(description="зачислено")
    unmatched: int = Field(description="ждут разбора")
    repeated: int = Field(description="уже были в прежних выписках")


class StatementLineOut(Output):
    id: UUID
    number: str
    day: date
    payer_name: str
    payer_inn: str | None
    payer_account: str | None
    purpose: str
    amount: Decimal
    state: Literal["matched", "unmatched"]
    payment_id: UUID | None
    version: int


class AssignLine(Input):
    client_id: UUID
    invoice_id: UUID | None = None
