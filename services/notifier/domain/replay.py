"""What rules would have done with a period of real history: a dry run of a draft.

The clock hears events in any order and waits for the time to pass; a replay knows everything that happened, so it goes
through events, people's deeds and days of the calendar in the order of their moments.  It comes to the same duties as
the clock (a test compares them).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from services.notifier.domain.facts import CONCERNS, ID_FIELDS, view
from services.notifier.domain.outcomes import Outcome
from services.notifier.domain.rules import (
    Holder,
    Rule,
    Trigger,
    in_force,
    matched_key,
    matches,
    may_settle,
    names,
    winner,
)
from services.notifier.domain.schedule import due_of
from shared.vocabulary.worktime import WorkingCalendar


class Happening(NamedTuple):
    """What rules see of one event."""

    type: str
    office_id: UUID
    happened_at: datetime
    body: Mapping[str, Any]


class Deed(NamedTuple):
    """What a person did with a duty, by its history: no event of another service tells of it."""

    subject_id: UUID
    duty: str
    happened_at: datetime
    what: Literal["wait", "move", "done", "reopen"]
    holder: Holder | None = None
    role: str | None = None
    """Of whoever did it."""
    due_at: datetime | None = None


class Opening(NamedTuple):
    """A day of the calendar on which a duty opens by itself."""

    rule: Rule
    office_id: UUID
    subject_id: UUID
    responsible_id: UUID | None
    happened_at: datetime


@dataclass(slots=True)
class _Subject:
    facts: dict[str, list[Any]] = field(default_factory=dict)
    moments: dict[str, datetime] = field(default_factory=dict)
    duties: dict[str, Outcome] = field(default_factory=dict)


class Replay:
    """One pass over a history.  `calendars` are those of today, `managers` who serves each client."""

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
        self._of_client: defaultdict[UUID, list[Outcome]] = defaultdict(list)
        self._latest: dict[tuple[UUID, str], Outcome] = {}
        self.duties: list[Outcome] = []

    def run(self, history: Iterable[Happening | Deed | Opening], end: datetime) -> list[Outcome]:
        """`history` is in the order of its moments."""
        for item in history:
            match item:
                case Deed():
                    self._do(item)
                case Opening():
                    self._open_by_calendar(item)
                case Happening() if item.office_id in self._calendars:
                    self._hear(item)
        for duty in self.duties:
            duty.go_on_if_over(self._calendars[duty.office_id], end)
        return self.duties

    def _do(self, deed: Deed) -> None:
        """Deeds with a duty that is not there, or is over by these rules, have nothing to act on."""
        duty = self._latest.get((deed.subject_id, deed.duty))
        if duty is None or (duty.outcome == "open") == (deed.what == "reopen"):
            return
        calendar = self._calendars[duty.office_id]
        match deed.what:
            case "wait":
                duty.wait_for(calendar, deed.holder, deed.happened_at, deed.role)
            case "move" if deed.due_at is not None:
                duty.go_on_if_over(calendar, deed.happened_at)
                duty.due_at = duty.agreed = deed.due_at
            case "done" if duty.rule.by_hand:
                duty.close("done", calendar, deed.happened_at)
            case "reopen":
                duty.reopen(calendar, deed.happened_at)

    def _open_by_calendar(self, day: Opening) -> None:
        """Only where this rule is the one that holds on that day."""
        here = [rule for rule in self._rules_at(day.happened_at) if rule.office_id in (None, day.office_id)]
        by_calendar = [rule for rule in here if rule.every]
        if winner(by_calendar, day.rule.duty, day.office_id, {}) is not day.rule:
            return
        due_at = due_of(day.rule, self._calendars[day.office_id], day.happened_at, {})
        self._add(
            Outcome(day.rule, day.office_id, day.subject_id, None, day.responsible_id, day.happened_at, due_at),
        )

    def _add(self, duty: Outcome) -> None:
        self._latest[duty.subject_id, duty.rule.duty] = duty
        self.duties.append(duty)

    def _hear(self, event: Happening) -> None:
        rules = [rule for rule in self._rules_at(event.happened_at) if rule.office_id in (None, event.office_id)]
        touched = self._remember(event)
        client = event.body.get("client_id")
        concerned = [duty for _, _, subject in touched for duty in subject.duties.values()]
        concerned += self._of_client[UUID(client)] if isinstance(client, str) else []
        running = list({id(duty): duty for duty in concerned if duty.outcome == "open"}.values())
        self._settle(event, running)
        for kind, _, subject in touched:
            self._reconsider(event, rules, view(kind, subject.facts), subject)  # type: ignore[arg-type]  # From CONCERNS.
        self._wait(event, running)
        for kind, subject_id, subject in touched:
            self._open(event, rules, view(kind, subject.facts), kind, subject_id, subject)  # type: ignore[arg-type]

    def _remember(self, event: Happening) -> list[tuple[str, UUID, _Subject]]:
        touched: list[tuple[str, UUID, _Subject]] = []
        moment = event.happened_at.isoformat()
        for concern in CONCERNS.get(event.type, ()):
            own_id = event.body.get(ID_FIELDS[concern.kind])
            if not isinstance(own_id, str):
                continue
            subject = self._subjects[concern.kind, UUID(own_id)]
            subject.moments[event.type] = event.happened_at
            told = {name: event.body[name] for name in concern.takes if event.body.get(name) is not None}
            subject.facts |= {name: [value, moment, 0] for name, value in {**told, **concern.sets}.items()}
            touched.append((concern.kind, UUID(own_id), subject))
        return touched

    def _settle(self, event: Happening, running: Sequence[Outcome]) -> None:
        for duty in running:
            own_field = ID_FIELDS[duty.rule.subject]
            endings: list[tuple[Literal["done", "cancelled"], Sequence[Trigger]]]
            endings = [("done", duty.rule.closes), ("cancelled", duty.rule.cancels)]
            for outcome, triggers in endings:
                if any(self._ends(trigger, event, duty, own_field) for trigger in triggers):
                    duty.close(outcome, self._calendars[duty.office_id], event.happened_at)
                    break

    def _wait(self, event: Happening, running: Sequence[Outcome]) -> None:
        for duty in running:
            if duty.outcome != "open" or event.happened_at <= duty.opened_at:
                continue
            rule, own_field = duty.rule, ID_FIELDS[duty.rule.subject]
            told: list[tuple[Holder | None, Trigger]] = [(trigger.holder, trigger) for trigger in rule.waits]
            told += [(None, trigger) for trigger in rule.resumes]
            for holder, trigger in told:
                if self._is_about(trigger, event, duty, own_field):
                    duty.wait_for(self._calendars[duty.office_id], holder, event.happened_at, None)
                    break

    def _is_about(self, trigger: Trigger, event: Happening, duty: Outcome, own_field: str) -> bool:
        if not matches(trigger, event.type, dict(event.body)):
            return False
        found = matched_key(trigger, own_field, dict(event.body))
        return found is not None and names(event.body, own_field, duty.subject_id, duty.client_id, *found)

    def _ends(self, trigger: Trigger, event: Happening, duty: Outcome, own_field: str) -> bool:
        if not self._is_about(trigger, event, duty, own_field):
            return False
        found = matched_key(trigger, own_field, dict(event.body))
        return found is not None and may_settle(duty.rule, own_field, found[0], event.happened_at, duty.opened_at)

    def _reconsider(self, event: Happening, rules: Sequence[Rule], facts: dict[str, Any], subject: _Subject) -> None:
        for duty in subject.duties.values():
            if duty.outcome != "open" or duty.rule.repeats or event.type not in duty.rule.reconsiders:
                continue
            best = winner(rules, duty.rule.duty, duty.office_id, facts)
            if best is None:
                duty.close("cancelled", self._calendars[duty.office_id], event.happened_at)
            elif (best.code, best.office_id) != (duty.rule.code, duty.rule.office_id):
                duty.follow(best, self._calendars[duty.office_id], facts, event.happened_at)

    def _open(
        self,
        event: Happening,
        rules: Sequence[Rule],
        facts: dict[str, Any],
        kind: str,
        subject_id: UUID,
        subject: _Subject,
    ) -> None:
        opening = [rule for rule in rules if event.type in rule.opens and rule.subject == kind]
        for name in sorted({rule.duty for rule in opening}):
            rule = winner(opening, name, event.office_id, facts)
            known = subject.duties.get(name)
            if rule is None or (known is not None and (known.outcome == "open" or not rule.repeats)):
                continue
            opened_at = max(subject.moments[opener] for opener in rule.opens if opener in subject.moments)
            client = event.body.get("client_id")
            client_id = UUID(client) if isinstance(client, str) else None
            staff = event.body.get("staff_id")
            responsible = self._managers.get(client_id) if client_id else None
            duty = Outcome(
                rule,
                event.office_id,
                subject_id,
                client_id,
                responsible or (UUID(staff) if isinstance(staff, str) else None),
                opened_at,
                due_of(rule, self._calendars[event.office_id], opened_at, facts),
            )
            subject.duties[name] = duty
            self._add(duty)
            if client_id is not None:
                self._of_client[client_id].append(duty)


def with_draft(rules: Sequence[Rule], draft: Rule) -> Callable[[datetime], Sequence[Rule]]:
    """Rules in force at a moment, with the draft in place of every version of its own rule at all times."""
    others = [rule for rule in rules if (rule.code, rule.office_id) != (draft.code, draft.office_id)]
    return lambda moment: [*in_force(others, moment), *([draft] if draft.active else [])]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a draft changes about one duty."""

    what: Literal["added", "dropped", "breached_now", "kept_now", "deadline_moved", "rule_changed"]
    before: Outcome | None
    after: Outcome | None

    @property
    def either(self) -> Outcome:
        found = self.after or self.before
        assert found is not None  # One of the two is always there.
        return found


def differences(before: Sequence[Outcome], after: Sequence[Outcome], at: datetime) -> list[Difference]:
    """Sorted by the moment of opening; `at` is the end of the replay."""
    old, new = ({duty.key: duty for duty in duties} for duties in (before, after))
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
