"""Find a card by the beginnings of words, by an address, by a phone or its last digits."""

import re
from contextlib import suppress

from shared.vocabulary.phones import UnreadablePhone, read_phone

ENDING = "~"
"""Marks a number written backwards, so that its last digits are a beginning."""
MIN_DIGITS = 4
LAST = "\U0010ffff"
"""Sorts after everything that a word may go on with."""


def search_words(
    full_name: str, organization_name: str | None, email: str | None, login: str | None, phone: str | None
) -> set[str]:
    """Return every word by which the card is found."""
    words = {*_words(full_name), *_words(organization_name or ""), *_words(login or "")}
    words.update(address for address in (email, login) if address)
    if phone is not None:
        digits = phone.removeprefix("+")
        words.update({digits, ENDING + digits[::-1]})
    return words


def wanted_beginnings(text: str) -> list[set[str]]:
    """Return what a card's words must begin with, one of each set.

    The list is empty when the text holds nothing to search for.
    """
    lowered = text.strip().lower()
    digits = re.sub(r"[\s()+-]", "", lowered)
    if "@" in lowered:
        return [{lowered}]
    if digits.isascii() and digits.isdigit() and len(digits) >= MIN_DIGITS:
        beginnings = {digits, ENDING + digits[::-1]}
        with suppress(UnreadablePhone):
            beginnings.add(read_phone(text).removeprefix("+"))
        return [beginnings]
    return [{word} for word in sorted(_words(lowered))]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower().replace("ё", "е")))
