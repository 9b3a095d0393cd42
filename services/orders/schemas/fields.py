"""Kinds of values that several bodies share."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, EmailStr, Field, StringConstraints

from shared.web import one_line

MAX_POSITION_AMOUNT = Decimal(10_000_000)
"""Roubles; keeps every sum of a bulk action inside NUMERIC(14,2)."""


Article = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(one_line)]


Brand = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(one_line)]


Description = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(one_line)]


Comment = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


Code = Annotated[str, StringConstraints(min_length=1, max_length=50)]


Phone = Annotated[str, StringConstraints(min_length=5, max_length=50)]


City = Annotated[str, StringConstraints(min_length=1, max_length=100)]


Pieces = Annotated[int, Field(ge=1, le=10_000)]


TermDays = Annotated[int, Field(ge=0, le=3650)]


Percent = Annotated[int, Field(ge=0, le=100)]


Email = Annotated[EmailStr, Field(max_length=254)]


InquirerName = Annotated[
    str,
    StringConstraints(max_length=200),
    Field(description="Неизвестно — пусто; старая отметка «1» значит то же"),
]


def _reasonable(moment: datetime) -> datetime:
    """Refuse dates near the calendar's ends, which a change of zone would leave.  Raises ValueError."""
    if not 1900 <= moment.year <= 2200:
        raise ValueError("дата вне разумных границ")
    return moment


def _no_epoch(value: Any) -> Any:
    """Refuse numbers, which pydantic would read as seconds since 1970.  Raises ValueError."""
    if isinstance(value, int | float):
        raise ValueError("нужна дата и время в ISO 8601")
    return value


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_no_epoch),
    AfterValidator(_reasonable),
    Field(description="ISO 8601 с часовым поясом"),
]


def examples(*values: dict[str, Any]) -> ConfigDict:
    """Return examples for the API documents, which can be sent as they are, except for ids."""
    return ConfigDict(json_schema_extra={"examples": list(values)})


def ensure_sums_fit(quantity: int, *prices: Decimal | None) -> None:
    """Refuse a position whose sum exceeds MAX_POSITION_AMOUNT.  Raises ValueError."""
    if any(price is not None and price * quantity > MAX_POSITION_AMOUNT for price in prices):
        raise ValueError(f"сумма позиции больше {MAX_POSITION_AMOUNT:,} ₽".replace(",", " "))
