"""What events do to duties: open, set anew, close.  All in the consumer's transaction.

The order of events is never promised.  Facts carry their moments, a closing event that comes first leaves a
tombstone, and everything about one client happens one after another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.commands import subjects
from services.notifier.commands.obligations import OfficeUnknown, close, history_row, open_duty, supersede
from services.notifier.commands.subjects import Known
from services.notifier.commands.waiting import go_on_if_over, wait_for
from services.notifier.domain.facts import CONCERNS, ID_FIELDS, facts_of_event, moment_of, seen_by_rules, view
from services.notifier.domain.rules import Rule, Trigger, matched_key, matches, may_settle, names, winner
from services.notifier.domain.schedule import schedule
from services.notifier.domain.waiting import Span
from services.notifier.duty import Duty, only
from services.notifier.models import Client, Obligation
from services.notifier.reading import Standing, Stone, calendar, standing
from services.notifier.rulebook import RuleBook, known_book, rule_book
from services.notifier.writing import Changes, write
from shared.contracts.base import Event
from shared.persistence.database import new_id
from shared.vocabulary.worktime import WorkingCalendar


@dataclass(slots=True)
class _Hearing:
    """One event on its way through the clocks."""

    event: Event
    body: dict[str, Any]
    happened_at: datetime
    at: datetime
    book: RuleBook
    listening: list[Rule]
    """Rules in force when it happened that may be touched by it."""
    now: Standing
    calendar: WorkingCalendar | None
    calendars: dict[str, WorkingCalendar]
    """By which the duties' deadlines were given, by digest."""
    changes: Changes

    def known_calendar(self) -> tuple[WorkingCalendar, str]:
        """Raises OfficeUnknown."""
        if self.calendar is None or self.now.calendar_digest is None:
            raise OfficeUnknown(f"no calendar of office {self.event.office_id} yet")
        return self.calendar, self.now.calendar_digest

    def calendar_for_new_plan(self, duty: Duty) -> tuple[WorkingCalendar, str]:
        """That of today; of a duty that has moved to another office, that of its deadline.  Raises OfficeUnknown."""
        if duty.office_id != self.event.office_id:
            return self.calendars[duty.calendar_digest], duty.calendar_digest
        return self.known_calendar()


def turn(event: Event) -> str:
    """The key of what is heard one after another: the client, else the subject."""
    return f"clock/{getattr(event, 'client_id', None) or next(iter(subjects.of(event).values()))}"


async def hear(session: AsyncSession, event: Event, *, at: datetime) -> None:
    """Apply one event to the clocks, in the transaction of a consumer that has waited for the event's `turn`.

    Raises OfficeUnknown (then the event is retried) and NoWorkingTime.
    """
    happened_at = moment_of(event, CONCERNS[event.type][0])  # All of an event's concerns name the same field.
    book = await known_book(session)
    while True:
        listening = book.listening_to(event.type, event.office_id, happened_at)
        opening = [rule for rule in listening if event.type in rule.opens]
        told = {name for rule in listening if event.type in rule.says_who.union(rule.opens) for name in rule.says_who}
        now = await standing(session, event, happened_at, {rule.duty for rule in opening}, told)
        if now.stamp == book.stamp:
            break
        book = await rule_book(session, now.stamp)  # Something was published since the last event.
    known_calendar = await calendar(session, now.calendar_digest) if now.calendar_digest else None
    digests = {duty.calendar_digest for duty in now.duties}
    calendars = {digest: await calendar(session, digest) for digest in digests}
    body = facts_of_event(event)
    hearing = _Hearing(event, body, happened_at, at, book, listening, now, known_calendar, calendars, Changes())

    remembered = subjects.remember(hearing.changes, now.known, event, body)
    running = only(now.duties, "open")
    settled = _settle(hearing, running, only(now.duties, "cancelled"))
    running = [duty for duty in running if duty.id not in settled]
    _reconsider(hearing, remembered, running)
    _wait(hearing, running)
    _open_new(hearing, remembered, running)
    _catch_up(hearing, running)
    if event.office_id is not None:
        heard = {"id": new_id(), "office_id": event.office_id, "type": event.type, "happened_at": happened_at}
        hearing.changes.heard.append({**heard, "body": seen_by_rules(body)})
    await write(session, hearing.changes)


