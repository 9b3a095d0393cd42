"""Rules: obligations with a deadline, as data (NTF-03, K5).

An obligation kind (`first_call`) may have several rules; for one case the most specific one wins.  Conditions under
`when` of a rule are about the facts of its subject, those of a trigger about the fields of the event itself.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.notifier.clock.domain.conditions import Condition, Facts, holds, specificity
from shared.contracts import notifier as contract
from shared.vocabulary.worktime import Duration

SubjectKind = contract.SubjectKind | Literal["office", "staff"]
"""The last two are for obligations that come by the calendar; their subject is an occurrence (`domain.occurrences`)."""
CALENDAR_KINDS = ("office", "staff")

LadderRole = Literal["manager", "senior_manager", "director", "head_office"]
LADDER: tuple[LadderRole, ...] = ("manager", "senior_manager", "director", "head_office")
"""NTF-03, from the bottom up."""

EventType = Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)+\.v[0-9]+$", max_length=100)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,59}$")]
RuleCode = Annotated[str, Field(pattern=r"^[A-Z]{2,6}-[0-9]{2}(-[A-Z0-9]{1,20})*$", examples=["ORD-06-PAID"])]


class RulePart(BaseModel):
    """A frozen part of a rule; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Trigger(RulePart):
    """An event that ends a duty.

    `match` names the event's fields that say whose duty it is, the first that has a value decides: the subject's own
    id, or `client_id` for all such duties of the client.  Without it the subject's own id.
    """

    event: EventType
    match: Annotated[tuple[Name, ...], Field(max_length=3)] = ()
    when: Condition | None = None


Holder = Literal["client", "supplier"]
"""The party that an obligation may wait for; otherwise it waits for the manager."""


class Wait(Trigger):
    """An event after which the duty waits for somebody else; the clock stands still where `pauses_for` says so."""

    holder: Holder


class MoveLimit(RulePart):
    """How far this role may move the deadline by agreement with the client, counted from the rule's own deadline."""

    role: LadderRole
    up_to: Duration


class PauseLimit(RulePart):
    """How long the clock may stand still in all, by the word of this role; after that it goes on by itself."""

    role: LadderRole | None = None
    """None: for events, and for the roles that have no limit of their own."""
    up_to: Duration


class EarlyWarning(RulePart):
    """Before the deadline: at `share` per cent of the allotted time."""

    share: Annotated[int, Field(ge=1, le=99)]
    role: LadderRole | None = "manager"
    """The role that is notified; None: only the lists and the event show the warning."""


class Level(RulePart):
    """A step of the ladder: `role` is told `after` the deadline."""

    role: LadderRole
    after: Duration


class Limit(RulePart):
    """The hard limit: a request to the service that owns the subject, `after` the deadline."""

    action: Literal["remove_order", "disable_client"]
    after: Duration


class Every(RulePart):
    """Days on which a duty opens by itself, for the office or for each of its managers.

    The duty opens when the day's work begins, and where the day is off, on the next working day.
    """

    of: Literal["office", "manager"] = "office"
    period: Literal["day", "week", "month"]
    days: Annotated[tuple[Annotated[int, Field(ge=1, le=31)], ...], Field(max_length=31)] = ()
    """Days of the week (1 is Monday) or of the month; every working day needs none."""


class RuleBody(RulePart):
    """What a rule says, without its version."""

    clause: Annotated[str, Field(pattern=r"^[A-Z]{2,6}-[0-9]{2}$")]
    obligation_kind: Annotated[Name, Field(alias="duty")]
    title: Annotated[str, Field(min_length=3, max_length=150)]
    """The obligation in Russian, as people see it."""
    note: Annotated[str, Field(max_length=500)] = ""
    """Where a figure is not in the regulations, it says so."""
    subject: SubjectKind
    opens: Annotated[tuple[EventType, ...], Field(max_length=8)] = ()
    """Any of them opens the obligation as soon as `when` holds; counted from the latest of those that have happened."""
    when: Condition | None = None
    changes: Annotated[tuple[EventType, ...], Field(max_length=8)] = ()
    """Events that may change which rule of the obligation applies, besides those that open it."""
    closes: Annotated[tuple[Trigger, ...], Field(max_length=12)] = ()
    cancels: Annotated[tuple[Trigger, ...], Field(max_length=12)] = ()
    waits: Annotated[tuple[Wait, ...], Field(max_length=8)] = ()
    resumes: Annotated[tuple[Trigger, ...], Field(max_length=8)] = ()
    """Events after which the obligation waits for the manager again."""
    pauses_for: Annotated[tuple[Holder, ...], Field(max_length=2)] = ()
    """While the obligation waits for one of these, its clock is paused; for others only the time is counted apart."""
    longest_pauses: Annotated[tuple[PauseLimit, ...], Field(max_length=5)] = ()
    """Empty: the clock may be paused for any time."""
    moves: Annotated[tuple[MoveLimit, ...], Field(max_length=4)] = ()
    """«Если иное не согласовано с клиентом» (VIN-05, CALL-12); empty: the deadline cannot be moved."""
    urgent: bool = False
    """People are notified at night and on days off too."""
    by_hand: bool = False
    """A person marks it as done: no event of the system could."""
    every: Every | None = None
    """Opens by the calendar instead of by an event."""
    repeats: bool = False
    """Whether the obligation may come again for the same subject."""
    duration: Duration
    until: Name | None = None
    """A fact with the deadline itself; `duration` counts where it is unknown."""
    warnings: Annotated[tuple[EarlyWarning, ...], Field(max_length=10)] = ()
    ladder: Annotated[tuple[Level, ...], Field(max_length=12)] = ()
    limit: Limit | None = None
    penalty_points: Annotated[int, Field(ge=0, le=1000)] = 0
    active: bool = True
    """False withdraws the rule: it opens nothing new."""


