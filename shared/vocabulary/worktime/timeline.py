"""Calendars compiled into sorted UTC intervals with running totals, one year at a time, when first needed.

Arithmetic is then a few binary searches. Compiling a year costs about a millisecond and happens once per process for
equal calendars (the version does not matter).
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

from shared.vocabulary.worktime.calendar import WorkingCalendar
from shared.vocabulary.worktime.day import plan_day

FIRST_YEAR, LAST_YEAR = 1970, 2200
ONE_DAY = timedelta(days=1)
ZERO = timedelta()


def instant_of(zone: ZoneInfo, local: datetime) -> datetime:
    """Return the UTC instant at which the zone's wall clock first reaches the naive `local`.

    A time that is skipped in spring is reached at the moment of the change. Of a time that occurs twice in autumn the
    first is taken. So the result never decreases as `local` grows, and a day's intervals never overlap.
    """
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    before_change = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    low, high = int(before_change.timestamp()), int(instant.timestamp()) + 1
    offset_before = before_change.astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset_before:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


@dataclass
class Year:
    """The working time of one local year. The lists are parallel, one item per interval."""

    begin: datetime
    end: datetime
    starts: list[datetime] = field(default_factory=list)
    ends: list[datetime] = field(default_factory=list)
    worked_before: list[timedelta] = field(default_factory=list)
    """Working time of the year up to the interval's start."""
    worked_after: list[timedelta] = field(default_factory=list)
    """The same up to its end."""
    day_index: list[int] = field(default_factory=list)
    """Position in `days` of the local date that the interval belongs to."""
    days: list[date] = field(default_factory=list)
    """The working days."""
    total: timedelta = ZERO

    def worked_until(self, instant: datetime) -> timedelta:
        """Return the working time of the year up to `instant`."""
        index = bisect_right(self.starts, instant) - 1
        if index < 0:
            return ZERO
        if instant >= self.ends[index]:
            return self.worked_after[index]
        return self.worked_before[index] + (instant - self.starts[index])

    def first_open(self, instant: datetime) -> int | None:
        """Return the index of the interval that contains `instant`, or of the next; its closing is not part of it."""
        index = bisect_right(self.ends, instant)
        return index if index < len(self.ends) else None

    def index_at(self, worked: timedelta, from_index: int) -> int:
        """Return the index of the interval in which the running total reaches `worked`, its closing included."""
        return bisect_left(self.worked_after, worked, lo=from_index)

    def hours_of(self, day_index: int) -> list[tuple[datetime, datetime]]:
        """Return the intervals of one working day."""
        first, after_last = bisect_left(self.day_index, day_index), bisect_right(self.day_index, day_index)
        return list(zip(self.starts[first:after_last], self.ends[first:after_last], strict=True))


class Timeline:
    """A calendar compiled for arithmetic; years are compiled when first needed."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        self._calendar = calendar
        self._zone = calendar.zone
        self._years: dict[int, Year] = {}

    def year(self, number: int) -> Year:
        """Return a local year."""
        compiled = self._years.get(number)
        if compiled is None:
            compiled = self._years[number] = self._compile(number)
        return compiled

    def number_of_year(self, instant: datetime) -> int:
        """Return the local year of a UTC instant."""
        number = instant.year
        year = self.year(number)
        if instant < year.begin:
            return number - 1
        if instant >= year.end:
            return number + 1
        return number

    def _compile(self, number: int) -> Year:
        zone = self._zone
        midnight = datetime(number, 1, 1)  # noqa: DTZ001, local wall time
        begin = instant_of(zone, midnight)
        year = Year(begin=begin, end=begin)
        while midnight.year == number:
            next_midnight = midnight + ONE_DAY
            day_end = instant_of(zone, next_midnight)
            # A day of exactly 24 hours has no change of the clock: its times are offsets from midnight.
            ordinary = day_end - year.end == ONE_DAY
            day = midnight.date()
            is_working = False
            for opens, closes in plan_day(self._calendar, day).hours:
                if ordinary:
                    start, end = year.end + timedelta(minutes=opens), year.end + timedelta(minutes=closes)
                else:
                    start = instant_of(zone, midnight + timedelta(minutes=opens))
                    end = instant_of(zone, midnight + timedelta(minutes=closes))
                if start >= end:
                    continue  # The change of the clock skipped the whole interval.
                if not is_working:
                    is_working = True
                    year.days.append(day)
                year.starts.append(start)
                year.ends.append(end)
                year.worked_before.append(year.total)
                year.total += end - start
                year.worked_after.append(year.total)
                year.day_index.append(len(year.days) - 1)
            midnight, year.end = next_midnight, day_end
        return year


class _TimelineCache:
    """Timelines of recently used calendars, by content: every event brings its calendar as a new object."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._timelines: OrderedDict[str, Timeline] = OrderedDict()
        self._lock = Lock()

    def get(self, calendar: WorkingCalendar) -> Timeline:
        key = calendar.model_dump_json(exclude={"version"})
        with self._lock:
            timeline = self._timelines.get(key)
            if timeline is None:
                timeline = self._timelines[key] = Timeline(calendar)
                if len(self._timelines) > self._capacity:
                    self._timelines.popitem(last=False)
            else:
                self._timelines.move_to_end(key)
        return timeline


_timelines = _TimelineCache(capacity=512)
_KEPT = "_timeline"


def timeline_of(calendar: WorkingCalendar) -> Timeline:
    """Return the calendar compiled for arithmetic; equal calendars share one timeline.

    The object keeps its timeline beside its fields, so that only its first use costs a look-up by content.
    """
    kept: Timeline | None = vars(calendar).get(_KEPT)
    if kept is None:
        kept = vars(calendar)[_KEPT] = _timelines.get(calendar)
    return kept
