"""Compute when an obligation is due, and what happens at which moment before and after (NTF-03, K5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from services.notifier.clock.domain.rules import LadderRole, Rule
from services.notifier.clock.domain.waiting import Span, after_pauses, counts_working_time
from shared.vocabulary.worktime import Unit, WorkingCalendar, add_working_minutes, deadline, working_minutes_between

StepKind = Literal["warning", "breach", "escalation", "limit"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens at one moment if the obligation is still open then."""

    level: int
    """Position in the schedule, from 1."""
    kind: StepKind
    at: datetime
    role: LadderRole | None = None
    """The role that is notified."""
    action: Literal["remove_order", "disable_client"] | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A deadline and its steps."""

    due_at: datetime
    steps: tuple[Step, ...]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the steps as they are stored."""
        return [
            {"level": s.level, "kind": s.kind, "at": s.at.isoformat(), "role": s.role, "action": s.action}
            for s in self.steps
        ]

    @property
    def soon_at(self) -> datetime:
        """Return from when on the deadline counts as near: the first warning, else the deadline."""
        return min((step.at for step in self.steps if step.kind == "warning"), default=self.due_at)


def due_of(rule: Rule, calendar: WorkingCalendar, opened_at: datetime, facts: Mapping[str, Any]) -> datetime:
    """Return the deadline in UTC.  Raises NoWorkingTime."""
    promised = facts.get(rule.until) if rule.until else None
    if isinstance(promised, str):
        return max(datetime.fromisoformat(promised).astimezone(UTC), opened_at)
    return deadline(calendar, opened_at, rule.duration)


def schedule(
    rule: Rule,
    calendar: WorkingCalendar,
    opened_at: datetime,
    facts: Mapping[str, Any],
    *,
    spans: Sequence[Span] = (),
    agreed: datetime | None = None,
    exactly: datetime | None = None,
) -> Schedule:
    """Return all steps in the order of time, shifted by the pauses there were.  Raises NoWorkingTime.

    An `agreed` deadline replaces the rule's own where it is the later one, an `exactly` given one in any case.
    """
    working = counts_working_time(rule)
    own_due = due_of(rule, calendar, opened_at, facts)
    due_at = own_due
    if agreed is not None and agreed > after_pauses(calendar, own_due, spans, working=working):
        due_at, spans = agreed, ()  # It was agreed with the pauses in mind.
    if exactly is not None:
        due_at, spans = exactly, ()
    drafts: list[tuple[datetime, int, StepKind, LadderRole | None, Any]] = []
    for warning in rule.warnings:
        at = _share_of(rule, calendar, opened_at, due_at, warning.share)
        drafts.append((min(at, due_at), 0, "warning", warning.role, None))
    ladder = list(rule.ladder)
    notified_at_breach = ladder.pop(0).role if ladder and ladder[0].after.amount == 0 else None
    drafts.append((due_at, 1, "breach", notified_at_breach, None))
    for level in ladder:
        at = due_at if level.after.amount == 0 else deadline(calendar, due_at, level.after)
        drafts.append((at, 3, "escalation", level.role, None))
    if rule.limit is not None:
        at = due_at if rule.limit.after.amount == 0 else deadline(calendar, due_at, rule.limit.after)
        drafts.append((at, 2, "limit", None, rule.limit.action))
    paused = [(after_pauses(calendar, draft[0], spans, working=working), *draft[1:]) for draft in drafts]
    paused.sort(key=lambda draft: (draft[0], draft[1]))
    steps = tuple(
        Step(level=number, kind=kind, at=at, role=role, action=action)
        for number, (at, _, kind, role, action) in enumerate(paused, start=1)
    )
    return Schedule(due_at=after_pauses(calendar, due_at, spans, working=working), steps=steps)


def _share_of(rule: Rule, calendar: WorkingCalendar, opened_at: datetime, due_at: datetime, share: int) -> datetime:
    """Return `share` per cent of the allotted time: of its working time where the rule counts working time."""
    if rule.duration.unit in (Unit.WORKING_MINUTES, Unit.WORKING_DAYS) and due_at > opened_at:
        minutes = working_minutes_between(calendar, opened_at, due_at)
        if minutes > 0:
            return add_working_minutes(calendar, opened_at, minutes * share / 100)
    return opened_at + (due_at - opened_at) * share / 100
