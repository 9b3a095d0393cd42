"""Phones and zones as people type them."""

from zoneinfo import available_timezones

import phonenumbers


def normal_phone(value: str) -> str:
    """E.164 of a Russian or international number: «8 (800) 555-35-35» → +78005553535.  Raises ValueError."""
    try:
        number = phonenumbers.parse(value, "RU")
    except phonenumbers.NumberParseException as error:
        raise ValueError("телефон не читается, пример: +7 495 123-45-67") from error
    if not phonenumbers.is_possible_number(number):
        raise ValueError("в телефоне неверное число цифр, пример: +7 495 123-45-67")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def known_zone(value: str) -> str:
    """A name of the IANA database.  Raises ValueError."""
    if value not in available_timezones():
        raise ValueError("неизвестный часовой пояс, пример: Asia/Yekaterinburg")
    return value
