"""Change whom an obligation waits for, and what follows for its clock (CALL-02, BILL-06).

Nothing here talks to the database.
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from services.notifier.clock.commands.obligations import deadline_details, history_row, wake_engine
from services.notifier.clock.domain import obligation_events
from services.notifier.clock.domain.obligation import ObligationRecord, step_moment
from services.notifier.clock.domain.rules import Holder, RuleBody
from services.notifier.clock.domain.waiting import (
    Span,
    after_pause,
    clock_stopped_at,
    counts_working_time,
    pause_limit_at,
)
from services.notifier.clock.store.unit_of_work import UnitOfWork
from shared.vocabulary.worktime import WorkingCalendar


def change_holder(
    work: UnitOfWork,
    obligation: ObligationRecord,
    rule: RuleBody,
    calendar: WorkingCalendar,
    holder: Holder | None,
    since: datetime,
    *,
    at: datetime,
    role: str | None = None,
) -> bool:
    """Let the obligation wait for `holder` from `since` on, None: the manager again; False where nothing changes.

    Where the rule says so the clock is paused, for no longer than the rule allows `role` (None: an event).  Resuming
    makes a new generation with the time that was left.  Fired steps stay as they were.  Raises NoWorkingTime.
    """
    resume_if_expired(work, obligation, rule, calendar, since, at=at)
    spans = [Span.of(row) for row in obligation.spans]
    current = spans[-1] if spans and spans[-1].ended_at is None else None
    if (current.holder if current else None) == holder:
        return False
    latest = max((span.ended_at or span.began_at for span in spans), default=obligation.opened_at)
    if since < latest:
        return False
    if current is not None:
        spans[-1] = replace(current, ended_at=since)
        if current.pauses:
            shift(work, obligation, rule, calendar, current.began_at, since, "resumed", at=at)
        else:
            work.history.append(history_row(obligation, "waiting", since, {"holder": "manager"}))
    if holder is not None:
        until = pause_limit_at(rule, role, calendar, spans, since)
        pauses = holder in rule.pauses_for and (until is None or until > since)
        spans.append(Span(holder, pauses, since, until=until if pauses else None))
        if pauses:
            obligation.paused_at, obligation.next_at = since, None
        work.history.append(history_row(obligation, "paused" if pauses else "waiting", since, {"holder": holder}))
    obligation.spans = [span.row for span in spans]
    work.mark_changed(obligation)
    return True


def resume_if_expired(
    work: UnitOfWork,
    obligation: ObligationRecord,
    rule: RuleBody,
    calendar: WorkingCalendar,
    moment: datetime,
    *,
    at: datetime,
) -> bool:
    """Resume the clock if the longest pause is over by `moment`; the same holder is still waited for."""
    last = Span.of(obligation.spans[-1]) if obligation.spans else None
    if obligation.paused_at is None or last is None or last.until is None or last.until > moment:
        return False
    shift(work, obligation, rule, calendar, last.began_at, last.until, "resumed", at=at)
    work.history[-1]["details"]["limit"] = True
    ended = replace(last, ended_at=last.until, until=None)
    obligation.spans = [*obligation.spans[:-1], ended.row, Span(last.holder, False, last.until).row]
    return True


def resume_after_reopening(
    work: UnitOfWork, obligation: ObligationRecord, rule: RuleBody, calendar: WorkingCalendar, *, at: datetime
) -> None:
    """Reopen an obligation that was closed by mistake, with the time that was left; fired steps stay fired.

    A breach that fired before the system learnt that the obligation had been done in time is taken back.
    """
    closed_at = obligation.closed_at
    assert closed_at is not None  # The caller has seen that it is closed.
    stopped_at = clock_stopped_at([Span.of(row) for row in obligation.spans], closed_at)
    obligation.state, obligation.closed_at = "open", None
    if obligation.breached_at is not None and stopped_at <= obligation.due_at:
        obligation.breached_at = None
    obligation.next_step = next(
        (index for index, step in enumerate(obligation.schedule) if step_moment(step) > stopped_at), None
    )
    obligation.spans = [*obligation.spans, Span("nobody", True, closed_at, max(at, closed_at)).row]
    shift(work, obligation, rule, calendar, stopped_at, at, "reopened", at=at)


def shift(
    work: UnitOfWork,
    obligation: ObligationRecord,
    rule: RuleBody,
    calendar: WorkingCalendar,
    began: datetime,
    ended: datetime,
    event: Literal["resumed", "reopened"],
    *,
    at: datetime,
) -> None:
    """Resume the clock after a pause: a new generation of the steps that had not fired by then."""
    working = counts_working_time(rule)

    def moved(moment: datetime) -> datetime:
        return after_pause(calendar, moment, began, ended, working=working)

    superseded = obligation_events.closed(obligation, "superseded", at, at)
    details = {"due_at": obligation.due_at.isoformat()}
    obligation.generation += 1
    if obligation.breached_at is None:
        obligation.due_at, obligation.soon_at = moved(obligation.due_at), moved(obligation.soon_at)
    if obligation.agreed_due_at is not None:
        obligation.agreed_due_at = moved(obligation.agreed_due_at)
    obligation.paused_at = None
    if obligation.next_step is not None:
        rest = [
            {**step, "at": moved(step_moment(step)).isoformat()} for step in obligation.schedule[obligation.next_step :]
        ]
        obligation.schedule = [*obligation.schedule[: obligation.next_step], *rest]
        obligation.next_at = step_moment(rest[0])
    work.events += [superseded, obligation_events.opened(obligation, at)]
    work.history.append(history_row(obligation, event, ended, details | {"new": deadline_details(obligation)}))
    work.mark_changed(obligation)
    wake_engine(work, obligation, at)
