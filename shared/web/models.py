"""Bases of request and response bodies."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from shared.persistence.database import MAX_INTEGER
from shared.vocabulary.fields import one_line


def _strings(value: Any) -> Iterator[str]:
    """Yield all strings at any depth, without recursion: the parser accepts deeper nesting than Python's stack."""
    left = [value]
    while left:
        found = left.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            left += [*found.keys(), *found.values()]
        elif isinstance(found, list):
            left += found


BIDI_CONTROLS = frozenset("\u202b\u202d\u202e\u2067")
"""Marks that reverse the reading direction of what follows, on a printed contract too."""


def storable(value: str) -> str:
    """Return the text.  Raises ValueError for NUL, lone surrogates (PostgreSQL refuses both) and `BIDI_CONTROLS`."""
    if "\x00" in value:
        raise ValueError("строка содержит нулевой символ")
    if not BIDI_CONTROLS.isdisjoint(value):
        raise ValueError("строка содержит символы, меняющие направление письма")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("строка содержит недопустимые символы") from None
    return value


class Input(BaseModel):
    """A request body: unknown fields and unstorable characters are refused, strings are trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unstorable(cls, data: Any) -> Any:
        for value in _strings(data):
            storable(value)
        return data


class Output(BaseModel):
    """A response body, readable from table rows."""

    model_config = ConfigDict(from_attributes=True)


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(one_line)]
"""One line of up to 200 characters."""
LongText = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Quantity = Annotated[int, Field(ge=1, le=10_000)]
PositiveInteger = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
SearchText = Annotated[str, StringConstraints(max_length=200), AfterValidator(storable)]
"""A query parameter that is compared with a column."""


_PLAIN_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)


def _plain_number(value: Any) -> Any:
    """Return a float as its shortest text, which is what the caller wrote in JSON.

    Raises ValueError for text that only Python reads as a number: «1_000», digits of other scripts.
    """
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str) and not _PLAIN_NUMBER.fullmatch(value):
        raise ValueError("нужно число, например 1500.50")
    return value


Price = Annotated[
    Decimal,
    BeforeValidator(_plain_number),
    Field(gt=0, le=99_999_999, max_digits=10, decimal_places=2, allow_inf_nan=False),
    AfterValidator(lambda price: price.quantize(Decimal("0.01"))),
]
"""Roubles with kopecks, more than zero."""
