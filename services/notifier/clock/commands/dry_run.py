"""Replay a period of real history by the rules as they were, and with a draft, and compare the obligations."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, any_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.commands.drafts import rule_of_draft
from services.notifier.clock.domain.ladder import Person, resolve_recipients
from services.notifier.clock.domain.occurrences import occurrence_id, occurrences_between
from services.notifier.clock.domain.replay import (
    CalendarOpening,
    Difference,
    PastEvent,
    Replay,
    StaffAction,
    differences,
    with_draft,
)
from services.notifier.clock.domain.replayed_obligation import ReplayedObligation
from services.notifier.clock.domain.rules import Rule, in_force
from services.notifier.clock.models.events import ReceivedEvent
from services.notifier.clock.models.obligations import Obligation, ObligationHistory, ObligationRemark
from services.notifier.clock.models.rules import RuleDraft
from services.notifier.clock.store.rule_book import rule_book
from services.notifier.people.models.projections import Client, Office, StaffMember
from shared.base.errors import Conflict, Invalid
from shared.vocabulary.worktime import NoWorkingTime, WorkingCalendar

MAX_PERIOD = timedelta(days=92)
MAX_EVENTS = 50_000
STAFF_ACTIONS = ("moved", "paused", "resumed", "waiting", "reopened", "done")


@dataclass(frozen=True)
class StaffDifference:
    """How a draft would have changed one person's obligations."""

    staff_id: UUID | None
    obligations_before: int
    obligations_after: int
    breaches_before: int
    breaches_after: int


@dataclass(frozen=True)
class DryRun:
    """The obligations of both replays and how they differ."""

    events: int
    actions: int
    before: Sequence[ReplayedObligation]
    after: Sequence[ReplayedObligation]
    differences: Sequence[Difference]
    people: Sequence[StaffDifference]
    limitations: Sequence[str]
    """In Russian, for the reader of the figures."""


async def dry_run(session: AsyncSession, draft: RuleDraft, since: datetime, until: datetime) -> DryRun:
    """Replay what was received from `since` to `until` by the rules as they were, and with the draft instead.

    Both sides are replayed, so that a difference comes from the draft and not from replaying.  Raises Invalid for a
    wrong or crowded period, Conflict where a calendar has no working time left.
    """
    if not timedelta() < until - since <= MAX_PERIOD:
        raise Invalid("Период — не больше 92 дней, и конец позже начала.", field="body.until")
    events = await _events(session, draft.office_id, since, until)
    actions = await _staff_actions(session, draft.office_id, since, until)
    offices = (await session.execute(select(Office.office_id, Office.calendar))).all()
    calendars = {row.office_id: WorkingCalendar.model_validate(row.calendar) for row in offices}
    managers = await _managers(session, events)
    rules = list((await rule_book(session)).by_id.values())
    drafted = rule_of_draft(draft, since)
    days = await _calendar_openings(session, [*rules, drafted], drafted, calendars, since, until)
    history: list[PastEvent | StaffAction | CalendarOpening] = [*events, *actions, *days]
    history.sort(key=lambda item: item.happened_at)
    try:
        before, after = [
            # Some seconds of computing, during which this process goes on to answer others.
            await asyncio.to_thread(Replay(rules_at, calendars, managers).run, history, until)
            for rules_at in (lambda moment: in_force(rules, moment), with_draft(rules, drafted))
        ]
    except NoWorkingTime as error:
        raise Conflict("Календарь одного из офисов больше не знает рабочего времени.") from error
    return DryRun(
        len(events),
        len(actions),
        before,
        after,
        differences(before, after, until),
        _by_person(before, after, until),
        await _limitations(session, draft, since, until, by_calendar=bool(days)),
    )


async def _events(session: AsyncSession, office_id: UUID | None, since: datetime, until: datetime) -> list[PastEvent]:
    query = select(ReceivedEvent.type, ReceivedEvent.office_id, ReceivedEvent.happened_at, ReceivedEvent.body)
    query = query.where(ReceivedEvent.happened_at >= since, ReceivedEvent.happened_at < until)
    if office_id is not None:
        query = query.where(ReceivedEvent.office_id == office_id)
    rows = (
        await session.execute(query.order_by(ReceivedEvent.happened_at, ReceivedEvent.id).limit(MAX_EVENTS + 1))
    ).all()
    if len(rows) > MAX_EVENTS:
        raise Invalid(f"За период больше {MAX_EVENTS} событий: выберите короче.", field="body.since")
    return [PastEvent(row.type, row.office_id, row.happened_at, row.body) for row in rows]


async def _managers(session: AsyncSession, events: Sequence[PastEvent]) -> dict[UUID, UUID]:
    """Return the managers of the clients that the events name, by client."""
    named = {UUID(event.body["client_id"]) for event in events if isinstance(event.body.get("client_id"), str)}
    query = select(Client.client_id, Client.manager_id).where(Client.manager_id.is_not(None))
    rows = await session.execute(query.where(Client.client_id == any_(literal(list(named), ARRAY(Uuid)))))
    return {row.client_id: row.manager_id for row in rows.all()}


