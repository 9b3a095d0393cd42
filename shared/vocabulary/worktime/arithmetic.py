"""Deadlines and working time between instants. Pure: no clock, no input or output.

Instants are aware datetimes (ValueError otherwise); results are in UTC. An interval of work includes its opening and
excludes its closing. So a start exactly at closing counts from the next opening. A deadline that ends exactly at
closing is closing time, not the next morning.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, assert_never

from pydantic import BaseModel, ConfigDict, Field

from shared.vocabulary.worktime.calendar import WorkingCalendar
from shared.vocabulary.worktime.timeline import FIRST_YEAR, LAST_YEAR, ZERO, Timeline, Year, instant_of, timeline_of

HORIZON_YEARS = 20
ONE_MINUTE = timedelta(minutes=1)


class NoWorkingTime(ValueError):
    """The calendar has not enough working time within the next twenty years to reach the deadline."""


class Unit(StrEnum):
    """K5: the unit is part of the rule."""

    WORKING_MINUTES = "working_minutes"
    WORKING_DAYS = "working_days"
    CALENDAR_HOURS = "calendar_hours"
    SECONDS = "seconds"


class Duration(BaseModel):  # noqa: D101 (its docstring would be published)
    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Annotated[int, Field(ge=0, le=10_000_000)]
    unit: Unit


def deadline(calendar: WorkingCalendar, start: datetime, duration: Duration) -> datetime:
    """Return the instant at which `duration` after `start` ends. Raises NoWorkingTime."""
    match duration.unit:
        case Unit.WORKING_MINUTES:
            return add_working_minutes(calendar, start, duration.amount)
        case Unit.WORKING_DAYS:
            return add_working_days(calendar, start, duration.amount)
        case Unit.CALENDAR_HOURS:
            return utc_instant(start) + timedelta(hours=duration.amount)
        case Unit.SECONDS:
            return utc_instant(start) + timedelta(seconds=duration.amount)
        case _:
            assert_never(duration.unit)


def add_working_minutes(calendar: WorkingCalendar, start: datetime, minutes: float) -> datetime:
    """Return the instant when `minutes` of working time have passed since `start`. Raises NoWorkingTime.

    A start outside working time counts from the next opening, also for 0 minutes.
    """
    timeline = timeline_of(calendar)
    number, year, index, opening = _next_open(timeline, utc_instant(start))
    horizon = number + HORIZON_YEARS
    if not 0 <= minutes <= HORIZON_YEARS * 366 * 24 * 60:
        raise ValueError("minutes must be a number from 0 to twenty years")
    worked = year.worked_before[index] + (opening - year.starts[index]) + minutes * ONE_MINUTE
    while worked > year.total:
        worked -= year.total
        number, index = number + 1, 0
        if number > horizon:
            raise NoWorkingTime(f"less than {minutes} working minutes within {HORIZON_YEARS} years")
        year = timeline.year(number)
    index = year.index_at(worked, index)
    return year.starts[index] + (worked - year.worked_before[index])


def add_working_days(calendar: WorkingCalendar, start: datetime, days: int) -> datetime:
    """Return the same local time on the N-th working day after `start`. Raises NoWorkingTime.

    Where that day does not work at that time: before opening or inside lunch → the next opening of that day, past
    closing → closing time. A start outside working time counts from the next opening.
    """
    if not 0 <= days <= HORIZON_YEARS * 366:
        raise ValueError("days must be a number from 0 to twenty years")
    timeline = timeline_of(calendar)
    number, year, index, opening = _next_open(timeline, utc_instant(start))
    if days == 0:
        return opening
    horizon = number + HORIZON_YEARS
    day_index = year.day_index[index] + days
    while day_index >= len(year.days):
        day_index -= len(year.days)
        number += 1
        if number > horizon:
            raise NoWorkingTime(f"less than {days} working days within {HORIZON_YEARS} years")
        year = timeline.year(number)
    local_time = opening.astimezone(calendar.zone).time()
    wanted = instant_of(calendar.zone, datetime.combine(year.days[day_index], local_time))
    hours = year.hours_of(day_index)
    for opens, closes in hours:
        if wanted <= closes:
            return max(wanted, opens)
    return hours[-1][1]


def working_time_between(calendar: WorkingCalendar, begin: datetime, end: datetime) -> timedelta:
    """Return the working time from `begin` to `end`; negative when `end` is earlier."""
    begin, end = utc_instant(begin), utc_instant(end)
    if end < begin:
        return -working_time_between(calendar, end, begin)
    timeline = timeline_of(calendar)
    first, last = timeline.number_of_year(begin), timeline.number_of_year(end)
    whole_years = sum((timeline.year(number).total for number in range(first, last)), ZERO)
    return whole_years + timeline.year(last).worked_until(end) - timeline.year(first).worked_until(begin)


def working_minutes_between(calendar: WorkingCalendar, begin: datetime, end: datetime) -> float:
    """Return `working_time_between` in minutes."""
    return working_time_between(calendar, begin, end) / ONE_MINUTE


def utc_instant(instant: datetime) -> datetime:
    """Return the instant in UTC. Raises ValueError for a naive one and outside the supported years."""
    if instant.tzinfo is not UTC:
        if instant.utcoffset() is None:
            raise ValueError("an aware datetime is needed")
        instant = instant.astimezone(UTC)
    if not FIRST_YEAR < instant.year < LAST_YEAR:
        raise ValueError(f"working time is computed for the years {FIRST_YEAR + 1} to {LAST_YEAR - 1}")
    return instant


def _next_open(timeline: Timeline, instant: datetime) -> tuple[int, Year, int, datetime]:
    """Return the local year, its timeline, the interval's index, and the first working instant from `instant` on."""
    number = timeline.number_of_year(instant)
    for candidate in range(number, number + HORIZON_YEARS + 1):
        year = timeline.year(candidate)
        index = year.first_open(instant)
        if index is not None:
            return candidate, year, index, max(instant, year.starts[index])
    raise NoWorkingTime(f"no working time within {HORIZON_YEARS} years")
