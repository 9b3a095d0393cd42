"""Parse the VIN or FRAME that a person typed (CL-15, VIN-01). Pure: used by the garage and by VIN requests.

The check digit is never enforced: cars assembled in Russia often carry a wrong one.
"""

import re
from dataclasses import dataclass, field

from vininfo import Vin

from shared.vocabulary.countries import RUSSIAN_NAMES

VIN_LENGTH = 17
VIN_SHAPE = re.compile(r"[A-HJ-NPR-Z0-9]{17}", re.ASCII)
FRAME_SHAPE = re.compile(r"(?=[A-Z0-9]*[A-Z])[A-Z0-9]{2,9}-[0-9]{5,8}", re.ASCII)

HOMOGLYPHS = dict(zip("АВЕКМНРСТУХ", "ABEKMHPCTYX", strict=True))
"""Russian letters that look like Latin ones: replaced, and the person is shown the replacement."""

DIGIT_SUGGESTIONS = {"O": "0", "О": "0", "I": "1"}
"""Letters that a VIN never contains, and the digit that was probably meant: suggested, never replaced silently."""

TO_LATIN = str.maketrans("".join(HOMOGLYPHS), "".join(HOMOGLYPHS.values()))
TO_DIGITS = str.maketrans("".join(DIGIT_SUGGESTIONS), "".join(DIGIT_SUGGESTIONS.values()))
TO_HYPHEN = str.maketrans("‐‑‒–—−_", "-" * 7)


@dataclass(frozen=True, slots=True)
class Correction:
    """One Russian letter that was replaced by its Latin look-alike; `position` counts from 1."""

    position: int
    typed: str
    used: str


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """A number that can be stored, and the letters that were replaced in the person's text."""

    value: str
    corrections: tuple[Correction, ...] = ()

    def explanation(self) -> str | None:
        """Return a Russian message for the person, or None when nothing was replaced."""
        if not self.corrections:
            return None
        changed = ", ".join(f"{item.position}-й знак: русская «{item.typed}»" for item in self.corrections)
        return f"Русские буквы заменены похожими латинскими ({changed}). Проверьте номер: {self.value}"


class UnreadableNumber(ValueError):
    """The text cannot be accepted as it is. The message addresses the person, in Russian.

    `suggestion` is what was probably meant: it becomes valid only when the person sends it.
    """

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class VinFacts:
    """What a VIN itself states. The code of the year repeats every 30 years, so there are several candidates."""

    country: str | None = None
    manufacturer: str | None = None
    years: list[int] = field(default_factory=list)


def read_vin(text: str) -> ParsedNumber:
    """Parse a VIN.

    Raises UnreadableNumber; it carries a suggestion when only О, O or I stand where digits belong.
    """
    typed = re.sub(r"[\s.-]", "", _clean(text))
    value, corrections = _repair(typed)
    if len(value) != VIN_LENGTH:
        raise UnreadableNumber(f"VIN состоит из {VIN_LENGTH} знаков, а здесь их {len(value)}. Проверьте номер.")
    if "Q" in value:
        raise UnreadableNumber("В VIN не бывает буквы Q. Посмотрите в документах: там 0, 9 или другая буква?")
    if not VIN_SHAPE.fullmatch(value):
        suggestion, changed = _suggest_digits(value)
        if VIN_SHAPE.fullmatch(suggestion):
            raise UnreadableNumber(f"В VIN не бывает букв O и I. Возможно, {changed}: {suggestion}", suggestion)
        raise UnreadableNumber("VIN состоит только из латинских букв (кроме I, O, Q) и цифр. Проверьте номер.")
    return ParsedNumber(value, corrections)


def read_frame(text: str) -> ParsedNumber:
    """Parse a Japanese body number, «GX105-6010796»: model code, hyphen, serial number. Raises UnreadableNumber."""
    typed = re.sub(r"[\s-]+", "-", _clean(text))
    value, corrections = _repair(typed)
    if FRAME_SHAPE.fullmatch(value):
        return ParsedNumber(value, corrections)
    model, hyphen, serial = value.rpartition("-")
    suggested_serial, changed = _suggest_digits(serial, before=len(model) + len(hyphen))
    suggestion = f"{model.replace('О', 'O')}{hyphen}{suggested_serial}"
    if FRAME_SHAPE.fullmatch(suggestion):
        raise UnreadableNumber(f"После дефиса бывают только цифры. Возможно, {changed}: {suggestion}", suggestion)
    raise UnreadableNumber(
        "Номер кузова (FRAME) пишется как GX105-6010796: код модели, дефис, порядковый номер. Проверьте номер."
    )


def describe_vin(vin: str) -> VinFacts:
    """Return country, maker and possible model years, latest first, of a VIN that `read_vin` has returned."""
    facts = Vin(vin)
    maker = str(facts.manufacturer)
    return VinFacts(
        country=RUSSIAN_NAMES.get(facts.country) if facts.country else None,
        manufacturer=None if maker == "UnsupportedBrand" else maker,
        years=list(facts.years),
    )


def _clean(text: str) -> str:
    return text.strip().upper().translate(TO_HYPHEN)


def _repair(typed: str) -> tuple[str, tuple[Correction, ...]]:
    corrections = tuple(
        Correction(position, letter, HOMOGLYPHS[letter])
        for position, letter in enumerate(typed, start=1)
        if letter in HOMOGLYPHS
    )
    return typed.translate(TO_LATIN), corrections


def _suggest_digits(value: str, before: int = 0) -> tuple[str, str]:
    """Return the value with digits for letters, and the changes in words; `before` characters precede the value."""
    changed = ", ".join(
        f"{position}-й знак — {DIGIT_SUGGESTIONS[letter]}, а не «{letter}»"
        for position, letter in enumerate(value, start=before + 1)
        if letter in DIGIT_SUGGESTIONS
    )
    return value.translate(TO_DIGITS), changed or "имелось в виду"
