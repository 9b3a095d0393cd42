"""What a card is found by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clients.domain.search import LAST, search_words, wanted_beginnings

CARD = search_words("Королёв Семён Ильич", "ООО «Авто-Сервис 7»", "k.semen@mail.example", "k.semen", "+79125830147")


def found(asked: str) -> bool:
    """As the query does it: of each set one beginning fits one word of the card."""
    wanted = wanted_beginnings(asked)
    return bool(wanted) and all(
        any(beginning <= word < beginning + LAST for beginning in beginnings for word in CARD) for beginnings in wanted
    )


@pytest.mark.parametrize(
    "asked",
    [
        "королев",
        "КОРОЛЁВ семен",
        "Сем",
        "ильич королев",
        "авто-сервис",
        "ооо сервис 7",
        "k.semen@mail.example",
        " K.Semen@",
        "k.semen",
        "+7 912 583-01-47",
        "8 (912) 583 01 47",
        "9125830147",
        "0147",
        "30-147",
        "7912",
    ],
)
def test_the_card_is_found(asked: str) -> None:
    assert found(asked)


@pytest.mark.parametrize(
    "asked", ["петров", "королев пётр", "0148", "147", "k.semen@gmail", "%", "~", "'", "", "оролев"]
)
def test_another_card_is_not(asked: str) -> None:
    assert not found(asked)


@given(st.text(max_size=50))
def test_any_text_may_be_asked_for(asked: str) -> None:
    for beginnings in wanted_beginnings(asked):
        assert beginnings
        assert all(word and word < word + LAST for word in beginnings)
