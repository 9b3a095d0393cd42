"""Arithmetic of the reports (INQ-01, RPT-07)."""

from dataclasses import dataclass, fields
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from shared.base.errors import Invalid

MAX_PERIOD_DAYS = 366


@dataclass(slots=True)
class Tally:
    """Counts of one employee, office or network over a period; tallies add up."""

    visits: int = 0
    calls: int = 0
    messages: int = 0
    inquiries: int = 0
    open: int = 0
    won: int = 0
    lost: int = 0
    vip: int = 0
    bad: int = 0
    calls_made: int = 0
    calls_reached: int = 0
    ratings: int = 0
    ratings_total: int = 0
    breached: int = 0
    penalty_points: int = 0

    def add(self, other: "Tally") -> None:
        """Add another tally to this one."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def conversion_percent(self) -> Decimal | None:
        """Share of inquiries that became orders, with one decimal; None when there were none."""
        return _share(100 * self.won, self.inquiries)

    @property
    def average_rating(self) -> Decimal | None:
        """Average rating (CL-12), 1 to 5, with one decimal; None when no client was rated."""
        return _share(self.ratings_total, self.ratings)


def _share(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / whole).quantize(Decimal("0.1"), ROUND_HALF_UP) if whole else None


def check_period(first: date, last: date) -> None:
    """Verify the order and length of a period; both days belong to it.  Raises Invalid."""
    if last < first:
        raise Invalid("Конец периода раньше начала.", field="last_day")
    if (last - first).days >= MAX_PERIOD_DAYS:
        raise Invalid(f"Период не длиннее {MAX_PERIOD_DAYS} дней.", field="last_day")


def month_of(day: date) -> date:
    """Return the first day of the month, by which turnover is kept (K12)."""
    return day.replace(day=1)


def month_before(month: date) -> date:
    """Return the first day of the month before."""
    if month.month == 1:
        return date(month.year - 1, 12, 1)
    return date(month.year, month.month - 1, 1)
