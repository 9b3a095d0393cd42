"""What a draft would have changed: a period of real history, played by the rules as they were and with the draft."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, any_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock_models import HeardEvent, ObligationRemark, RuleDraft
from services.notifier.commands.drafts import rule_of_draft
from services.notifier.domain.ladder import Person, resolve
from services.notifier.domain.occasions import occasion_id, occasions_between
from services.notifier.domain.outcomes import Outcome
from services.notifier.domain.replay import Deed, Difference, Happening, Opening, Replay, differences, with_draft
from services.notifier.domain.rules import Rule, in_force
from services.notifier.models import Client, Obligation, ObligationHistory, Office, StaffMember
from services.notifier.rulebook import rule_book
from shared.base.errors import Conflict, Invalid
from shared.vocabulary.worktime import NoWorkingTime, WorkingCalendar

LONGEST_PERIOD = timedelta(days=92)
MOST_EVENTS = 50_000
DEEDS = ("moved", "paused", "resumed", "waiting", "reopened", "done")


@dataclass(frozen=True)
class PersonsChange:
    """How a draft would have changed one person's duties."""

    staff_id: UUID | None
    duties_before: int
    duties_after: int
    breaches_before: int
    breaches_after: int


@dataclass(frozen=True)
class DryRun:
    events: int
    deeds: int
    before: Sequence[Outcome]
    after: Sequence[Outcome]
    differences: Sequence[Difference]
    people: Sequence[PersonsChange]
    cannot_know: Sequence[str]
    """In Russian, for whoever reads the figures."""


async def dry_run(session: AsyncSession, draft: RuleDraft, since: datetime, until: datetime) -> DryRun:
    """Replays what was heard from `since` to `until` by the rules as they were, and with the draft instead.

    Both sides are replayed, so that a difference is the draft's and not that of replaying.  Raises Invalid.
    """
    if not timedelta() < until - since <= LONGEST_PERIOD:
        raise Invalid("Период — не больше 92 дней, и конец позже начала.", field="body.until")
    events = await _events(session, draft.office_id, since, until)
    deeds = await _deeds(session, draft.office_id, since, until)
    offices = (await session.execute(select(Office.office_id, Office.calendar))).all()
    calendars = {row.office_id: WorkingCalendar.model_validate(row.calendar) for row in offices}
    managers = await _managers(session, events)
    rules = list((await rule_book(session)).by_id.values())
    drafted = rule_of_draft(draft, since)
    days = await _days(session, [*rules, drafted], drafted, calendars, since, until)
    history: list[Happening | Deed | Opening] = [*events, *deeds, *days]
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
        len(deeds),
        before,
        after,
        differences(before, after, until),
        _by_person(before, after, until),
        await _cannot_know(session, draft, since, until, by_calendar=bool(days)),
    )


async def _events(session: AsyncSession, office_id: UUID | None, since: datetime, until: datetime) -> list[Happening]:
    query = select(HeardEvent.type, HeardEvent.office_id, HeardEvent.happened_at, HeardEvent.body)
    query = query.where(HeardEvent.happened_at >= since, HeardEvent.happened_at < until)
    if office_id is not None:
        query = query.where(HeardEvent.office_id == office_id)
    rows = (await session.execute(query.order_by(HeardEvent.happened_at, HeardEvent.id).limit(MOST_EVENTS + 1))).all()
    if len(rows) > MOST_EVENTS:
        raise Invalid(f"За период больше {MOST_EVENTS} событий: выберите короче.", field="body.since")
    return [Happening(row.type, row.office_id, row.happened_at, row.body) for row in rows]


async def _managers(session: AsyncSession, events: Sequence[Happening]) -> dict[UUID, UUID]:
    """By client, of those that the events name."""
    named = {UUID(event.body["client_id"]) for event in events if isinstance(event.body.get("client_id"), str)}
    query = select(Client.client_id, Client.manager_id).where(Client.manager_id.is_not(None))
    rows = await session.execute(query.where(Client.client_id == any_(literal(list(named), ARRAY(Uuid)))))
    return {row.client_id: row.manager_id for row in rows.all()}