def _settle(hearing: _Hearing, running: Sequence[Duty], cancelled: Sequence[Duty]) -> set[UUID]:
    """Close what the event fulfils or cancels; one call may close two duties (K2).

    What was cancelled by a later event that was heard first turns out to be done.
    """
    happened_at, body = hearing.happened_at, hearing.body
    settled: set[UUID] = set()
    for duty in (*running, *cancelled):
        rule = hearing.book.by_id[duty.rule_id]
        own_field = ID_FIELDS[rule.subject]
        too_late = duty.closed_at is not None and happened_at >= duty.closed_at
        for outcome, trigger in _endings(rule):
            if duty.state == "cancelled" and (outcome != "done" or too_late):
                continue
            found = matched_key(trigger, own_field, body) if matches(trigger, hearing.event.type, body) else None
            if found is None or not _is_about(duty, own_field, body, *found):
                continue
            if may_settle(rule, own_field, found[0], happened_at, duty.opened_at):
                if duty.paused_at is not None:
                    given = hearing.calendars[duty.calendar_digest]
                    go_on_if_over(hearing.changes, duty, rule, given, happened_at, at=hearing.at)
                close(hearing.changes, duty, outcome, happened_at, at=hearing.at)
                settled.add(duty.id)
                break
    _leave_tombstones(hearing, {duty.duty for duty in running if duty.id in settled})
    return settled


def _endings(rule: Rule) -> list[tuple[str, Trigger]]:
    return [("done", trigger) for trigger in rule.closes] + [("cancelled", trigger) for trigger in rule.cancels]


def _is_about(duty: Duty, own_field: str, body: Mapping[str, Any], field: str, value: UUID) -> bool:
    return names(body, own_field, duty.subject_id, duty.client_id, field, value)


def _leave_tombstones(hearing: _Hearing, closed_duties: set[str]) -> None:
    """For duties that may yet be opened.  The first ending counts for what comes once, the latest for the rest."""
    stones: dict[tuple[str, str, UUID], dict[str, Any]] = {}
    for rule in hearing.listening:
        if rule.duty in closed_duties:
            continue
        own_field = ID_FIELDS[rule.subject]
        for outcome, trigger in _endings(rule):
            if not matches(trigger, hearing.event.type, hearing.body):
                continue
            found = matched_key(trigger, own_field, hearing.body)
            if found is None:
                continue
            once = found[0] == own_field and not rule.repeats
            stone = {"duty": rule.duty, "field": found[0], "value": found[1], "once": once}
            stones.setdefault((rule.duty, *found), stone | {"outcome": outcome, "happened_at": hearing.happened_at})
    hearing.changes.stones += [stones[key] for key in sorted(stones)]


def _reconsider(hearing: _Hearing, remembered: dict[str, Known], running: Sequence[Duty]) -> None:
    """A changed fact: another rule of the duty may apply now, or none."""
    for duty in running:
        subject = remembered.get(duty.subject_kind)
        rule = hearing.book.by_id[duty.rule_id]
        if subject is None or subject.subject_id != duty.subject_id or hearing.event.type not in rule.reconsiders:
            continue
        if rule.repeats:
            continue  # A new occasion, not a changed fact.
        facts = view(rule.subject, subject.facts)
        rivals = hearing.book.of_duty(rule.duty, duty.office_id, hearing.happened_at)
        best = winner(rivals, rule.duty, duty.office_id, facts)
        if best is None:
            close(hearing.changes, duty, "cancelled", hearing.happened_at, at=hearing.at)
        elif (best.code, best.office_id) != (rule.code, rule.office_id):
            known_calendar, digest = hearing.calendar_for_new_plan(duty)
            spans = [Span.of(row) for row in duty.spans]
            plan = schedule(best, known_calendar, duty.opened_at, facts, spans=spans, agreed=duty.agreed_due_at)
            supersede(hearing.changes, duty, best, hearing.book.id_of(best), plan, digest, at=hearing.at)


def _wait(hearing: _Hearing, running: Sequence[Duty]) -> None:
    """What the event says about whom a duty waits for.  A word about an earlier time than the last one is too late."""
    for duty in only(running, "open"):
        _told(hearing, duty, hearing.event.type, hearing.body, hearing.happened_at)


