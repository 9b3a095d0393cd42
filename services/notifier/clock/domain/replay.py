"""Replay a period of real history by given rules: the dry run of a draft.

The clock receives events in any order and waits for the time to pass; a replay knows everything that happened, so it
goes through events, actions of people and days of the calendar in the order of their moments.  It comes to the same
obligations as the clock (a test compares them).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from services.notifier.clock.domain.facts import CONCERNS, ID_FIELDS, plain_facts
from services.notifier.clock.domain.replayed_obligation import ReplayedObligation
from services.notifier.clock.domain.rules import (
    Holder,
    Rule,
    Trigger,
    can_close,
    in_force,
    matched_key,
    matches,
    most_specific_rule,
    refers_to_subject,
)
from services.notifier.clock.domain.schedule import due_of
from shared.vocabulary.worktime import WorkingCalendar


class PastEvent(NamedTuple):
    """What rules see of one event."""

    type: str
    office_id: UUID
    happened_at: datetime
    body: Mapping[str, Any]


class StaffAction(NamedTuple):
    """What a person did with an obligation, by its history: no event of another service reports it."""

    subject_id: UUID
    obligation_kind: str
    happened_at: datetime
    what: Literal["wait", "move", "done", "reopen"]
    holder: Holder | None = None
    role: str | None = None
    """Of the person who did it."""
    due_at: datetime | None = None


class CalendarOpening(NamedTuple):
    """A day of the calendar on which an obligation opens by itself."""

    rule: Rule
    office_id: UUID
    subject_id: UUID
    responsible_id: UUID | None
    happened_at: datetime


@dataclass(slots=True)
class _Subject:
    facts: dict[str, list[Any]] = field(default_factory=dict)
    moments: dict[str, datetime] = field(default_factory=dict)
    obligations: dict[str, ReplayedObligation] = field(default_factory=dict)


class Replay:
    """One pass over a history.  `calendars` are those of today, `managers` those of the clients."""

    def __init__(
        self,
        rules_at: Callable[[datetime], Sequence[Rule]],
        calendars: Mapping[UUID, WorkingCalendar],
        managers: Mapping[UUID, UUID],
    ) -> None:
        self._rules_at = rules_at
        self._calendars = calendars
        self._managers = managers
        self._subjects: defaultdict[tuple[str, UUID], _Subject] = defaultdict(_Subject)
        self._of_client: defaultdict[UUID, list[ReplayedObligation]] = defaultdict(list)
        self._latest: dict[tuple[UUID, str], ReplayedObligation] = {}
        self.obligations: list[ReplayedObligation] = []

    def run(
        self, history: Iterable[PastEvent | StaffAction | CalendarOpening], end: datetime
    ) -> list[ReplayedObligation]:
        """Return the obligations that come of `history`, which is in the order of its moments."""
        for item in history:
            match item:
                case StaffAction():
                    self._apply_action(item)
                case CalendarOpening():
                    self._open_by_calendar(item)
                case PastEvent() if item.office_id in self._calendars:
                    self._apply(item)
        for obligation in self.obligations:
            obligation.resume_if_expired(self._calendars[obligation.office_id], end)
        return self.obligations

    def _apply_action(self, action: StaffAction) -> None:
        """Apply an action; one on an obligation that these rules did not open, or have closed, does nothing."""
        obligation = self._latest.get((action.subject_id, action.obligation_kind))
        if obligation is None or (obligation.outcome == "open") == (action.what == "reopen"):
            return
        calendar = self._calendars[obligation.office_id]
        match action.what:
            case "wait":
                obligation.change_holder(calendar, action.holder, action.happened_at, action.role)
            case "move" if action.due_at is not None:
                obligation.resume_if_expired(calendar, action.happened_at)
                obligation.due_at = obligation.agreed = action.due_at
            case "done" if obligation.rule.by_hand:
                obligation.close("done", calendar, action.happened_at)
            case "reopen":
                obligation.reopen(calendar, action.happened_at)

    def _open_by_calendar(self, day: CalendarOpening) -> None:
        """Open the obligation if this rule is the one that holds on that day."""
        here = [rule for rule in self._rules_at(day.happened_at) if rule.office_id in (None, day.office_id)]
        by_calendar = [rule for rule in here if rule.every]
        if most_specific_rule(by_calendar, day.rule.obligation_kind, day.office_id, {}) is not day.rule:
            return
        due_at = due_of(day.rule, self._calendars[day.office_id], day.happened_at, {})
        self._add(
            ReplayedObligation(
                day.rule, day.office_id, day.subject_id, None, day.responsible_id, day.happened_at, due_at
            ),
        )

    def _add(self, obligation: ReplayedObligation) -> None:
        self._latest[obligation.subject_id, obligation.rule.obligation_kind] = obligation
        self.obligations.append(obligation)

    def _apply(self, event: PastEvent) -> None:
        rules = [rule for rule in self._rules_at(event.happened_at) if rule.office_id in (None, event.office_id)]
        touched = self._update_subjects(event)
        client = event.body.get("client_id")
        concerned = [obligation for _, _, subject in touched for obligation in subject.obligations.values()]
        concerned += self._of_client[UUID(client)] if isinstance(client, str) else []
        running = list(
            {id(obligation): obligation for obligation in concerned if obligation.outcome == "open"}.values()
        )
        self._close_matching(event, running)
        for kind, _, subject in touched:
            self._reevaluate(event, rules, plain_facts(kind, subject.facts), subject)  # type: ignore[arg-type]  # From CONCERNS.
        self._apply_waiting(event, running)
        for kind, subject_id, subject in touched:
            self._open(event, rules, plain_facts(kind, subject.facts), kind, subject_id, subject)  # type: ignore[arg-type]

    def _update_subjects(self, event: PastEvent) -> list[tuple[str, UUID, _Subject]]:
        touched: list[tuple[str, UUID, _Subject]] = []
        moment = event.happened_at.isoformat()
        for concern in CONCERNS.get(event.type, ()):
            own_id = event.body.get(ID_FIELDS[concern.kind])
            if not isinstance(own_id, str):
                continue
            subject = self._subjects[concern.kind, UUID(own_id)]
            subject.moments[event.type] = event.happened_at
            taken = {name: event.body[name] for name in concern.takes if event.body.get(name) is not None}
            subject.facts |= {name: [value, moment, 0] for name, value in {**taken, **concern.sets}.items()}
            touched.append((concern.kind, UUID(own_id), subject))
        return touched

    def _close_matching(self, event: PastEvent, running: Sequence[ReplayedObligation]) -> None:
        for obligation in running:
            own_field = ID_FIELDS[obligation.rule.subject]
            endings: list[tuple[Literal["done", "cancelled"], Sequence[Trigger]]]
            endings = [("done", obligation.rule.closes), ("cancelled", obligation.rule.cancels)]
            for outcome, triggers in endings:
                if any(self._ends(trigger, event, obligation, own_field) for trigger in triggers):
                    obligation.close(outcome, self._calendars[obligation.office_id], event.happened_at)
                    break

    def _apply_waiting(self, event: PastEvent, running: Sequence[ReplayedObligation]) -> None:
        for obligation in running:
            if obligation.outcome != "open" or event.happened_at <= obligation.opened_at:
                continue
            rule, own_field = obligation.rule, ID_FIELDS[obligation.rule.subject]
            triggers: list[tuple[Holder | None, Trigger]] = [(trigger.holder, trigger) for trigger in rule.waits]
            triggers += [(None, trigger) for trigger in rule.resumes]
            for holder, trigger in triggers:
                if self._is_about(trigger, event, obligation, own_field):
                    obligation.change_holder(self._calendars[obligation.office_id], holder, event.happened_at, None)
                    break

    def _is_about(self, trigger: Trigger, event: PastEvent, obligation: ReplayedObligation, own_field: str) -> bool:
        if not matches(trigger, event.type, dict(event.body)):
            return False
        found = matched_key(trigger, own_field, dict(event.body))
        return found is not None and refers_to_subject(
            event.body, own_field, obligation.subject_id, obligation.client_id, *found
        )

    def _ends(self, trigger: Trigger, event: PastEvent, obligation: ReplayedObligation, own_field: str) -> bool:
        if not self._is_about(trigger, event, obligation, own_field):
            return False
        found = matched_key(trigger, own_field, dict(event.body))
        return found is not None and can_close(
            obligation.rule, own_field, found[0], event.happened_at, obligation.opened_at
        )

    def _reevaluate(self, event: PastEvent, rules: Sequence[Rule], facts: dict[str, Any], subject: _Subject) -> None:
        for obligation in subject.obligations.values():
            if (
                obligation.outcome != "open"
                or obligation.rule.repeats
                or event.type not in obligation.rule.reevaluating_events
            ):
                continue
            best = most_specific_rule(rules, obligation.rule.obligation_kind, obligation.office_id, facts)
            if best is None:
                obligation.close("cancelled", self._calendars[obligation.office_id], event.happened_at)
            elif (best.code, best.office_id) != (obligation.rule.code, obligation.rule.office_id):
                obligation.follow(best, self._calendars[obligation.office_id], facts, event.happened_at)

    def _open(
        self,
        event: PastEvent,
        rules: Sequence[Rule],
        facts: dict[str, Any],
        kind: str,
        subject_id: UUID,
        subject: _Subject,
    ) -> None:
        opening = [rule for rule in rules if event.type in rule.opens and rule.subject == kind]
        for name in sorted({rule.obligation_kind for rule in opening}):
            rule = most_specific_rule(opening, name, event.office_id, facts)
            known = subject.obligations.get(name)
            if rule is None or (known is not None and (known.outcome == "open" or not rule.repeats)):
                continue
            opened_at = max(subject.moments[opener] for opener in rule.opens if opener in subject.moments)
            client = event.body.get("client_id")
            client_id = UUID(client) if isinstance(client, str) else None
            staff = event.body.get("staff_id")
            responsible = self._managers.get(client_id) if client_id else None
            obligation = ReplayedObligation(
                rule,
                event.office_id,
                subject_id,
                client_id,
                responsible or (UUID(staff) if isinstance(staff, str) else None),
                opened_at,
                due_of(rule, self._calendars[event.office_id], opened_at, facts),
            )
            subject.obligations[name] = obligation
            self._add(obligation)
            if client_id is not None:
                self._of_client[client_id].append(obligation)


def with_draft(rules: Sequence[Rule], draft: Rule) -> Callable[[datetime], Sequence[Rule]]:
    """Return a function moment → rules in force, with the draft in place of every version of its own rule."""
    others = [rule for rule in rules if (rule.code, rule.office_id) != (draft.code, draft.office_id)]
    return lambda moment: [*in_force(others, moment), *([draft] if draft.active else [])]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a draft changes about one obligation."""

    what: Literal["added", "dropped", "breached_now", "kept_now", "deadline_moved", "rule_changed"]
    before: ReplayedObligation | None
    after: ReplayedObligation | None

    @property
    def either(self) -> ReplayedObligation:
        """Return the obligation of the later replay, else that of the earlier one."""
        found = self.after or self.before
        assert found is not None  # One of the two is always there.
        return found


def differences(
    before: Sequence[ReplayedObligation], after: Sequence[ReplayedObligation], at: datetime
) -> list[Difference]:
    """Return the differences in the order of opening; `at` is the end of the replay."""
    old, new = ({obligation.key: obligation for obligation in obligations} for obligations in (before, after))
    found = []
    for key in old.keys() | new.keys():
        one, other = old.get(key), new.get(key)
        if one is None:
            found.append(Difference("added", None, other))
        elif other is None:
            found.append(Difference("dropped", one, None))
        elif other.breached(at) != one.breached(at):
            found.append(Difference("breached_now" if other.breached(at) else "kept_now", one, other))
        elif one.due_at != other.due_at:
            found.append(Difference("deadline_moved", one, other))
        elif (one.rule.code, one.rule.office_id) != (other.rule.code, other.rule.office_id):
            found.append(Difference("rule_changed", one, other))
    return sorted(found, key=lambda difference: (difference.either.opened_at, str(difference.either.subject_id)))
