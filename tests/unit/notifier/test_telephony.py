"""Calls as Asterisk and Mango Office report them: repeated, out of order, measured against the third ring."""

import pytest

from services.notifier.telephony.domain import normalize_phone

CLIENT = "+79221234567"


@pytest.mark.parametrize(
    ("number", "phone"),
    [("8 (922) 123-45-67", CLIENT), ("9221234567", CLIENT), ("+79221234567", CLIENT), ("101", "101"), ("", "")],
)
def test_numbers_are_read_as_people_write_them(number: str, phone: str) -> None:
    assert normalize_phone(number) == phone
