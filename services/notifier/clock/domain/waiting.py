"""Time in which an obligation waits for another party than the manager, and what it does to the deadline."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from services.notifier.clock.domain.rules import Holder, RuleBody
from shared.vocabulary.worktime import Unit, WorkingCalendar, add_working_minutes, working_time_between

ONE_MINUTE = timedelta(minutes=1)

WORKING_UNITS = (Unit.WORKING_MINUTES, Unit.WORKING_DAYS)


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which the obligation waited for `holder`; `nobody`: it counted as closed by mistake."""

    holder: Holder | Literal["nobody"]
    pauses: bool
    """Whether the clock was paused."""
    began_at: datetime
    ended_at: datetime | None = None
    until: datetime | None = None
    """When the clock resumes by itself, unless it is resumed earlier."""

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Span":
        """Return the span of a stored row."""
        ended = row["ended_at"]
        began = datetime.fromisoformat(row["began_at"])
        until = row.get("until")
        return cls(
            row["holder"],
            row["pauses"],
            began,
            datetime.fromisoformat(ended) if ended else None,
            datetime.fromisoformat(until) if until else None,
        )

    @property
    def row(self) -> dict[str, Any]:
        """Return the span as it is stored."""
        ended = self.ended_at.isoformat() if self.ended_at else None
        return {
            "holder": self.holder,
            "pauses": self.pauses,
            "began_at": self.began_at.isoformat(),
            "ended_at": ended,
            "until": self.until.isoformat() if self.until else None,
        }


def counts_working_time(rule: RuleBody) -> bool:
    """Return whether the rule counts the office's working time (K5)."""
    return rule.duration.unit in WORKING_UNITS and rule.until is None


def pause_limit_at(
    rule: RuleBody, role: str | None, calendar: WorkingCalendar, spans: Iterable[Span], since: datetime
) -> datetime | None:
    """Return when a pause from `since` on has used up what earlier pauses have left of the limit; None: no limit.

    Raises NoWorkingTime.
    """
    limits = {limit.role: limit.up_to for limit in rule.longest_pauses}
    limit = limits.get(role, limits.get(None)) if role else limits.get(None)  # type: ignore[call-overload]  # Any role.
    if limit is None:
        return None
    past_pauses = [
        (span.began_at, span.ended_at) for span in spans if span.pauses and span.ended_at and span.holder != "nobody"
    ]
    if limit.unit in WORKING_UNITS:
        used = sum((working_time_between(calendar, *span) for span in past_pauses), timedelta())
        left = max(timedelta(), limit.amount * ONE_MINUTE - used)
        return add_working_minutes(calendar, since, left / ONE_MINUTE) if left else since
    whole = timedelta(hours=limit.amount) if limit.unit == Unit.CALENDAR_HOURS else timedelta(seconds=limit.amount)
    return since + max(timedelta(), whole - sum((ended - began for began, ended in past_pauses), timedelta()))


def after_pause(
    calendar: WorkingCalendar, moment: datetime, began: datetime, ended: datetime, *, working: bool
) -> datetime:
    """Return when what was due at `moment` is due after a pause from `began` to `ended`.

    The time that was left when the clock stopped is left when it resumes.  Raises NoWorkingTime.
    """
    if moment <= began or ended <= began:
        return moment
    if not working:
        return moment + (ended - began)
    return add_working_minutes(calendar, ended, working_time_between(calendar, began, moment) / ONE_MINUTE)


def convert_remaining(
    old: WorkingCalendar, new: WorkingCalendar, since: datetime, moment: datetime, *, working: bool
) -> datetime:
    """Return when what was due at `moment` by one calendar is due by another one that holds from `since` on.

    Raises NoWorkingTime.
    """
    if moment <= since or not working:
        return moment
    return add_working_minutes(new, since, working_time_between(old, since, moment) / ONE_MINUTE)


def clock_stopped_at(spans: Sequence[Span], closed_at: datetime) -> datetime:
    """Return when the clock of a closed obligation stopped.

    Where it was closed during a pause, that is the beginning of the pause, whose time was not added to the deadline.
    """
    last = spans[-1] if spans else None
    if last is not None and last.pauses and last.holder != "nobody" and last.ended_at == closed_at:
        return last.began_at
    return closed_at


def after_pauses(calendar: WorkingCalendar, moment: datetime, spans: Iterable[Span], *, working: bool) -> datetime:
    """Return `moment` shifted by all pauses that have ended; they are in the order of time and do not overlap."""
    for span in spans:
        if span.pauses and span.ended_at is not None:
            moment = after_pause(calendar, moment, span.began_at, span.ended_at, working=working)
    return moment


@dataclass(frozen=True, slots=True)
class Period:
    """Time in which one calendar counted; an obligation that moves to another office has several in a row."""

    begin: datetime
    end: datetime
    calendar: WorkingCalendar
    office_id: UUID


def minutes_by_holder(periods: Iterable[Period], spans: Sequence[Span], *, working: bool) -> dict[str, int]:
    """Return how long the obligation waited for each party, in whole minutes of the rule's kind of time."""
    waited: Counter[str] = Counter()
    for period in periods:
        waited += _time_by_holder(period.calendar, period.begin, period.end, spans, working=working)
    return {holder: int(waited[holder]) // 60_000_000 for holder in ("manager", "client", "supplier")}


def _time_by_holder(
    calendar: WorkingCalendar, opened_at: datetime, until: datetime, spans: Sequence[Span], *, working: bool
) -> Counter[str]:
    """Return the times in microseconds."""

    def length(begin: datetime, end: datetime) -> timedelta:
        if end <= begin:
            return timedelta()
        return working_time_between(calendar, begin, end) if working else end - begin

    waited = {"manager": length(opened_at, until), "client": timedelta(), "supplier": timedelta()}
    for span in spans:
        begin, end = max(span.began_at, opened_at), min(span.ended_at or until, until)
        waited["manager"] -= length(begin, end)
        if span.holder != "nobody":
            waited[span.holder] += length(begin, end)
    return Counter({holder: time // timedelta(microseconds=1) for holder, time in waited.items()})