class Rule(RuleBody):
    """One published version."""

    code: RuleCode
    office_id: UUID | None = None
    """Set for an office's own variant."""
    version: Annotated[int, Field(ge=1)]
    effective_from: AwareDatetime

    @cached_property
    def relevant_events(self) -> frozenset[str]:
        """Return every event type that may do something to an obligation of this rule."""
        triggers = (*self.closes, *self.cancels, *self.waits, *self.resumes)
        return self.reevaluating_events | {trigger.event for trigger in triggers}

    @cached_property
    def waiting_events(self) -> frozenset[str]:
        """Return the event types that change whom an obligation of this rule waits for."""
        return frozenset(trigger.event for trigger in (*self.waits, *self.resumes))

    @cached_property
    def rank(self) -> tuple[bool, int]:
        """Return the key by which rules compete: an office's own before the network's, then more conditions."""
        return (self.office_id is not None, specificity(self.when))

    @cached_property
    def reevaluating_events(self) -> frozenset[str]:
        """Return the event types after which another rule of the kind may apply."""
        return frozenset((*self.opens, *self.changes))


def in_force(rules: Iterable[Rule], moment: datetime) -> list[Rule]:
    """Return of every code and office the latest version effective at `moment`, without the withdrawn ones."""
    latest: dict[tuple[str, UUID | None], Rule] = {}
    for rule in rules:
        key = (rule.code, rule.office_id)
        if rule.effective_from <= moment and (key not in latest or latest[key].version < rule.version):
            latest[key] = rule
    return [rule for rule in latest.values() if rule.active]


def most_specific_rule(
    rules: Iterable[Rule], obligation_kind: str, office_id: UUID | None, facts: Facts
) -> Rule | None:
    """Return the one rule of the kind that applies to these facts in this office, or None."""
    applicable = [
        rule
        for rule in rules
        if rule.obligation_kind == obligation_kind and rule.office_id in (None, office_id) and holds(rule.when, facts)
    ]
    return max(applicable, key=lambda rule: (rule.rank, rule.code), default=None)


def matches(trigger: Trigger, event_type: str, event: dict[str, Any]) -> bool:
    """Return whether the event fires the trigger."""
    return trigger.event == event_type and holds(trigger.when, event)


def matched_key(trigger: Trigger, own_field: str, event: dict[str, Any]) -> tuple[str, UUID] | None:
    """Return the deciding field of the event and its value, or None."""
    for name in trigger.match or (own_field,):
        value = event.get(name)
        if isinstance(value, str):
            return name, UUID(value)
    return None


def refers_to_subject(
    event: Mapping[str, Any], own_field: str, subject_id: UUID, client_id: UUID | None, field: str, value: UUID
) -> bool:
    """Return whether the deciding field names this subject, or its client.

    A subject of one client in an event about another client was named by mistake and does not count.
    """
    if field != own_field:
        return value == client_id
    named = event.get("client_id")
    return value == subject_id and (client_id is None or not isinstance(named, str) or named == str(client_id))


def can_close(rule: Rule, own_field: str, field: str, happened_at: datetime, opened_at: datetime) -> bool:
    """Return whether something that happened at one moment fulfils an obligation opened at another.

    An obligation that comes once and is named by its own id is settled by any such event, whatever the clocks of two
    machines show.  Where the event names only the client, or the obligation repeats, the event must be the later one.
    """
    if field == own_field and not rule.repeats:
        return True
    return happened_at > opened_at
