"""Daily limits of SMS, the alarm, and every way out of advertising."""

import pytest

from services.notifier.delivery.commands.limits import sms_parts
from services.notifier.delivery.commands.optout import is_stop_word


@pytest.mark.parametrize(("text", "parts"), [("a" * 160, 1), ("a" * 161, 2), ("я" * 70, 1), ("я" * 71, 2), ("", 1)])
def test_sms_are_counted_as_operators_count_them(text: str, parts: int) -> None:
    assert sms_parts(text) == parts


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("СТОП", True),
        ("стоп!", True),
        (" Stop. ", True),
        ("Не стоп", False),
        ("Стоп-сигналы есть?", False),
        ("", False),
    ],
)
def test_the_stop_word_stands_alone(text: str, stops: bool) -> None:
    assert is_stop_word(text) is stops
