"""CL-06: what people type for a phone, and which numbers are not believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clients.domain.phones import PhoneSuspicion, UnreadablePhone, read_phone, show_phone, suspicion


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+7 912 345-67-89", "+79123456789"),
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
    "typed", ["", "нет", "12345", "+7 912 345-67-8", "+7 912 345-67-899", "8 912 345 67 89 доб. 12", "@"]
)
def test_what_is_no_number_is_refused_in_russian(typed: str) -> None:
    with pytest.raises(UnreadablePhone, match="Пример"):
        read_phone(typed)


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ("+79111111111", PhoneSuspicion.SAME_DIGITS),
        ("+79127777777", PhoneSuspicion.SAME_DIGITS),
        ("+79120000000", PhoneSuspicion.SAME_DIGITS),
        ("+79121234567", PhoneSuspicion.DIGIT_RUN),
        ("+79123456789", PhoneSuspicion.DIGIT_RUN),
        ("+79127654321", PhoneSuspicion.DIGIT_RUN),
        ("+79124567890", PhoneSuspicion.DIGIT_RUN),
        ("+79121212121", PhoneSuspicion.REPEATED_PAIRS),
        ("+79053535353", PhoneSuspicion.REPEATED_PAIRS),
        ("+70001234576", PhoneSuspicion.NOT_IN_USE),
        ("+79122777777", None),
        ("+79121234568", None),
        ("+79122121212", None),
        ("+79123456780", None),
        ("+73435412346", None),
        ("+375291234568", None),
    ],
)
def test_fabricated_numbers_are_told_from_real_ones(phone: str, reason: PhoneSuspicion | None) -> None:
    assert suspicion(phone, cards_with_number=1, cards_allowed=3) is reason


@pytest.mark.parametrize(("cards", "reason"), [(3, None), (4, PhoneSuspicion.MANY_CARDS)])
def test_a_number_on_many_cards_is_not_believed(cards: int, reason: PhoneSuspicion | None) -> None:
    assert suspicion("+79125830147", cards_with_number=cards, cards_allowed=3) is reason


def test_every_suspicion_has_words_for_staff() -> None:
    assert all(reason.label for reason in PhoneSuspicion)


def test_a_number_is_shown_for_dialling() -> None:
    assert show_phone("+79125830147") == "+7 912 583-01-47"


@given(st.text(max_size=32))
def test_any_text_is_read_or_refused(typed: str) -> None:
    try:
        phone = read_phone(typed)
    except UnreadablePhone:
        return
    assert phone.startswith("+")
    assert read_phone(phone) == phone
    show_phone(phone)
    suspicion(phone, cards_with_number=1, cards_allowed=3)


@given(st.integers(min_value=9000000000, max_value=9999999999))
def test_mobile_numbers_at_random_are_judged_without_fail(number: int) -> None:
    assert suspicion(f"+7{number}", cards_with_number=1, cards_allowed=3) in (None, *PhoneSuspicion)
