"""The edges of a card's rules: what it is found by, names of two words, numbers of pairs, the goal of a call."""

import pytest

from services.clients.domain.call_log import goal_of_rule
from services.clients.domain.names import given_name
from services.clients.domain.phones import PhoneSuspicion, suspicion
from services.clients.domain.search import search_words


@pytest.mark.clause("CALL-01", "BILL-06")
def test_a_rule_is_known_by_its_code_or_by_its_clause() -> None:
    assert goal_of_rule("BILL-06", "own") == "payment_check"
    assert goal_of_rule("own-rule", "CALL-01") == "first_call"
    assert goal_of_rule("CALL-03", "CALL-01") == "second_call"
    assert goal_of_rule("own-rule", "ORD-01") is None


def test_the_given_name_is_the_second_word() -> None:
    assert given_name("Иванов Иван Иванович") == "Иван"
    assert given_name("Иванов Иван") == "Иван"
    assert given_name(" Иван ") == "Иван"


@pytest.mark.clause("CL-06")
@pytest.mark.parametrize(
    ("phone", "found"),
    [
        ("+79121212121", PhoneSuspicion.REPEATED_PAIRS),
        ("+79125121212", None),
        ("+79121212123", None),
        ("+79135121212", None),
        ("+79012121212", PhoneSuspicion.REPEATED_PAIRS),
    ],
)
def test_eight_digits_of_equal_pairs_are_made_up_and_seven_are_not(phone: str, found: PhoneSuspicion | None) -> None:
    assert suspicion(phone, cards_with_number=1, cards_allowed=3) is found


@pytest.mark.clause("CL-06")
def test_a_number_of_nothing_but_pairs_is_made_up() -> None:
    assert suspicion("+72323232323", cards_with_number=1, cards_allowed=3) is PhoneSuspicion.REPEATED_PAIRS


def test_a_card_is_found_by_its_words_addresses_and_both_ends_of_the_phone() -> None:
    found = search_words("Семёнов Пётр", "ООО «Лада-Сервис»", "petr@lada.example", "petr.s", "+79125830147")
    assert found == {
        *("семенов", "петр"),
        *("ооо", "лада", "сервис"),
        *("petr", "s", "petr.s", "petr@lada.example"),
        *("79125830147", "~74103852197"),
    }
    assert search_words("Семёнов", None, None, None, None) == {"семенов"}
