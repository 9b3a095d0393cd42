"""Apply events to obligations: open, set anew, close; all in the consumer's transaction (CALL-06, K1, K2, K18).

The order of events is never promised.  Facts carry their moments, a closing event that comes first leaves a tombstone,
and the events of one client are applied one after another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.commands import subjects
from services.notifier.clock.commands.obligations import close, history_row, open_obligation, supersede
from services.notifier.clock.commands.waiting import change_holder, resume_if_expired
from services.notifier.clock.domain.facts import (
    CONCERNS,
    ID_FIELDS,
    facts_of_event,
    moment_of,
    plain_facts,
    seen_by_rules,
)
from services.notifier.clock.domain.obligation import ObligationRecord, with_state
from services.notifier.clock.domain.rules import (
    Rule,
    Trigger,
    can_close,
    matched_key,
    matches,
    most_specific_rule,
    refers_to_subject,
)
from services.notifier.clock.domain.schedule import schedule
from services.notifier.clock.domain.subjects import SubjectRecord, subjects_of
from services.notifier.clock.domain.waiting import Span
from services.notifier.clock.models.obligations import Obligation
from services.notifier.clock.store.rule_book import RuleBook, cached_rule_book, rule_book
from services.notifier.clock.store.snapshot import Snapshot, TombstoneRecord, load_snapshot
from services.notifier.clock.store.unit_of_work import UnitOfWork, flush
from services.notifier.people.models.projections import Client
from services.notifier.people.queries import load_calendar
from shared.base.errors import DependencyNotReady
from shared.contracts.base import Event
from shared.persistence.database import new_id
from shared.vocabulary.worktime import WorkingCalendar


@dataclass(slots=True)
class _EventApplication:
    """One event while it is applied to the obligations."""

    event: Event
    body: dict[str, Any]
    happened_at: datetime
    at: datetime
    book: RuleBook
    relevant_rules: list[Rule]
    """Rules in force when it happened whose obligations it may change."""
    snapshot: Snapshot
    calendar: WorkingCalendar | None
    calendars: dict[str, WorkingCalendar]
    """The calendars of the obligations' deadlines, by digest."""
    work: UnitOfWork

    def office_calendar(self) -> tuple[WorkingCalendar, str]:
        """Return the calendar of the event's office and its digest.  Raises DependencyNotReady."""
        if self.calendar is None or self.snapshot.calendar_digest is None:
            raise DependencyNotReady(f"no calendar of office {self.event.office_id} yet")
        return self.calendar, self.snapshot.calendar_digest

    def calendar_for_new_plan(self, obligation: ObligationRecord) -> tuple[WorkingCalendar, str]:
        """Return today's calendar, or that of a transferred obligation's deadline.  Raises DependencyNotReady."""
        if obligation.office_id != self.event.office_id:
            return self.calendars[obligation.calendar_digest], obligation.calendar_digest
        return self.office_calendar()


def lock_key(event: Event) -> str:
    """Return the key that serializes events: their client, else their subject."""
    return f"clock/{getattr(event, 'client_id', None) or next(iter(subjects_of(event).values()))}"


async def apply_event(session: AsyncSession, event: Event, *, at: datetime) -> None:
    """Apply one event to the obligations, in the transaction of a consumer that holds the event's `lock_key`.

    Raises DependencyNotReady (then the event is retried) and NoWorkingTime.
    """
    happened_at = moment_of(event, CONCERNS[event.type][0])  # All of an event's concerns name the same field.
    book = await cached_rule_book(session)
    while True:
        relevant_rules = book.rules_for_event(event.type, event.office_id, happened_at)
        opening = [rule for rule in relevant_rules if event.type in rule.opens]
        waiting_types = {
            name
            for rule in relevant_rules
            if event.type in rule.waiting_events.union(rule.opens)
            for name in rule.waiting_events
        }
        snapshot = await load_snapshot(
            session, event, happened_at, {rule.obligation_kind for rule in opening}, waiting_types
        )
        if snapshot.stamp == book.stamp:
            break
        book = await rule_book(session, snapshot.stamp)  # Something was published since the last event.
    office_calendar = await load_calendar(session, snapshot.calendar_digest) if snapshot.calendar_digest else None
    digests = {obligation.calendar_digest for obligation in snapshot.obligations}
    calendars = {digest: await load_calendar(session, digest) for digest in digests}
    body = facts_of_event(event)
    application = _EventApplication(
        event, body, happened_at, at, book, relevant_rules, snapshot, office_calendar, calendars, UnitOfWork()
    )

    updated = subjects.update_subjects(application.work, snapshot.subjects, event, body)
    running = with_state(snapshot.obligations, "open")
    closed = _close_matching(application, running, with_state(snapshot.obligations, "cancelled"))
    running = [obligation for obligation in running if obligation.id not in closed]
    _reevaluate(application, updated, running)
    _apply_waiting(application, running)
    _open_new(application, updated, running)
    _apply_later_events(application, running)
    if event.office_id is not None:
        row = {"id": new_id(), "office_id": event.office_id, "type": event.type, "happened_at": happened_at}
        application.work.received_events.append({**row, "body": seen_by_rules(body)})
    await flush(session, application.work)


