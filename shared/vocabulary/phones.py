"""Phone numbers: as people type them, as they are stored and as they are shown."""

from typing import Annotated

import phonenumbers
from pydantic import AfterValidator, StringConstraints

HOME_REGION = "RU"


class UnreadablePhone(ValueError):
    """The text is not a phone number at all.  The message addresses the person, in Russian."""


def read_phone(text: str, *, drop_extension: bool = False) -> str:
    """Return the number in E.164 form, «8 912 583-01-47» → «+79125830147».

    An extension is refused unless it may be dropped.  Raises UnreadablePhone.
    """
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException:
        raise UnreadablePhone("Это не похоже на номер телефона. Пример: +7 912 583-01-47") from None
    if (number.extension and not drop_extension) or not phonenumbers.is_possible_number(number):
        raise UnreadablePhone("В номере телефона лишние или недостающие цифры. Пример: +7 912 583-01-47")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def show_phone(phone: str) -> str:
    """Return a stored number for reading aloud and dialling: «+7 912 583-01-47»."""
    return phonenumbers.format_number(phonenumbers.parse(phone), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


Phone = Annotated[str, StringConstraints(min_length=5, max_length=32), AfterValidator(read_phone)]
"""A number as a person types it; stored in E.164 form."""
