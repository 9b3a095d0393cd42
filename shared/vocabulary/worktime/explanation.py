"""Explain a deadline: the time between two instants, divided into counted and uncounted intervals."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from shared.vocabulary.worktime.arithmetic import utc_instant
from shared.vocabulary.worktime.calendar import MINUTES_A_DAY, WorkingCalendar
from shared.vocabulary.worktime.day import DayPlan, Reason, plan_day
from shared.vocabulary.worktime.timeline import ONE_DAY, instant_of

ONE_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class CountedInterval:
    """A part of the time between two instants, and whether it counts."""

    start: datetime
    """Local time of the office."""
    end: datetime
    reason: Reason
    name: str | None = None
    """The holiday's name in Russian."""

    @property
    def counted(self) -> bool:
        """Whether it is working time."""
        return self.reason is Reason.WORKING

    @property
    def length(self) -> timedelta:
        """The elapsed time, also across a change of the clock."""
        # Python subtracts two local times of one zone by the wall clock.
        return self.end.astimezone(UTC) - self.start.astimezone(UTC)


def explain(calendar: WorkingCalendar, begin: datetime, end: datetime) -> list[CountedInterval]:
    """Return the intervals from `begin` to `end` in order; neighbours with the same reason are merged.

    The lengths of the counted ones add up to `working_time_between`. Empty when `end` is not after `begin`.
    """
    explained: list[CountedInterval] = []
    for interval in _by_day(calendar, begin, end):
        previous = explained[-1] if explained else None
        if previous and (previous.reason, previous.name) == (interval.reason, interval.name):
            explained[-1] = replace(previous, end=interval.end)
        else:
            explained.append(interval)
    return explained


def _by_day(calendar: WorkingCalendar, begin: datetime, end: datetime) -> Iterator[CountedInterval]:
    zone = calendar.zone
    begin, end = utc_instant(begin), utc_instant(end)
    midnight = datetime.combine(begin.astimezone(zone).date() - ONE_DAY, datetime.min.time())
    last_midnight = datetime.combine(end.astimezone(zone).date(), datetime.min.time())
    while midnight <= last_midnight:
        plan = plan_day(calendar, midnight.date())
        for opens, closes, reason in _segments(plan):
            start = max(begin, instant_of(zone, midnight + timedelta(minutes=opens)))
            stop = min(end, instant_of(zone, midnight + timedelta(minutes=closes)))
            if start < stop:
                yield CountedInterval(start.astimezone(zone), stop.astimezone(zone), reason, plan.name)
        midnight += ONE_DAY


def _segments(plan: DayPlan) -> Iterator[tuple[int, int, Reason]]:
    """Yield the parts of a day from 00:00 to 24:00, in minutes after midnight."""
    if not plan.hours:
        yield 0, MINUTES_A_DAY, plan.reason
        return
    reached = 0
    for opens, closes in plan.hours:
        if reached < opens:
            yield reached, opens, Reason.LUNCH if reached else Reason.CLOSED
        yield opens, closes, Reason.WORKING
        reached = closes
    if plan.ordinary_close is not None:
        yield reached, plan.ordinary_close, Reason.SHORTENED
        reached = plan.ordinary_close
    if reached < MINUTES_A_DAY:
        yield reached, MINUTES_A_DAY, Reason.CLOSED


WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
UNCOUNTED_LABELS = {
    Reason.LUNCH: "обед",
    Reason.CLOSED: "закрыто",
    Reason.WEEKEND: "выходной",
    Reason.HOLIDAY: "праздник",
    Reason.SHORTENED: "сокращённый день",
}


def explain_ru(calendar: WorkingCalendar, begin: datetime, end: datetime) -> list[str]:
    """Return one Russian sentence a day: «пн 10:42–13:00 (2 ч 18 мин), обед 13:00–14:00 не считается».

    Days carry their date when the time spans six days or more. Hours before opening and after closing are left out on
    days with counted time.
    """
    zone = calendar.zone
    with_date = utc_instant(end) - utc_instant(begin) >= timedelta(days=6)
    sentences = []
    for day, group in groupby(
        _by_day(calendar, begin, end), key=lambda interval: interval.start.astimezone(zone).date()
    ):
        intervals = list(group)
        if any(interval.counted for interval in intervals):
            intervals = [interval for interval in intervals if interval.reason is not Reason.CLOSED]
        title = f"{WEEKDAYS[day.weekday()]} {day:%d.%m}" if with_date else WEEKDAYS[day.weekday()]
        sentences.append(f"{title} {', '.join(_phrase(interval) for interval in intervals)}")
    return sentences


def _phrase(interval: CountedInterval) -> str:
    end_of_day = interval.end.date() > interval.start.date()
    hours = f"{interval.start:%H:%M}–{'24:00' if end_of_day else format(interval.end, '%H:%M')}"
    if interval.counted:
        return f"{hours} ({russian_length(interval.length)})"
    label = UNCOUNTED_LABELS[interval.reason]
    if interval.name:
        label = f"{label} «{interval.name}»"
    whole_day = end_of_day and f"{interval.start:%H:%M}" == "00:00"
    return f"{label} не считается" if whole_day else f"{label} {hours} не считается"


def russian_length(length: timedelta) -> str:
    """Return a length as «2 ч 18 мин»; seconds only below a minute."""
    if length < ONE_MINUTE:
        return f"{length.seconds} с"
    hours, minutes = divmod(length // ONE_MINUTE, 60)
    parts = [f"{hours} ч"] * bool(hours) + [f"{minutes} мин"] * bool(minutes)
    return " ".join(parts)