def _close_matching(
    application: _EventApplication, running: Sequence[ObligationRecord], cancelled: Sequence[ObligationRecord]
) -> set[UUID]:
    """Close what the event fulfils or cancels; one call may close two obligations (K2).

    An obligation that a later event cancelled, because that event arrived first, becomes done.
    """
    happened_at, body = application.happened_at, application.body
    closed: set[UUID] = set()
    for obligation in (*running, *cancelled):
        rule = application.book.by_id[obligation.rule_id]
        own_field = ID_FIELDS[rule.subject]
        too_late = obligation.closed_at is not None and happened_at >= obligation.closed_at
        for outcome, trigger in _endings(rule):
            if obligation.state == "cancelled" and (outcome != "done" or too_late):
                continue
            found = matched_key(trigger, own_field, body) if matches(trigger, application.event.type, body) else None
            if found is None or not _is_about(obligation, own_field, body, *found):
                continue
            if can_close(rule, own_field, found[0], happened_at, obligation.opened_at):
                if obligation.paused_at is not None:
                    given = application.calendars[obligation.calendar_digest]
                    resume_if_expired(application.work, obligation, rule, given, happened_at, at=application.at)
                close(application.work, obligation, outcome, happened_at, at=application.at)
                closed.add(obligation.id)
                break
    _leave_tombstones(application, {obligation.obligation_kind for obligation in running if obligation.id in closed})
    return closed


def _endings(rule: Rule) -> list[tuple[str, Trigger]]:
    return [("done", trigger) for trigger in rule.closes] + [("cancelled", trigger) for trigger in rule.cancels]


def _is_about(obligation: ObligationRecord, own_field: str, body: Mapping[str, Any], field: str, value: UUID) -> bool:
    return refers_to_subject(body, own_field, obligation.subject_id, obligation.client_id, field, value)


def _leave_tombstones(application: _EventApplication, closed_kinds: set[str]) -> None:
    """Keep the ending for obligations that may still be opened.

    Of an obligation that comes once the first ending counts, of others the latest.
    """
    tombstones: dict[tuple[str, str, UUID], dict[str, Any]] = {}
    for rule in application.relevant_rules:
        if rule.obligation_kind in closed_kinds:
            continue
        own_field = ID_FIELDS[rule.subject]
        for outcome, trigger in _endings(rule):
            if not matches(trigger, application.event.type, application.body):
                continue
            found = matched_key(trigger, own_field, application.body)
            if found is None:
                continue
            once = found[0] == own_field and not rule.repeats
            tombstone = {"duty": rule.obligation_kind, "field": found[0], "value": found[1], "once": once}
            tombstones.setdefault(
                (rule.obligation_kind, *found), tombstone | {"outcome": outcome, "happened_at": application.happened_at}
            )
    application.work.tombstones += [tombstones[key] for key in sorted(tombstones)]


def _reevaluate(
    application: _EventApplication, updated: dict[str, SubjectRecord], running: Sequence[ObligationRecord]
) -> None:
    """Apply another rule of the obligation, or none, after a changed fact (K1)."""
    for obligation in running:
        subject = updated.get(obligation.subject_kind)
        rule = application.book.by_id[obligation.rule_id]
        if (
            subject is None
            or subject.subject_id != obligation.subject_id
            or application.event.type not in rule.reevaluating_events
        ):
            continue
        if rule.repeats:
            continue  # A new obligation, not a changed fact.
        facts = plain_facts(rule.subject, subject.facts)
        rivals = application.book.rules_for_kind(rule.obligation_kind, obligation.office_id, application.happened_at)
        best = most_specific_rule(rivals, rule.obligation_kind, obligation.office_id, facts)
        if best is None:
            close(application.work, obligation, "cancelled", application.happened_at, at=application.at)
        elif (best.code, best.office_id) != (rule.code, rule.office_id):
            office_calendar, digest = application.calendar_for_new_plan(obligation)
            spans = [Span.of(row) for row in obligation.spans]
            plan = schedule(
                best, office_calendar, obligation.opened_at, facts, spans=spans, agreed=obligation.agreed_due_at
            )
            supersede(application.work, obligation, best, application.book.id_of(best), plan, digest, at=application.at)


def _apply_waiting(application: _EventApplication, running: Sequence[ObligationRecord]) -> None:
    """Change whom the obligations wait for.  An event from before the last change comes too late and is ignored."""
    for obligation in with_state(running, "open"):
        _apply_trigger(application, obligation, application.event.type, application.body, application.happened_at)


