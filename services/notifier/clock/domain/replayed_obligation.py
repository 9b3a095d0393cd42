"""One obligation of a dry run, as it would have ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.notifier.clock.domain.rules import Holder, Rule
from services.notifier.clock.domain.schedule import schedule
from services.notifier.clock.domain.waiting import (
    Span,
    after_pause,
    clock_stopped_at,
    counts_working_time,
    pause_limit_at,
)
from shared.vocabulary.worktime import WorkingCalendar


@dataclass(slots=True)
class ReplayedObligation:
    """It waits, pauses and resumes like the clock's own (`commands.waiting`), without ladder and letters."""

    rule: Rule
    office_id: UUID
    subject_id: UUID
    client_id: UUID | None
    responsible_id: UUID | None
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None = None
    outcome: Literal["open", "done", "cancelled"] = "open"
    spans: list[Span] = field(default_factory=list)
    agreed: datetime | None = None
    """The deadline agreed with the client."""
    was_paused: bool = False
    """Whether it was closed during a pause that began before the deadline: then it was not late."""

    def breached(self, at: datetime) -> bool:
        """Return whether the deadline passed while it was open; `at` is the end of the replay."""
        paused = self._pause()
        if self.outcome == "cancelled" or self.was_paused or (paused and paused.began_at <= self.due_at):
            return False
        return (self.closed_at or at) > self.due_at

    @property
    def key(self) -> tuple[str, UUID, datetime]:
        """Return what identifies the obligation in two replays."""
        return self.rule.obligation_kind, self.subject_id, self.opened_at

    def change_holder(
        self, calendar: WorkingCalendar, holder: Holder | None, since: datetime, role: str | None
    ) -> None:
        """Let the obligation wait for `holder` from `since` on, None: the manager again."""
        self.resume_if_expired(calendar, since)
        current = self.spans[-1] if self.spans and self.spans[-1].ended_at is None else None
        latest = max((span.ended_at or span.began_at for span in self.spans), default=self.opened_at)
        if (current.holder if current else None) == holder or since < latest:
            return
        if current is not None:
            self._end(calendar, current, since)
        if holder is not None:
            until = pause_limit_at(self.rule, role, calendar, self.spans, since)
            pauses = holder in self.rule.pauses_for and (until is None or until > since)
            self.spans.append(Span(holder, pauses, since, until=until if pauses else None))

    def resume_if_expired(self, calendar: WorkingCalendar, moment: datetime) -> None:
        """Resume the clock if the longest pause that the rule allows is over by then."""
        paused = self._pause()
        if paused is not None and paused.until is not None and paused.until <= moment:
            self._end(calendar, paused, paused.until)
            self.spans.append(Span(paused.holder, False, paused.until))

    def close(self, outcome: Literal["done", "cancelled"], calendar: WorkingCalendar, at: datetime) -> None:
        """End the obligation; one that was paused before its deadline is not late."""
        self.resume_if_expired(calendar, at)
        paused = self._pause()
        self.was_paused = paused is not None and paused.began_at <= self.due_at
        if self.spans and self.spans[-1].ended_at is None:
            self.spans[-1] = replace(self.spans[-1], ended_at=max(at, self.spans[-1].began_at), until=None)
        self.outcome, self.closed_at = outcome, at

    def reopen(self, calendar: WorkingCalendar, at: datetime) -> None:
        """Reopen the obligation with the time that was left."""
        closed_at = self.closed_at
        if closed_at is None:
            return
        self.outcome, self.closed_at, self.was_paused = "open", None, False
        if clock_stopped_at(self.spans, closed_at) < closed_at:
            self._end(calendar, self.spans[-1], closed_at)  # It was paused when it was closed.
        self.spans.append(Span("nobody", True, closed_at))
        self._end(calendar, self.spans[-1], max(at, closed_at))

    def follow(self, rule: Rule, calendar: WorkingCalendar, facts: Mapping[str, Any], at: datetime) -> None:
        """Apply another rule from now on, counted from the opening, with the pauses there were."""
        self.resume_if_expired(calendar, at)
        self.rule = rule
        self.due_at = schedule(rule, calendar, self.opened_at, facts, spans=self.spans, agreed=self.agreed).due_at

    def _pause(self) -> Span | None:
        last = self.spans[-1] if self.spans else None
        return last if last is not None and last.pauses and last.ended_at is None else None

    def _end(self, calendar: WorkingCalendar, span: Span, at: datetime) -> None:
        self.spans[-1] = replace(span, ended_at=at, until=None)
        if not span.pauses:
            return
        working = counts_working_time(self.rule)
        self.due_at = after_pause(calendar, self.due_at, span.began_at, at, working=working)
        if self.agreed is not None:
            self.agreed = after_pause(calendar, self.agreed, span.began_at, at, working=working)
