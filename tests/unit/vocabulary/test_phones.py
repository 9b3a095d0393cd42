"""What people type for a phone, how it is stored and shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.vocabulary.phones import Phone, UnreadablePhone, read_phone, show_phone


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+7 912 345-67-89", "+79123456789"),
        ("8 (800) 555-35-35", "+78005553535"),
        ("8 (912) 345-67-89", "+79123456789"),
        ("9123456789", "+79123456789"),
        ("79123456789", "+79123456789"),
        ("8-3435-41-23-45", "+73435412345"),
        ("+375 29 123-45-67", "+375291234567"),
        ("+79111111111", "+79111111111"),
    ],
)
def test_a_number_is_read_however_it_is_written(typed: str, stored: str) -> None:
    assert read_phone(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "нет",
        "12",
        "12345",
        "+7 343 200",
        "8" * 40,
        "+7 912 345-67-8",
        "+7 912 345-67-899",
        "8 912 345 67 89 доб. 12",
        "@",
    ],
)
def test_what_is_no_number_is_refused_in_russian(typed: str) -> None:
    with pytest.raises(UnreadablePhone, match="Пример"):
        read_phone(typed)


def test_an_extension_is_dropped_where_that_is_allowed() -> None:
    assert read_phone("8 912 345 67 89 доб. 12", drop_extension=True) == "+79123456789"


def test_a_number_is_shown_for_dialling() -> None:
    assert show_phone("+79125830147") == "+7 912 583-01-47"


def test_a_field_takes_a_number_and_its_refusal_addresses_the_person() -> None:
    phone: TypeAdapter[str] = TypeAdapter(Phone)
    assert phone.validate_python("8 (912) 583-01-47") == "+79125830147"
    with pytest.raises(ValidationError, match="номер"):
        phone.validate_python("звоните")


@given(st.text(max_size=32))
def test_any_text_is_read_or_refused(typed: str) -> None:
    try:
        phone = read_phone(typed)
    except UnreadablePhone:
        return
    assert phone.startswith("+")
    assert read_phone(phone) == phone
    show_phone(phone)
