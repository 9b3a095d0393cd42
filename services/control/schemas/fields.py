"""Kinds of values that several requests carry."""

from datetime import date
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from shared.vocabulary import fields
from shared.vocabulary.phones import read_phone

Phone = Annotated[
    str, StringConstraints(min_length=3, max_length=40), AfterValidator(partial(read_phone, drop_extension=True))
]
"""A phone of an office or an employee; people write it with an extension, which is not kept."""
TimeZone = Annotated[fields.TimeZone, StringConstraints(min_length=1)]
PlannedDay = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
"""Dates outside are typing mistakes, and the arithmetic of working time does not reach them."""
Login = Annotated[
    str,
    StringConstraints(min_length=3, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]*$"),
    AfterValidator(str.lower),
]
"""Case does not matter; Latin letters, digits and . _ @ + -."""
Password = Annotated[str, StringConstraints(min_length=8, max_length=128)]
"""A new password of an employee."""
