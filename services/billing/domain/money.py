"""Write amounts as Russian documents do, and compute the VAT inside an amount."""

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from num2words import num2words

KOPECK = Decimal("0.01")
NO_BREAK_SPACE = "\u00a0"

MONTHS = (
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
)


class DatedVat(Protocol):
    """VAT from a date on; None is «без НДС»."""

    @property
    def effective_from(self) -> date:
        """The first day of the rate."""

    @property
    def rate_percent(self) -> int | None:
        """The rate in percent."""


def amount_in_figures(amount: Decimal) -> str:
    """Format an amount, 1234567.8 → «1 234 567,80», with spaces that do not break."""
    return f"{amount:,.2f}".replace(",", NO_BREAK_SPACE).replace(".", ",")


def amount_in_words(amount: Decimal) -> str:
    """Spell an amount, 1500.5 → «Одна тысяча пятьсот рублей 50 копеек»."""
    # An int would be taken for kopecks, hence the quantized Decimal.
    words: str = num2words(amount.quantize(KOPECK), lang="ru", to="currency", currency="RUB", cents=False, separator="")
    return words[0].upper() + words[1:]


def date_in_words(day: date) -> str:
    """Format a date, «21 ноября 2026 г.», with spaces that do not break."""
    return f"{day.day}{NO_BREAK_SPACE}{MONTHS[day.month - 1]} {day.year}{NO_BREAK_SPACE}г."


def vat_rate_on(day: date, settings: Iterable[DatedVat]) -> int | None:
    """Return the rate in percent in force on the day; None, also where nothing is set yet, is «без НДС»."""
    in_force = [setting for setting in settings if setting.effective_from <= day]
    return max(in_force, key=lambda setting: setting.effective_from).rate_percent if in_force else None


def vat_within(amount: Decimal, rate_percent: int) -> Decimal:
    """Return the VAT contained in a price that includes it, rounded to a kopeck."""
    return (amount * rate_percent / (100 + rate_percent)).quantize(KOPECK, ROUND_HALF_UP)