async def _deeds(session: AsyncSession, office_id: UUID | None, since: datetime, until: datetime) -> list[Deed]:
    """A person's remark bears the moment of what it is about in the history."""
    entry = ObligationHistory
    query = (
        select(Obligation.subject_id, Obligation.duty, entry.event, entry.at, entry.details, StaffMember.role)
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
        .where(ObligationRemark.at >= since, ObligationRemark.at < until, ObligationRemark.event.in_(DEEDS))
    )
    if office_id is not None:
        query = query.where(ObligationRemark.office_id == office_id)
    rows = (await session.execute(query.order_by(entry.at, entry.id).limit(MOST_EVENTS + 1))).all()
    if len(rows) > MOST_EVENTS:
        raise Invalid(f"За период больше {MOST_EVENTS} действий людей: выберите короче.", field="body.since")
    return [_deed(*row) for row in rows]


def _deed(subject_id: UUID, duty: str, event: str, at: datetime, details: Mapping[str, Any], role: str | None) -> Deed:
    match event:
        case "moved":
            return Deed(subject_id, duty, at, "move", due_at=datetime.fromisoformat(details["to"]), role=role)
        case "reopened":
            return Deed(subject_id, duty, at, "reopen", role=role)
        case "done":
            return Deed(subject_id, duty, at, "done", role=role)
        case _:
            holder = details.get("holder")
            return Deed(subject_id, duty, at, "wait", holder=None if holder == "manager" else holder, role=role)


async def _days(
    session: AsyncSession,
    rules: Sequence[Rule],
    draft: Rule,
    calendars: Mapping[UUID, WorkingCalendar],
    since: datetime,
    until: datetime,
) -> list[Opening]:
    """Of the draft's own duty: the other ones come by the calendar as they did."""
    found = [rule for rule in rules if rule.every and rule.duty == draft.duty]
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
) -> Iterator[Opening]:
    assert rule.every is not None  # The caller has chosen those.
    told = resolve(rule.ladder[0].role, office_id, None, people)[1] if rule.ladder else []
    whose = {office_id: told[0].id if len(told) == 1 else None}
    if rule.every.of == "manager":
        whose = {one.id: one.id for one in people if one.office_id == office_id and one.role == "manager"}
    try:
        days = list(occasions_between(rule, calendar, since, until))
    except NoWorkingTime:
        return  # An office that never opens has no such days.
    for occasion in days:
        for own_id, responsible in whose.items():
            yield Opening(rule, office_id, occasion_id(rule, own_id, occasion.day), responsible, occasion.opened_at)


async def _cannot_know(
    session: AsyncSession, draft: RuleDraft, since: datetime, until: datetime, *, by_calendar: bool
) -> list[str]:
    told = [
        "Закрытия, звонки, паузы и переносы взяты такими, какими были: как люди поступили бы при другом сроке, "
        "неизвестно.",
        "Обязанности, открытые до начала периода, не участвуют.",
        "Календари офисов, ответственные и роли — сегодняшние.",
    ]
    moved = select(func.count()).select_from(ObligationRemark).where(ObligationRemark.event == "transferred")
    moved = moved.where(ObligationRemark.at >= since, ObligationRemark.at < until)
    count = (await session.execute(moved)).scalar_one()
    if count:
        told.append(f"Передачи другому офису ({count}) не проигрываются: остаток посчитан по календарю первого офиса.")
    if by_calendar:
        told.append(
            "У обязанностей по календарю, которых на деле не было, нет и отметок: они считаются невыполненными."
        )
    return told


def _by_person(before: Sequence[Outcome], after: Sequence[Outcome], at: datetime) -> list[PersonsChange]:
    """Only those for whom something would have been different."""
    duties = [Counter(duty.responsible_id for duty in side) for side in (before, after)]
    breaches = [Counter(duty.responsible_id for duty in side if duty.breached(at)) for side in (before, after)]
    people = sorted(duties[0].keys() | duties[1].keys(), key=str)
    changes = [PersonsChange(one, duties[0][one], duties[1][one], breaches[0][one], breaches[1][one]) for one in people]
    return [
        change
        for change in changes
        if (change.duties_before, change.breaches_before) != (change.duties_after, change.breaches_after)
    ]