def _told(hearing: _Hearing, duty: Duty, event_type: str, body: dict[str, Any], happened_at: datetime) -> None:
    rule = hearing.book.by_id[duty.rule_id]
    told = [(trigger.holder, trigger) for trigger in rule.waits] + [(None, trigger) for trigger in rule.resumes]
    for holder, trigger in told:
        if not matches(trigger, event_type, body):
            continue
        own_field = ID_FIELDS[rule.subject]
        found = matched_key(trigger, own_field, body)
        if found is not None and _is_about(duty, own_field, body, *found) and happened_at > duty.opened_at:
            given = hearing.calendars.get(duty.calendar_digest)
            if given is None:  # Opened or set anew by this event.
                given, _ = hearing.known_calendar()
            wait_for(hearing.changes, duty, rule, given, holder, happened_at, at=hearing.at)
            break


def _catch_up(hearing: _Hearing, running: Sequence[Duty]) -> None:
    """Whom a duty waits for by later events that were heard before it was opened, or before the word of this event."""
    for duty in only([*hearing.changes.opened, *running], "open"):
        for heard in hearing.now.later:
            _told(hearing, duty, heard.type, heard.body, heard.happened_at)


def _open_new(hearing: _Hearing, remembered: dict[str, Known], running: Sequence[Duty]) -> None:
    opening = [rule for rule in hearing.listening if hearing.event.type in rule.opens]
    for subject in remembered.values():
        duties = {rule.duty for rule in opening if rule.subject == subject.kind}
        duties -= {duty.duty for duty in running if duty.subject_id == subject.subject_id}
        facts = view(subject.kind, subject.facts)  # type: ignore[arg-type]  # The column holds nothing else.
        for name in sorted(duties):
            rule = winner(opening, name, subject.office_id, facts)
            if rule is None or ((subject.subject_id, rule.duty) in hearing.now.ever and not rule.repeats):
                continue
            moments = [subject.moments[event_type] for event_type in rule.opens if event_type in subject.moments]
            opened_at = max(datetime.fromisoformat(moment) for moment in moments)
            known_calendar, digest = hearing.known_calendar()
            duty = open_duty(
                hearing.changes,
                rule,
                hearing.book.id_of(rule),
                schedule(rule, known_calendar, opened_at, facts),
                opened_at,
                office_id=subject.office_id,
                calendar_digest=digest,
                subject=(subject.kind, subject.subject_id, subject.label),
                client_id=subject.client_id,
                responsible_id=_responsible(hearing.now, subject),
                at=hearing.at,
            )
            ended = _ended_by(hearing.now.stones, rule, opened_at)
            if ended is not None:
                close(hearing.changes, duty, ended.outcome, max(ended.happened_at, opened_at), at=hearing.at)


def _responsible(now: Standing, subject: Known) -> UUID | None:
    """CL-10: the client's manager; else whoever dealt with the matter last."""
    if subject.client_id is None or subject.kind == "client":
        return now.manager_id or subject.staff_id
    return now.manager_id or now.last_caller_id or subject.staff_id


def _ended_by(stones: Sequence[Stone], rule: Rule, opened_at: datetime) -> Stone | None:
    """Stones are left for every rule of a duty; the one that applies may know no such ending."""
    own_field = ID_FIELDS[rule.subject]
    known = {outcome for outcome, _ in _endings(rule)}
    return next(
        (
            stone
            for stone in stones
            if stone.duty == rule.duty
            and stone.outcome in known
            and may_settle(rule, own_field, stone.field, stone.happened_at, opened_at)
        ),
        None,
    )


async def reassign(session: AsyncSession, client_id: UUID, manager_id: UUID | None, *, at: datetime) -> None:
    """CL-10: the client's open duties follow the responsible manager, except for those at another office."""
    if manager_id is None:
        return
    own_office = select(Client.office_id).where(Client.client_id == client_id).scalar_subquery()
    query = select(Obligation).where(
        Obligation.state == "open", Obligation.client_id == client_id, Obligation.office_id == own_office
    )
    rows = (await session.execute(query.order_by(Obligation.id).with_for_update())).scalars().all()
    changes = Changes()
    for duty in map(Duty.of, rows):
        if duty.responsible_staff_id != manager_id:
            details = {"from": str(duty.responsible_staff_id or ""), "to": str(manager_id)}
            duty.responsible_staff_id = manager_id
            changes.history.append(history_row(duty, "reassigned", at, details))
            changes.change(duty)
    await write(session, changes)
