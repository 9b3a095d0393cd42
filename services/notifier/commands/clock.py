"""What events do to obligations: open, set anew, close.  All in the consumer's transaction.

The order of events is never promised.  Facts carry their moments, a closing event that comes first leaves a
tombstone, and everything about one client happens one after another.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.commands import subjects
from services.notifier.commands.obligations import close, history_row, open_obligation, supersede
from services.notifier.domain.facts import CONCERNS, ID_FIELDS, facts_of_event, moment_of, view
from services.notifier.domain.rules import Rule, Trigger, matched_key, matches, may_settle, winner
from services.notifier.models import Obligation, ObligationHistory, Subject, Tombstone
from services.notifier.rulebook import STAMP, RuleBook, rule_book
from shared.contracts.base import Event

_ONE_AT_A_TIME = text(f"SELECT pg_advisory_xact_lock(hashtextextended(:key, 0)), {STAMP}")


async def hear(session: AsyncSession, event: Event, *, at: datetime) -> None:
    """Apply one event to the clocks.  Raises OfficeUnknown (then the event is retried) and NoWorkingTime."""
    concerned = subjects.of(event)
    client_id = getattr(event, "client_id", None)
    key = f"clock/{client_id or next(iter(concerned.values()))}"
    stamp = (await session.execute(_ONE_AT_A_TIME, {"key": key})).one().stamp
    book = await rule_book(session, stamp)
    remembered = await subjects.remember(session, event)
    running, cancelled = await _running(session, concerned.values(), client_id)

    settled = await _settle(session, book, event, running, cancelled, at)
    running = [obligation for obligation in running if obligation.id not in settled]
    await _reconsider(session, book, event, remembered, running, at)
    await _open_new(session, book, event, remembered, running, at)


async def _running(
    session: AsyncSession, subject_ids: Iterable[UUID], client_id: UUID | None
) -> tuple[list[Obligation], list[Obligation]]:
    """Open obligations that the event may touch, and cancelled ones of its subjects, locked against the engine."""
    concerned = Obligation.subject_id.in_(list(subject_ids))
    touched = and_(Obligation.state == "open", concerned)
    if client_id is not None:
        touched = or_(touched, and_(Obligation.state == "open", Obligation.client_id == client_id))
    query = select(Obligation).where(or_(touched, and_(Obligation.state == "cancelled", concerned)))
    rows = (await session.execute(query.order_by(Obligation.id).with_for_update())).scalars().all()
    return [row for row in rows if row.state == "open"], [row for row in rows if row.state == "cancelled"]


async def _settle(
    session: AsyncSession,
    book: RuleBook,
    event: Event,
    running: Sequence[Obligation],
    cancelled: Sequence[Obligation],
    at: datetime,
) -> set[UUID]:
    """Close what the event fulfils or cancels; one call may close two duties (K2).

    What was cancelled by a later event that was heard first turns out to be done.
    """
    body = facts_of_event(event)
    happened_at = _moment(event)
    settled: set[UUID] = set()
    for obligation in (*running, *cancelled):
        rule = book.by_id[obligation.rule_id]
        own_field = ID_FIELDS[rule.subject]
        too_late = obligation.closed_at is not None and happened_at >= obligation.closed_at
        for outcome, trigger in _endings(rule):
            if obligation.state == "cancelled" and (outcome != "done" or too_late):
                continue
            found = matched_key(trigger, own_field, body) if matches(trigger, event.type, body) else None
            if found is None or not _is_about(obligation, own_field, *found):
                continue
            if may_settle(rule, own_field, found[0], happened_at, obligation.opened_at):
                await close(session, obligation, outcome, happened_at, at=at)
                settled.add(obligation.id)
                break
    await _leave_tombstones(session, book, event, body, happened_at, {o.duty for o in running if o.id in settled})
    return settled


def _endings(rule: Rule) -> list[tuple[str, Trigger]]:
    return [("done", trigger) for trigger in rule.closes] + [("cancelled", trigger) for trigger in rule.cancels]


def _is_about(obligation: Obligation, own_field: str, field: str, value: UUID) -> bool:
    return value == (obligation.subject_id if field == own_field else obligation.client_id)


async def _leave_tombstones(
    session: AsyncSession,
    book: RuleBook,
    event: Event,
    body: dict[str, Any],
    happened_at: datetime,
    closed_duties: set[str],
) -> None:
    """For duties that may yet be opened.  The first ending counts for what comes once, the latest for the rest."""
    stones: dict[tuple[str, str, UUID], dict[str, Any]] = {}
    for rule in book.listening_to(event.type, happened_at):
        if rule.duty in closed_duties:
            continue
        own_field = ID_FIELDS[rule.subject]
        for outcome, trigger in _endings(rule):
            found = matched_key(trigger, own_field, body) if matches(trigger, event.type, body) else None
            if found is None:
                continue
            key = (rule.duty, *found)
            once = found[0] == own_field and not rule.repeats
            stone = {"duty": rule.duty, "field": found[0], "value": found[1], "once": once}
            stones.setdefault(key, stone | {"outcome": outcome, "happened_at": happened_at})
    if not stones:
        return
    statement = insert(Tombstone).values([stones[key] for key in sorted(stones)])
    told = statement.excluded
    better = case((told.once, told.happened_at < Tombstone.happened_at), else_=told.happened_at > Tombstone.happened_at)
    statement = statement.on_conflict_do_update(
        index_elements=["duty", "field", "value"],
        set_={"outcome": told.outcome, "happened_at": told.happened_at},
        where=better,
    )
    await session.execute(statement)


async def _reconsider(
    session: AsyncSession,
    book: RuleBook,
    event: Event,
    remembered: dict[str, Subject],
    running: Sequence[Obligation],
    at: datetime,
) -> None:
    """A changed fact: another rule of the duty may apply now, or none."""
    moment = _moment(event)
    for obligation in running:
        subject = remembered.get(obligation.subject_kind)
        rule = book.by_id[obligation.rule_id]
        if subject is None or subject.subject_id != obligation.subject_id or event.type not in rule.reconsiders:
            continue
        if rule.repeats:
            continue  # A new occasion, not a changed fact.
        facts = view(rule.subject, subject.facts)
        best = winner(book.of_duty(rule.duty, moment), rule.duty, obligation.office_id, facts)
        if best is None:
            await close(session, obligation, "cancelled", moment, at=at)
        elif (best.code, best.office_id) != (rule.code, rule.office_id):
            await supersede(session, obligation, best, book.id_of(best), facts, at=at)


async def _open_new(
    session: AsyncSession,
    book: RuleBook,
    event: Event,
    remembered: dict[str, Subject],
    running: Sequence[Obligation],
    at: datetime,
) -> None:
    listening = [rule for rule in book.listening_to(event.type, _moment(event)) if event.type in rule.opens]
    for subject in remembered.values():
        facts = view(subject.kind, subject.facts)  # type: ignore[arg-type]  # The column holds nothing else.
        duties = {rule.duty for rule in listening if rule.subject == subject.kind}
        duties -= {obligation.duty for obligation in running if obligation.subject_id == subject.subject_id}
        winners = [winner(listening, duty, subject.office_id, facts) for duty in sorted(duties)]
        rules = [rule for rule in winners if rule is not None]
        if not rules:
            continue
        known = await _duties_ever_open(session, subject.subject_id)
        stones = await _tombstones(session, rules, subject)
        for rule in rules:
            if rule.duty in known and not rule.repeats:
                continue
            moments = [subject.moments[name] for name in rule.opens if name in subject.moments]
            opened_at = max(datetime.fromisoformat(moment) for moment in moments)
            obligation = await open_obligation(session, rule, book.id_of(rule), subject, facts, opened_at, at=at)
            ended = _ended_by(stones, rule, opened_at)
            if ended is not None:
                await close(session, obligation, ended.outcome, max(ended.happened_at, opened_at), at=at)


async def _duties_ever_open(session: AsyncSession, subject_id: UUID) -> set[str]:
    query = select(Obligation.duty).where(Obligation.subject_id == subject_id)
    return set((await session.execute(query)).scalars())


async def _tombstones(session: AsyncSession, rules: Sequence[Rule], subject: Subject) -> Sequence[Tombstone]:
    """What ended duties before they were heard of, the oldest first."""
    values = [subject.subject_id] + ([subject.client_id] if subject.client_id else [])
    duties = [rule.duty for rule in rules]
    query = select(Tombstone).where(Tombstone.duty.in_(duties), Tombstone.value.in_(values))
    return (await session.execute(query.order_by(Tombstone.happened_at))).scalars().all()


def _ended_by(stones: Sequence[Tombstone], rule: Rule, opened_at: datetime) -> Tombstone | None:
    own_field = ID_FIELDS[rule.subject]
    return next(
        (
            stone
            for stone in stones
            if stone.duty == rule.duty and may_settle(rule, own_field, stone.field, stone.happened_at, opened_at)
        ),
        None,
    )


def _moment(event: Event) -> datetime:
    """When it happened, by the first of its concerns; all of them name the same field."""
    return moment_of(event, CONCERNS[event.type][0])


async def reassign(session: AsyncSession, client_id: UUID, manager_id: UUID | None, *, at: datetime) -> None:
    """CL-10: the client's open duties follow the responsible manager."""
    query = select(Obligation).where(Obligation.state == "open", Obligation.client_id == client_id)
    rows: list[dict[str, Any]] = []
    for obligation in (await session.execute(query.order_by(Obligation.id).with_for_update())).scalars():
        if manager_id is None or obligation.responsible_staff_id == manager_id:
            continue
        details = {"from": str(obligation.responsible_staff_id or ""), "to": str(manager_id)}
        obligation.responsible_staff_id = manager_id
        rows.append(history_row(obligation, "reassigned", at, details))
    if rows:
        await session.execute(insert(ObligationHistory), rows)
