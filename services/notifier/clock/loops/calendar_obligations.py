"""Open the obligations that come by the calendar and not by an event.

Clauses: CALL-04, HR-02, HR-03, RPT-01, RPT-02, RPT-03, RPT-04, RPT-05, RPT-06.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.commands.obligations import open_obligation
from services.notifier.clock.domain.ladder import Person, resolve_recipients
from services.notifier.clock.domain.occurrences import Occurrence, occurrence_id, occurrence_label, occurrences
from services.notifier.clock.domain.rules import Rule, most_specific_rule
from services.notifier.clock.domain.schedule import schedule
from services.notifier.clock.models.obligations import Obligation
from services.notifier.clock.store.rule_book import RuleBook, rule_book
from services.notifier.clock.store.unit_of_work import UnitOfWork, flush
from services.notifier.people.models.projections import Office, StaffMember
from services.notifier.people.queries import load_calendar
from shared.persistence.locks import lock_until_commit
from shared.runtime.service import ServiceContext
from shared.vocabulary.worktime import WorkingCalendar

PAUSE_SECONDS = 60.0


async def run(context: ServiceContext) -> None:
    """Look once a minute until cancelled; not in the demonstration, whose offices have no evenings."""
    while context.settings.calendar_duties:
        async with context.database.worker() as session:
            await open_due(session)
        await asyncio.sleep(PAUSE_SECONDS)
    await asyncio.Event().wait()


class _Candidate(NamedTuple):
    rule: Rule
    office: Office
    calendar: WorkingCalendar
    owner_id: UUID
    name: str
    occurrence: Occurrence

    @property
    def subject_id(self) -> UUID:
        return occurrence_id(self.rule, self.owner_id, self.occurrence.day)


async def open_due(session: AsyncSession, at: datetime | None = None) -> int:
    """Open what has begun and is not open yet; return how many.  What would be late already is not opened."""
    await lock_until_commit(session, "notifier calendar duties")
    database_now: datetime = (await session.execute(select(func.now()))).scalar_one()
    at = at or database_now
    book = await rule_book(session)
    staff = (await session.execute(select(StaffMember).where(StaffMember.active))).scalars().all()
    people = [Person(row.staff_id, row.office_id, row.role, row.full_name, row.email) for row in staff]
    offices = (await session.execute(select(Office).where(Office.active).order_by(Office.office_id))).scalars().all()
    candidates = []
    for office in offices:
        office_calendar = await load_calendar(session, office.calendar_digest)
        candidates += list(_candidates(book, office, office_calendar, people, at))
    ids = [candidate.subject_id for candidate in candidates]
    known = set((await session.execute(select(Obligation.subject_id).where(Obligation.subject_id.in_(ids)))).scalars())
    work = UnitOfWork()
    for candidate in candidates:
        if candidate.subject_id not in known:
            _open(work, book, candidate, people, at)
    await flush(session, work)
    return len(work.opened)


def _candidates(
    book: RuleBook, office: Office, office_calendar: WorkingCalendar, people: list[Person], at: datetime
) -> Iterator[_Candidate]:
    here = [rule for rule in book.all_in_force(at) if rule.every and rule.office_id in (None, office.office_id)]
    for obligation_kind in sorted({rule.obligation_kind for rule in here}):
        rule = most_specific_rule(here, obligation_kind, office.office_id, {})
        if rule is None or rule.every is None:
            continue
        owners = [(office.office_id, office.name)]
        if rule.every.of == "manager":
            managers = (one for one in people if one.office_id == office.office_id and one.role == "manager")
            owners = [(one.id, one.full_name) for one in managers]
        for occurrence in occurrences(rule, office_calendar, at):
            for own_id, name in owners:
                yield _Candidate(rule, office, office_calendar, own_id, name, occurrence)


def _open(work: UnitOfWork, book: RuleBook, candidate: _Candidate, people: list[Person], at: datetime) -> None:
    rule, occurrence, every = candidate.rule, candidate.occurrence, candidate.rule.every
    plan = schedule(rule, candidate.calendar, occurrence.opened_at, {})
    if every is None or plan.due_at <= at:
        return
    responsible: UUID | None = candidate.owner_id
    if every.of == "office":
        recipients = resolve_recipients(rule.ladder[0].role, candidate.office.office_id, None, people)[1]
        responsible = recipients[0].id if len(recipients) == 1 else None
    open_obligation(
        work,
        rule,
        book.id_of(rule),
        plan,
        occurrence.opened_at,
        office_id=candidate.office.office_id,
        calendar_digest=candidate.office.calendar_digest,
        subject=(rule.subject, candidate.subject_id, occurrence_label(every, occurrence.day, candidate.name)),
        client_id=None,
        responsible_id=responsible,
        at=at,
    )
