"""Tell a fabricated phone number (+79111111111) from a real one (CL-06)."""

from enum import StrEnum

import phonenumbers

SAME_DIGITS = 7
"""Equal digits at the end of a number that is doubted."""
RUN_DIGITS = 7
"""Digits in a row at the end, 1234567 or 7654321."""
PAIR_DIGITS = 8
"""Digits of repeated pairs at the end, 12121212; with seven, numbers that operators really sell would be doubted."""


class PhoneSuspicion(StrEnum):
    """Why a number is doubted."""

    NOT_IN_USE = "not_in_use"
    SAME_DIGITS = "same_digits"
    DIGIT_RUN = "digit_run"
    REPEATED_PAIRS = "repeated_pairs"
    MANY_CARDS = "many_cards"
    WRONG_NUMBER = "wrong_number"

    @property
    def label(self) -> str:
        """Return the label that staff see."""
        return SUSPICION_LABELS[self]


SUSPICION_LABELS = {
    PhoneSuspicion.NOT_IN_USE: "Такого номера нет в плане нумерации",
    PhoneSuspicion.SAME_DIGITS: "Номер из одинаковых цифр",
    PhoneSuspicion.DIGIT_RUN: "Номер из цифр подряд",
    PhoneSuspicion.REPEATED_PAIRS: "Номер из повторяющихся пар",
    PhoneSuspicion.MANY_CARDS: "Один номер на многих карточках",
    PhoneSuspicion.WRONG_NUMBER: "По номеру ответил не клиент",
}


def suspicion(phone: str, *, cards_with_number: int, cards_allowed: int) -> PhoneSuspicion | None:
    """Return why a number in E.164 form is doubted; None when it is not.

    `cards_with_number` counts the active cards of the whole network that carry it, this one included.
    """
    number = phonenumbers.parse(phone)
    digits = phonenumbers.national_significant_number(number)
    # Made-up numbers come first: that says more than "not in use", and the numbering plan often allows them.
    if _tail_with_step(digits, 0) >= SAME_DIGITS:
        return PhoneSuspicion.SAME_DIGITS
    if max(_tail_with_step(digits, 1), _tail_with_step(digits, -1)) >= RUN_DIGITS:
        return PhoneSuspicion.DIGIT_RUN
    if _tail_of_pairs(digits) >= PAIR_DIGITS:
        return PhoneSuspicion.REPEATED_PAIRS
    if not phonenumbers.is_valid_number(number):
        return PhoneSuspicion.NOT_IN_USE
    if cards_with_number > cards_allowed:
        return PhoneSuspicion.MANY_CARDS
    return None


def _tail_with_step(digits: str, step: int) -> int:
    """Count the digits at the end that follow each other by `step`; 9 is followed by 0."""
    length = 1
    while length < len(digits) and (int(digits[-length]) - int(digits[-length - 1])) % 10 == step % 10:
        length += 1
    return length


def _tail_of_pairs(digits: str) -> int:
    """Count the digits at the end that repeat those two places before them."""
    length = 2
    while length < len(digits) and digits[-length - 1] == digits[-length + 1]:
        length += 1
    return length