async def _staff_actions(
    session: AsyncSession, office_id: UUID | None, since: datetime, until: datetime
) -> list[StaffAction]:
    """Return what people did with obligations; a remark has the moment of its entry in the history."""
    entry = ObligationHistory
    query = (
        select(
            Obligation.subject_id, Obligation.obligation_kind, entry.event, entry.at, entry.details, StaffMember.role
        )
        .select_from(ObligationRemark)
        .join(Obligation, Obligation.id == ObligationRemark.obligation_id)
        .join(
            entry,
            and_(
                entry.obligation_id == ObligationRemark.obligation_id,
                entry.event == ObligationRemark.event,
                entry.at == ObligationRemark.at,
            ),
        )
        .outerjoin(StaffMember, StaffMember.staff_id == ObligationRemark.staff_id)
        .where(ObligationRemark.at >= since, ObligationRemark.at < until, ObligationRemark.event.in_(STAFF_ACTIONS))
    )
    if office_id is not None:
        query = query.where(ObligationRemark.office_id == office_id)
    rows = (await session.execute(query.order_by(entry.at, entry.id).limit(MAX_EVENTS + 1))).all()
    if len(rows) > MAX_EVENTS:
        raise Invalid(f"За период больше {MAX_EVENTS} действий людей: выберите короче.", field="body.since")
    return [_staff_action(*row) for row in rows]


def _staff_action(
    subject_id: UUID, obligation_kind: str, event: str, at: datetime, details: Mapping[str, Any], role: str | None
) -> StaffAction:
    match event:
        case "moved":
            return StaffAction(
                subject_id, obligation_kind, at, "move", due_at=datetime.fromisoformat(details["to"]), role=role
            )
        case "reopened":
            return StaffAction(subject_id, obligation_kind, at, "reopen", role=role)
        case "done":
            return StaffAction(subject_id, obligation_kind, at, "done", role=role)
        case _:
            holder = details.get("holder")
            return StaffAction(
                subject_id, obligation_kind, at, "wait", holder=None if holder == "manager" else holder, role=role
            )


async def _calendar_openings(
    session: AsyncSession,
    rules: Sequence[Rule],
    draft: Rule,
    calendars: Mapping[UUID, WorkingCalendar],
    since: datetime,
    until: datetime,
) -> list[CalendarOpening]:
    """Return when the draft's own obligation opens by the calendar; the others open as they did."""
    found = [rule for rule in rules if rule.every and rule.obligation_kind == draft.obligation_kind]
    if not found:
        return []
    staff = (await session.execute(select(StaffMember).where(StaffMember.active))).scalars().all()
    people = [Person(row.staff_id, row.office_id, row.role, row.full_name, row.email) for row in staff]
    offices = [office for office in calendars if draft.office_id in (None, office)]
    return [
        opening
        for rule in found
        for office in offices
        if rule.office_id in (None, office)
        for opening in _openings(rule, office, calendars[office], people, since, until)
    ]


def _openings(
    rule: Rule, office_id: UUID, calendar: WorkingCalendar, people: list[Person], since: datetime, until: datetime
) -> Iterator[CalendarOpening]:
    assert rule.every is not None  # The caller has chosen those.
    managers = resolve_recipients(rule.ladder[0].role, office_id, None, people)[1] if rule.ladder else []
    owners = {office_id: managers[0].id if len(managers) == 1 else None}
    if rule.every.of == "manager":
        owners = {one.id: one.id for one in people if one.office_id == office_id and one.role == "manager"}
    try:
        days = list(occurrences_between(rule, calendar, since, until))
    except NoWorkingTime:
        return  # An office that never opens has no such days.
    for occurrence in days:
        for own_id, responsible in owners.items():
            yield CalendarOpening(
                rule, office_id, occurrence_id(rule, own_id, occurrence.day), responsible, occurrence.opened_at
            )


async def _limitations(
    session: AsyncSession, draft: RuleDraft, since: datetime, until: datetime, *, by_calendar: bool
) -> list[str]:
    limitations = [
        "Закрытия, звонки, паузы и переносы взяты такими, какими были: как люди поступили бы при другом сроке, "
        "неизвестно.",
        "Обязанности, открытые до начала периода, не участвуют.",
        "Календари офисов, ответственные и роли — сегодняшние.",
    ]
    moved = select(func.count()).select_from(ObligationRemark).where(ObligationRemark.event == "transferred")
    moved = moved.where(ObligationRemark.at >= since, ObligationRemark.at < until)
    count = (await session.execute(moved)).scalar_one()
    if count:
        limitations.append(
            f"Передачи другому офису ({count}) не проигрываются: остаток посчитан по календарю первого офиса."
        )
    if by_calendar:
        limitations.append(
            "У обязанностей по календарю, которых на деле не было, нет и отметок: они считаются невыполненными."
        )
    return limitations


def _by_person(
    before: Sequence[ReplayedObligation], after: Sequence[ReplayedObligation], at: datetime
) -> list[StaffDifference]:
    """Return only the people for whom something would have been different."""
    obligations = [Counter(obligation.responsible_id for obligation in side) for side in (before, after)]
    breaches = [
        Counter(obligation.responsible_id for obligation in side if obligation.breached(at)) for side in (before, after)
    ]
    people = sorted(obligations[0].keys() | obligations[1].keys(), key=str)
    changes = [
        StaffDifference(one, obligations[0][one], obligations[1][one], breaches[0][one], breaches[1][one])
        for one in people
    ]
    return [
        change
        for change in changes
        if (change.obligations_before, change.breaches_before) != (change.obligations_after, change.breaches_after)
    ]
