"""Russian public holidays with their transfers, working Saturdays and the days that the law shortens."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from holidays import country_holidays

ONE_DAY = timedelta(days=1)
_MOVED_FROM = re.compile(r"перенесено с (\d{2}\.\d{2}\.\d{4})")


@dataclass(frozen=True)
class RussianYear:
    """The days of one year that differ from an ordinary week."""

    days_off: dict[date, str]
    """Date to Russian name: public holidays, and the weekdays off that were moved to."""
    working_weekends: dict[date, date]
    """A Saturday or Sunday that is worked → the weekday that is off instead."""
    shortened: frozenset[date]
    """Days that close an hour earlier by article 95 of the Labour Code."""


@lru_cache(maxsize=256)
def _public_holidays(year: int) -> frozenset[date]:
    holidays = country_holidays("RU", years=year, observed=False, language="ru")
    return frozenset(day for day, name in holidays.items() if not _MOVED_FROM.search(name))


def _is_public_holiday(day: date) -> bool:
    return day in _public_holidays(day.year)


@lru_cache(maxsize=256)
def russian_year(year: int) -> RussianYear:
    """Return the public holidays, transfers and shortened days of a year.

    Transfers are known as far as the government has published them; later years have the holidays alone.
    The day before a public holiday is shortened. A working Saturday is as long as the day it replaces, so it is
    shortened when that day would have been (order of the Ministry of Labour on transferred days).
    """
    days_off = {
        day: name for day, name in country_holidays("RU", years=year, language="ru").items() if day.year == year
    }
    working_weekends: dict[date, date] = {}
    for day_off, name in days_off.items():
        moved_from = _MOVED_FROM.search(name)
        if moved_from is None:
            continue
        worked = datetime.strptime(moved_from[1], "%d.%m.%Y").date()  # noqa: DTZ007, a date has no zone
        if worked.year == year and worked not in days_off:
            working_weekends[worked] = day_off
    shortened = {day - ONE_DAY for day in days_off if _is_public_holiday(day)} | {date(year, 12, 31)}
    shortened |= {worked for worked, replaced in working_weekends.items() if _is_public_holiday(replaced + ONE_DAY)}
    return RussianYear(
        days_off=days_off,
        working_weekends=working_weekends,
        shortened=frozenset(day for day in shortened if day.year == year and day not in days_off),
    )
