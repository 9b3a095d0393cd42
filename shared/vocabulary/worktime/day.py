"""What a calendar says about one date."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.vocabulary.worktime.calendar import Interval, WorkingCalendar
from shared.vocabulary.worktime.russia import russian_year

SHORTENED_BY_MINUTES = 60


class Reason(StrEnum):
    """Why a part of a day counts as working time, or does not."""

    WORKING = "working"
    LUNCH = "lunch"
    CLOSED = "closed"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    SHORTENED = "shortened"


@dataclass(frozen=True)
class DayPlan:
    """The working hours of one date."""

    hours: tuple[Interval, ...]
    """Minutes after local midnight, in order, not overlapping; empty on a day off."""
    reason: Reason
    """WORKING, or why the whole day is off."""
    name: str | None = None
    """The holiday's name in Russian."""
    ordinary_close: int | None = None
    """When a shortened day would have closed otherwise."""


def plan_day(calendar: WorkingCalendar, day: date) -> DayPlan:
    """Apply the calendar's order of precedence to one date, see `WorkingCalendar`."""
    exception = calendar.exceptions.get(day)
    if exception is not None:
        return DayPlan(exception, Reason.WORKING if exception else Reason.CLOSED)

    hours = calendar.weekly[day.weekday()]
    shortened_by = calendar.shortened_days.get(day)
    if calendar.public_holidays:
        year = russian_year(day.year)
        if day in year.days_off:
            return DayPlan((), Reason.HOLIDAY, year.days_off[day])
        if not hours and day in year.working_weekends:
            hours = calendar.weekly[year.working_weekends[day].weekday()]
        if shortened_by is None and day in year.shortened:
            shortened_by = SHORTENED_BY_MINUTES

    if not hours:
        return DayPlan((), Reason.WEEKEND)
    if not shortened_by:
        return DayPlan(hours, Reason.WORKING)
    return _shorten(hours, shortened_by)


def _shorten(hours: tuple[Interval, ...], by_minutes: int) -> DayPlan:
    ordinary_close = hours[-1][1]
    close = ordinary_close - by_minutes
    kept = tuple((opens, min(closes, close)) for opens, closes in hours if opens < close)
    return DayPlan(kept, Reason.WORKING if kept else Reason.SHORTENED, ordinary_close=ordinary_close)