def _apply_trigger(
    application: _EventApplication,
    obligation: ObligationRecord,
    event_type: str,
    body: dict[str, Any],
    happened_at: datetime,
) -> None:
    rule = application.book.by_id[obligation.rule_id]
    triggers = [(trigger.holder, trigger) for trigger in rule.waits] + [(None, trigger) for trigger in rule.resumes]
    for holder, trigger in triggers:
        if not matches(trigger, event_type, body):
            continue
        own_field = ID_FIELDS[rule.subject]
        found = matched_key(trigger, own_field, body)
        if found is not None and _is_about(obligation, own_field, body, *found) and happened_at > obligation.opened_at:
            given = application.calendars.get(obligation.calendar_digest)
            if given is None:  # Opened or set anew by this event.
                given, _ = application.office_calendar()
            change_holder(application.work, obligation, rule, given, holder, happened_at, at=application.at)
            break


def _apply_later_events(application: _EventApplication, running: Sequence[ObligationRecord]) -> None:
    """Apply later events that arrived earlier to what the obligations wait for.

    They were received before the obligation was opened, or before this event.
    """
    for obligation in with_state([*application.work.opened, *running], "open"):
        for later_event in application.snapshot.later_events:
            _apply_trigger(application, obligation, later_event.type, later_event.body, later_event.happened_at)


def _open_new(
    application: _EventApplication, updated: dict[str, SubjectRecord], running: Sequence[ObligationRecord]
) -> None:
    opening = [rule for rule in application.relevant_rules if application.event.type in rule.opens]
    for subject in updated.values():
        kinds = {rule.obligation_kind for rule in opening if rule.subject == subject.kind}
        kinds -= {obligation.obligation_kind for obligation in running if obligation.subject_id == subject.subject_id}
        facts = plain_facts(subject.kind, subject.facts)  # type: ignore[arg-type]  # The column holds nothing else.
        for name in sorted(kinds):
            rule = most_specific_rule(opening, name, subject.office_id, facts)
            if rule is None or (
                (subject.subject_id, rule.obligation_kind) in application.snapshot.ever_opened and not rule.repeats
            ):
                continue
            moments = [subject.moments[event_type] for event_type in rule.opens if event_type in subject.moments]
            opened_at = max(datetime.fromisoformat(moment) for moment in moments)
            office_calendar, digest = application.office_calendar()
            obligation = open_obligation(
                application.work,
                rule,
                application.book.id_of(rule),
                schedule(rule, office_calendar, opened_at, facts),
                opened_at,
                office_id=subject.office_id,
                calendar_digest=digest,
                subject=(subject.kind, subject.subject_id, subject.label),
                client_id=subject.client_id,
                responsible_id=_responsible(application.snapshot, subject),
                at=application.at,
            )
            ended = _ended_by(application.snapshot.tombstones, rule, opened_at)
            if ended is not None:
                close(application.work, obligation, ended.outcome, max(ended.happened_at, opened_at), at=application.at)


def _responsible(snapshot: Snapshot, subject: SubjectRecord) -> UUID | None:
    """Return the client's manager (CL-10), else the person who dealt with the matter last."""
    if subject.client_id is None or subject.kind == "client":
        return snapshot.manager_id or subject.staff_id
    return snapshot.manager_id or snapshot.last_caller_id or subject.staff_id


def _ended_by(tombstones: Sequence[TombstoneRecord], rule: Rule, opened_at: datetime) -> TombstoneRecord | None:
    """Return the first tombstone that ends an obligation of this rule.

    Tombstones are left for every rule of a kind; the rule that applies may not know such an ending.
    """
    own_field = ID_FIELDS[rule.subject]
    allowed_outcomes = {outcome for outcome, _ in _endings(rule)}
    return next(
        (
            tombstone
            for tombstone in tombstones
            if tombstone.obligation_kind == rule.obligation_kind
            and tombstone.outcome in allowed_outcomes
            and can_close(rule, own_field, tombstone.field, tombstone.happened_at, opened_at)
        ),
        None,
    )


async def reassign(session: AsyncSession, client_id: UUID, manager_id: UUID | None, *, at: datetime) -> None:
    """Give the client's open obligations to the responsible manager, except those at another office (CL-10)."""
    if manager_id is None:
        return
    own_office = select(Client.office_id).where(Client.client_id == client_id).scalar_subquery()
    query = select(Obligation).where(
        Obligation.state == "open", Obligation.client_id == client_id, Obligation.office_id == own_office
    )
    rows = (await session.execute(query.order_by(Obligation.id).with_for_update())).scalars().all()
    work = UnitOfWork()
    for obligation in map(ObligationRecord.of, rows):
        if obligation.responsible_staff_id != manager_id:
            details = {"from": str(obligation.responsible_staff_id or ""), "to": str(manager_id)}
            obligation.responsible_staff_id = manager_id
            work.history.append(history_row(obligation, "reassigned", at, details))
            work.mark_changed(obligation)
    await flush(session, work)
