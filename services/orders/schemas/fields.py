"""Kinds of values that several bodies share."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.vocabulary import fields
from shared.vocabulary.fields import one_line
from shared.web import Quantity

MAX_POSITION_AMOUNT = Decimal(10_000_000)
"""Roubles; keeps every sum of a bulk action inside NUMERIC(14,2)."""

Article = Annotated[fields.Article, AfterValidator(one_line)]
Brand = Annotated[fields.Brand, AfterValidator(one_line)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(one_line)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=50)]
"""Any code of an office's own; `shared.vocabulary.fields.Code` is head office's."""
Phone = Annotated[str, StringConstraints(min_length=5, max_length=50)]
"""As it was said at the counter: an inquiry keeps what cannot be called, too."""
Pieces = Quantity
TermDays = Annotated[int, Field(ge=0, le=3650)]
"""Days; an order for years ahead is kept, while `shared.vocabulary.fields.TermDays` limits an offer to one."""
InquirerName = Annotated[
    str,
    StringConstraints(max_length=200),
    Field(description="Неизвестно — пусто; старая отметка «1» значит то же"),
]


def _no_epoch(value: Any) -> Any:
    """Refuse numbers, which pydantic would read as seconds since 1970.  Raises ValueError."""
    if isinstance(value, int | float):
        raise ValueError("нужна дата и время в ISO 8601")
    return value


Moment = Annotated[
    fields.Moment,
    BeforeValidator(_no_epoch),
    Field(description="ISO 8601 с часовым поясом"),
]


def examples(*values: dict[str, Any]) -> ConfigDict:
    """Return examples for the API documents, which can be sent as they are, except for ids."""
    return ConfigDict(json_schema_extra={"examples": list(values)})


def ensure_sums_fit(quantity: int, *prices: Decimal | None) -> None:
    """Refuse a position whose sum exceeds MAX_POSITION_AMOUNT.  Raises ValueError."""
    if any(price is not None and price * quantity > MAX_POSITION_AMOUNT for price in prices):
        raise ValueError(f"сумма позиции больше {MAX_POSITION_AMOUNT:,} ₽".replace(",", " "))
