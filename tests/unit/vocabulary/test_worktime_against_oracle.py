"""Random calendars, zones, exceptions and changes of the clock against the minute-by-minute oracle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.vocabulary.worktime import (
    NoWorkingTime,
    WorkingCalendar,
    add_working_days,
    add_working_minutes,
    explain,
    working_minutes_between,
    working_time_between,
)
from tests.unit.vocabulary.worktime_oracle import MINUTE, Hours, Oracle, utc

# Half-hour zones, half-hour changes, changes at midnight, zones east and west of the date line, none at all.
ZONES = [
    "Europe/Moscow",
    "Asia/Yekaterinburg",
    "Asia/Kamchatka",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "UTC",
]
# The weeks around the changes of the clock of 2025 and 2026, and a New Year.
WINDOWS = [utc(2026, 3, 5), utc(2026, 3, 24), utc(2026, 4, 1), utc(2025, 10, 22), utc(2025, 10, 28), utc(2025, 12, 27)]
WINDOW_DAYS = 9
CALENDARS = 500
QUERIES_PER_CALENDAR = 220

times_of_day = st.one_of(st.integers(0, 24 * 60), st.integers(0, 24).map(lambda hour: hour * 60))


@st.composite
def hours_of_a_day(draw: st.DrawFn) -> Hours:
    edges = sorted(draw(st.lists(times_of_day, max_size=6, unique=True)))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


common_hours = st.sampled_from([(), ((540, 780), (840, 1080)), ((600, 1140),), ((0, 1440),), ((0, 240), (1200, 1440))])
any_hours = st.one_of(common_hours, hours_of_a_day())


@dataclass(frozen=True)
class Case:
    """A calendar and nine days of it.  A failure prints it whole."""

    zone: str
    weekly: Sequence[Hours]
    exceptions: dict[date, Hours]
    holidays: bool
    shortened: dict[date, int]
    first: datetime

    @property
    def last(self) -> datetime:
        return self.first + timedelta(days=WINDOW_DAYS)

    @property
    def calendar(self) -> WorkingCalendar:
        return WorkingCalendar.model_validate(
            {
                "time_zone": self.zone,
                "weekly": self.weekly,
                "exceptions": self.exceptions,
                "public_holidays": self.holidays,
                "shortened_days": self.shortened,
            }
        )

    @property
    def oracle(self) -> Oracle:
        days = (self.zone, self.weekly, self.exceptions, self.first, self.last)
        return Oracle(*days, holidays=self.holidays, shortened=self.shortened)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    first = draw(st.sampled_from(WINDOWS))
    days = st.integers(-1, WINDOW_DAYS).map(lambda offset: first.date() + timedelta(days=offset))
    return Case(
        draw(st.sampled_from(ZONES)),
        draw(st.lists(any_hours, min_size=7, max_size=7)),
        draw(st.dictionaries(days, any_hours, max_size=3)),
        draw(st.booleans()),
        draw(st.dictionaries(days, st.sampled_from([0, 30, 60, 480]), max_size=2)),
        first,
    )


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=CALENDARS, deadline=None, suppress_health_check=QUIET, derandomize=True)
@given(case=cases(), seed=st.integers(0, 2**32))
def test_arithmetic_agrees_with_counting_minute_by_minute(case: Case, seed: int) -> None:
    """More than a hundred thousand questions; calendars and seeds are the same in every run."""
    calendar, oracle, random = case.calendar, case.oracle, Random(seed)
    total = WINDOW_DAYS * 24 * 60
    for _ in range(QUERIES_PER_CALENDAR):
        begin, end = sorted(
            (case.first + random.randrange(total) * MINUTE, case.first + random.randrange(total) * MINUTE)
        )
        between = oracle.between(begin, end)
        assert working_minutes_between(calendar, begin, end) == between, case
        assert working_minutes_between(calendar, end, begin) == -between, case

        minutes = random.choice((0, 1, 20, 120, random.randrange(2_000), between))
        expected = oracle.add_minutes(begin, minutes)
        if expected is not None:
            assert add_working_minutes(calendar, begin, minutes) == expected, case

    for _ in range(20):
        begin = case.first + random.randrange(total) * MINUTE
        days = random.randrange(4)
        expected = oracle.add_days(begin, days)
        if expected is not None:
            assert add_working_days(calendar, begin, days) == expected, case


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    case=cases(),
    offsets=st.tuples(st.integers(0, 9 * 86_400_000_000), st.integers(0, 9 * 86_400_000_000)),
    minutes=st.integers(1, 3_000),
    more=st.integers(1, 3_000),
)
def test_laws_hold_to_the_microsecond(case: Case, offsets: tuple[int, int], minutes: int, more: int) -> None:
    calendar = case.calendar
    begin, end = (case.first + timedelta(microseconds=offset) for offset in sorted(offsets))

    explained = explain(calendar, begin, end)
    lengths = [interval.length for interval in explained]
    assert sum(lengths, timedelta()) == end - begin
    counted = (length for interval, length in zip(explained, lengths, strict=True) if interval.counted)
    assert sum(counted, timedelta()) == working_time_between(calendar, begin, end)
    assert all(one.end == other.start for one, other in pairwise(explained))

    try:
        due = add_working_minutes(calendar, begin, minutes)
        later = add_working_minutes(calendar, begin, minutes + more)
    except NoWorkingTime:
        return
    assert working_time_between(calendar, begin, due) == minutes * MINUTE
    assert working_time_between(calendar, begin, due - timedelta(microseconds=1)) < minutes * MINUTE
    assert add_working_minutes(calendar, due, more) == later


def test_the_oracle_sees_a_planted_mistake() -> None:
    """An oracle that agrees with everything would prove nothing."""
    week: Sequence[Hours] = [((540, 780), (840, 1080))] * 7
    without_lunch = WorkingCalendar.model_validate({"time_zone": "Europe/Moscow", "weekly": [((540, 1080),)] * 7})
    oracle = Oracle("Europe/Moscow", week, {}, utc(2026, 3, 5), utc(2026, 3, 7))
    start = utc(2026, 3, 5, 9, 30)
    assert add_working_minutes(without_lunch, start, 60) != oracle.add_minutes(start, 60)
    with pytest.raises(AssertionError):
        assert working_minutes_between(without_lunch, start, utc(2026, 3, 5, 12)) == oracle.between(
            start, utc(2026, 3, 5, 12)
        )
