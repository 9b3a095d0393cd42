"""Days on which obligations open by the calendar.

Clauses: CALL-04, HR-03, K3.  In part: HR-02, RPT-01, RPT-02, RPT-03, RPT-04, RPT-05, RPT-06 (the reminder with its
deadline; plans, reports and questionnaires have no content here).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from services.notifier.clock.domain.rules import Every, Rule
from shared.vocabulary.worktime import WorkingCalendar, add_working_minutes

LOOK_BACK = timedelta(days=7)
"""After downtime the service opens what came meanwhile, if it is not too late already."""
MAX_HOLIDAY = timedelta(days=40)
"""A day off moves its obligation to the next working day, which may be far: from the first of January to the ninth."""

_PERIODS = {"day": "день", "week": "неделя", "month": "месяц"}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One day of the calendar and when its obligation opens."""

    day: date
    opened_at: datetime
    """When the work of that day begins; where the day is off, of the next working day."""


def occurrences(rule: Rule, calendar: WorkingCalendar, at: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences that have begun by `at`, the oldest first.  Raises NoWorkingTime."""
    assert rule.every is not None
    today = at.astimezone(calendar.zone).date()
    look_back = LOOK_BACK if rule.every.period == "day" else LOOK_BACK + MAX_HOLIDAY
    for back in range(look_back.days, -1, -1):
        day = today - timedelta(days=back)
        if not _is_due(rule.every, day):
            continue
        midnight = datetime.combine(day, time(), tzinfo=calendar.zone)
        opened_at = add_working_minutes(calendar, midnight, 0)
        opened_on = opened_at.astimezone(calendar.zone).date()
        if opened_on < today - LOOK_BACK:
            continue
        if rule.every.period == "day" and opened_on != day:
            continue  # A day off has no daily obligation, and the next day has its own.
        if opened_at <= at and opened_at >= rule.effective_from:
            yield Occurrence(day, opened_at)


def occurrences_between(
    rule: Rule, calendar: WorkingCalendar, since: datetime, until: datetime
) -> Iterator[Occurrence]:
    """Yield the occurrences that begin in the period, the oldest first.  Raises NoWorkingTime."""
    seen: set[date] = set()
    at = since
    while at < until:
        at = min(at + LOOK_BACK, until)
        for occurrence in occurrences(rule, calendar, at):
            if occurrence.opened_at >= since and occurrence.day not in seen:
                seen.add(occurrence.day)
                yield occurrence


def _is_due(every: Every, day: date) -> bool:
    match every.period:
        case "day":
            return True
        case "week":
            return day.isoweekday() in every.days
        case _:
            return day.day in every.days


def occurrence_id(rule: Rule, owner_id: UUID, day: date) -> UUID:
    """Return an id that every replica and every look computes alike, so that the obligation opens once."""
    return uuid5(NAMESPACE_OID, f"{rule.obligation_kind}/{owner_id}/{day.isoformat()}")


def occurrence_label(every: Every, day: date, name: str) -> str:
    """Return what people read: «Иванов Иван, неделя 16.11.2026»."""
    return f"{name}, {_PERIODS[every.period]} {day:%d.%m.%Y}"
