"""Working time counted minute by minute: obvious, and sharing no code with `shared.vocabulary.worktime`.

A minute is judged by the hands of the office's clock. In the hour that an autumn night repeats the hands stay where
they had come to, because an office that is open does not close again when the clock is put back.

Every minute is judged once for a calendar; running totals of them then answer a hundred thousand questions.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
MINUTES_A_DAY = 24 * 60
Hours = Sequence[tuple[int, int]]

# The government's production calendar around the windows of the tests, copied by hand: days off, days an hour shorter.
DAYS_OFF = {date(2025, 11, 3), date(2025, 11, 4), date(2025, 12, 31), date(2026, 3, 8), date(2026, 3, 9)}
DAYS_OFF |= {date(2026, 1, day) for day in range(1, 10)}
SHORTER = {date(2025, 11, 1), date(2026, 3, 7)}
WORKED_INSTEAD = {date(2025, 11, 1): 0}
"""A working Saturday, and the weekday whose hours it has where the office is closed on Saturdays."""


def hours_of(
    day: date,
    weekly: Sequence[Hours],
    exceptions: Mapping[date, Hours],
    *,
    holidays: bool = False,
    shortened: Mapping[date, int] = {},
) -> Hours:
    if day in exceptions:
        return exceptions[day]
    hours = weekly[day.weekday()]
    less = shortened.get(day, 60 if holidays and day in SHORTER else 0)
    if holidays and day in DAYS_OFF:
        return ()
    if holidays and not hours and day in WORKED_INSTEAD:
        hours = weekly[WORKED_INSTEAD[day]]
    if not hours or not less:
        return hours
    last = hours[-1][1] - less
    return [(opens, min(closes, last)) for opens, closes in hours if opens < last]


@cache
def _wall_minutes(zone: str, first: datetime, last: datetime) -> list[int]:
    """Where the office's clock stands at every minute: the date's ordinal in minutes plus the minute of the day."""
    zone_info = ZoneInfo(zone)
    wall_minutes, wall_minute = [], 0
    minute = first - timedelta(hours=4)
    while minute < last:
        local = minute.astimezone(zone_info)
        wall_minute = max(wall_minute, local.toordinal() * MINUTES_A_DAY + local.hour * 60 + local.minute)
        if minute >= first:
            wall_minutes.append(wall_minute)
        minute += MINUTE
    return wall_minutes


class Oracle:
    def __init__(
        self,
        zone: str,
        weekly: Sequence[Hours],
        exceptions: Mapping[date, Hours],
        first: datetime,
        last: datetime,
        *,
        holidays: bool = False,
        shortened: Mapping[date, int] = {},
    ) -> None:
        self.zone, self.first = ZoneInfo(zone), first
        self.wall_minutes = _wall_minutes(zone, first, last)
        plans: dict[int, bytearray] = {}
        for ordinal in range(self.wall_minutes[0] // MINUTES_A_DAY, self.wall_minutes[-1] // MINUTES_A_DAY + 1):
            plans[ordinal] = plan = bytearray(MINUTES_A_DAY)
            day = date.fromordinal(ordinal)
            for opens, closes in hours_of(day, weekly, exceptions, holidays=holidays, shortened=shortened):
                plan[opens:closes] = b"\x01" * (closes - opens)
        self.working = [
            plans[wall_minute // MINUTES_A_DAY][wall_minute % MINUTES_A_DAY] for wall_minute in self.wall_minutes
        ]
        self.total = [0, *accumulate(self.working)]
        """Working minutes before each minute of the window."""
        self.days = [ordinal for ordinal, plan in plans.items() if self._within(ordinal)]

    def _within(self, ordinal: int) -> bool:
        """Whether any minute of this day is worked."""
        begin, end = (bisect_left(self.wall_minutes, day * MINUTES_A_DAY) for day in (ordinal, ordinal + 1))
        return self.total[end] > self.total[begin]

    def index(self, instant: datetime) -> int:
        return int((instant - self.first) / MINUTE)

    def instant(self, index: int) -> datetime:
        return self.first + index * MINUTE

    def between(self, begin: datetime, end: datetime) -> int:
        return self.total[self.index(end)] - self.total[self.index(begin)]

    def next_open(self, index: int) -> int | None:
        found = bisect_right(self.total, self.total[index]) - 1
        return found if found < len(self.working) else None

    def add_minutes(self, start: datetime, minutes: int) -> datetime | None:
        """None: not reached within the oracle's time."""
        return self.add_with_pauses(start, [], minutes)

    def add_with_pauses(
        self, start: datetime, pauses: Sequence[tuple[datetime, datetime]], minutes: int
    ) -> datetime | None:
        """A minute counts when the office works and the obligation is not paused."""
        index = self.index(start)
        if minutes == 0:
            opening = self.next_open(index)
            return None if opening is None else self.instant(opening)
        for began, ended in pauses:
            until = max(index, self.index(began))
            if self.total[until] - self.total[index] >= minutes:
                break
            minutes -= self.total[until] - self.total[index]
            index = max(index, self.index(ended))
        reached = bisect_left(self.total, self.total[index] + minutes)
        return self.instant(reached) if reached < len(self.total) else None

    def add_days(self, start: datetime, days: int) -> datetime | None:
        opening = self.next_open(self.index(start))
        if opening is None:
            return None
        if days == 0:
            return self.instant(opening)
        position = self.days.index(self.wall_minutes[opening] // MINUTES_A_DAY) + days
        if position >= len(self.days) or self.days[position] >= self.wall_minutes[-1] // MINUTES_A_DAY:
            return None
        day = self.days[position]
        local = self.instant(opening).astimezone(self.zone)
        reached = bisect_left(self.wall_minutes, day * MINUTES_A_DAY + local.hour * 60 + local.minute)
        midnight = bisect_left(self.wall_minutes, (day + 1) * MINUTES_A_DAY)
        morning = bisect_left(self.wall_minutes, day * MINUTES_A_DAY)
        if reached > morning and self.working[reached - 1]:  # At work, or exactly at a closing of lunch or of the day.
            return self.instant(reached)
        later = self.next_open(reached)
        if later is not None and later < midnight:
            return self.instant(later)
        return self.instant(bisect_left(self.total, self.total[midnight]))


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)
