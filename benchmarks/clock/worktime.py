"""`shared.vocabulary.worktime` beside businesstimedelta, which is installed only for this comparison."""

import datetime as dt
import importlib
import timeit
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from shared.vocabulary.worktime import WorkingCalendar, add_working_minutes, office_week, working_minutes_between


def _import_baseline() -> ModuleType | None:
    try:
        return importlib.import_module("businesstimedelta")
    except ImportError:
        return None


BASELINE = _import_baseline()


def against_baseline() -> Iterator[tuple[str, float]]:
    """Yield how many times faster ours is; nothing where businesstimedelta is not installed."""
    if BASELINE is None:
        return
    calendar = WorkingCalendar.model_validate(
        {"time_zone": "Asia/Yekaterinburg", "weekly": office_week(), "exceptions": {"2026-11-04": [], "2027-01-01": []}}
    )
    begin = dt.datetime(2026, 11, 3, 16, 30, tzinfo=calendar.zone)
    end = begin + dt.timedelta(days=14)
    hours = _baseline_hours(BASELINE, calendar)
    two_hours = BASELINE.BusinessTimeDelta(hours, hours=2)
    yield "worktime_add", _best(lambda: begin + two_hours) / _best(lambda: add_working_minutes(calendar, begin, 120))
    yield (
        "worktime_between",
        _best(lambda: hours.difference(begin, end)) / _best(lambda: working_minutes_between(calendar, begin, end)),
    )


def _baseline_hours(baseline: ModuleType, calendar: WorkingCalendar) -> Any:
    zone = importlib.import_module("pytz").timezone(calendar.time_zone)  # It knows no other zones.
    workday = baseline.WorkDayRule(start_time=dt.time(9), end_time=dt.time(18), working_days=range(5), tz=zone)
    lunch = baseline.LunchTimeRule(start_time=dt.time(13), end_time=dt.time(14), working_days=range(5), tz=zone)
    holiday = baseline.HolidayRule([dt.date(2026, 11, 4), dt.date(2027, 1, 1)], tz=zone)
    return baseline.Rules([workday, lunch, holiday])


def _best(work: Any) -> float:
    """Return seconds of one call: the best of five rounds."""
    number = 200
    return min(timeit.repeat(work, number=number, repeat=5)) / number
