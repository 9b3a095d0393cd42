"""Which phone numbers are doubted (CL-06)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clients.domain.phones import PhoneSuspicion, suspicion
from shared.vocabulary.phones import UnreadablePhone, read_phone


@pytest.mark.clause("CL-06")
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


@given(st.text(max_size=32))
def test_any_number_that_can_be_read_is_evaluated(typed: str) -> None:
    try:
        phone = read_phone(typed)
    except UnreadablePhone:
        return
    assert suspicion(phone, cards_with_number=1, cards_allowed=3) in (None, *PhoneSuspicion)


@given(st.integers(min_value=9000000000, max_value=9999999999))
def test_mobile_numbers_at_random_are_judged_without_fail(number: int) -> None:
    assert suspicion(f"+7{number}", cards_with_number=1, cards_allowed=3) in (None, *PhoneSuspicion)
