"""Whom a duty waits for, and what follows for its clock.  Nothing here talks to the database."""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from services.notifier import announcements
from services.notifier.commands.obligations import figures, history_row, wake_engine
from services.notifier.domain.rules import Holder, RuleBody
from services.notifier.domain.waiting import Span, counts_working_time, later, may_stand_until, stood_still_since
from services.notifier.duty import Duty, step_moment
from services.notifier.writing import Changes
from shared.vocabulary.worktime import WorkingCalendar


def wait_for(
    changes: Changes,
    duty: Duty,
    rule: RuleBody,
    calendar: WorkingCalendar,
    holder: Holder | None,
    since: datetime,
    *,
    at: datetime,
    role: str | None = None,
) -> bool:
    """From `since` on the duty waits for `holder`, None for the manager again; False where nothing changes.

    Where the rule says so the clock stands still, for no longer than the rule allows the `role` that says so (None: an
    event says so); going on is a new generation with what was left of the time.  What has fired by then stays as it
    was.  Raises NoWorkingTime.
    """
    go_on_if_over(changes, duty, rule, calendar, since, at=at)
    spans = [Span.of(row) for row in duty.spans]
    current = spans[-1] if spans and spans[-1].ended_at is None else None
    if (current.holder if current else None) == holder:
        return False
    latest = max((span.ended_at or span.began_at for span in spans), default=duty.opened_at)
    if since < latest:
        return False
    if current is not None:
        spans[-1] = replace(current, ended_at=since)
        if current.pauses:
            shift(changes, duty, rule, calendar, current.began_at, since, "resumed", at=at)
        else:
            changes.history.append(history_row(duty, "waiting", since, {"holder": "manager"}))
    if holder is not None:
        until = may_stand_until(rule, role, calendar, spans, since)
        pauses = holder in rule.pauses_for and (until is None or until > since)
        spans.append(Span(holder, pauses, since, until=until if pauses else None))
        if pauses:
            duty.paused_at, duty.next_at = since, None
        changes.history.append(history_row(duty, "paused" if pauses else "waiting", since, {"holder": holder}))
    duty.spans = [span.row for span in spans]
    changes.change(duty)
    return True


def go_on_if_over(
    changes: Changes, duty: Duty, rule: RuleBody, calendar: WorkingCalendar, moment: datetime, *, at: datetime
) -> bool:
    """The longest pause is over by `moment`: the clock goes on from its end, though the same one is waited for."""
    last = Span.of(duty.spans[-1]) if duty.spans else None
    if duty.paused_at is None or last is None or last.until is None or last.until > moment:
        return False
    shift(changes, duty, rule, calendar, last.began_at, last.until, "resumed", at=at)
    changes.history[-1]["details"]["limit"] = True
    ended = replace(last, ended_at=last.until, until=None)
    duty.spans = [*duty.spans[:-1], ended.row, Span(last.holder, False, last.until).row]
    return True


def go_on(changes: Changes, duty: Duty, rule: RuleBody, calendar: WorkingCalendar, *, at: datetime) -> None:
    """A closed duty was closed by mistake: it goes on with the time that was left, and what had fired stays fired.

    A breach that fired before it was heard that the duty had been done in time was none.
    """
    closed_at = duty.closed_at
    assert closed_at is not None  # The caller has seen that it is closed.
    stopped_at = stood_still_since([Span.of(row) for row in duty.spans], closed_at)
    duty.state, duty.closed_at = "open", None
    if duty.breached_at is not None and stopped_at <= duty.due_at:
        duty.breached_at = None
    duty.next_step = next((index for index, step in enumerate(duty.schedule) if step_moment(step) > stopped_at), None)
    duty.spans = [*duty.spans, Span("nobody", True, closed_at, max(at, closed_at)).row]
    shift(changes, duty, rule, calendar, stopped_at, at, "reopened", at=at)


def shift(
    changes: Changes,
    duty: Duty,
    rule: RuleBody,
    calendar: WorkingCalendar,
    began: datetime,
    ended: datetime,
    event: Literal["resumed", "reopened"],
    *,
    at: datetime,
) -> None:
    """The clock goes on after it stood still: a new generation of what had not fired by then."""
    working = counts_working_time(rule)

    def moved(moment: datetime) -> datetime:
        return later(calendar, moment, began, ended, working=working)

    told_before = announcements.closed(duty, "superseded", at, at)
    details = {"due_at": duty.due_at.isoformat()}
    duty.generation += 1
    if duty.breached_at is None:
        duty.due_at, duty.soon_at = moved(duty.due_at), moved(duty.soon_at)
    if duty.agreed_due_at is not None:
        duty.agreed_due_at = moved(duty.agreed_due_at)
    duty.paused_at = None
    if duty.next_step is not None:
        rest = [{**step, "at": moved(step_moment(step)).isoformat()} for step in duty.schedule[duty.next_step :]]
        duty.schedule = [*duty.schedule[: duty.next_step], *rest]
        duty.next_at = step_moment(rest[0])
    changes.events += [told_before, announcements.opened(duty, at)]
    changes.history.append(history_row(duty, event, ended, details | {"new": figures(duty)}))
    changes.change(duty)
    wake_engine(changes, duty, at)
