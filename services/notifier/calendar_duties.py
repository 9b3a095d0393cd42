"""Opens the duties that come by the calendar and not by an event."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.commands.obligations import open_duty
from services.notifier.domain.ladder import Person, resolve
from services.notifier.domain.occasions import Occasion, occasion_id, occasion_label, occasions
from services.notifier.domain.rules import Rule, winner
from services.notifier.domain.schedule import schedule
from services.notifier.models import Obligation, Office, StaffMember
from services.notifier.reading import calendar
from services.notifier.rulebook import RuleBook, rule_book
from services.notifier.writing import Changes, write
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
    whose: UUID
    name: str
    occasion: Occasion

    @property
    def subject_id(self) -> UUID:
        return occasion_id(self.rule, self.whose, self.occasion.day)


async def open_due(session: AsyncSession, at: datetime | None = None) -> int:
    """Open what has begun and is not open yet; returns how many.  What would be late already is not opened."""
    await lock_until_commit(session, "notifier calendar duties")
    database_now: datetime = (await session.execute(select(func.now()))).scalar_one()
    at = at or database_now
    book = await rule_book(session)
    staff = (await session.execute(select(StaffMember).where(StaffMember.active))).scalars().all()
    people = [Person(row.staff_id, row.office_id, row.role, row.full_name, row.email) for row in staff]
    offices = (await session.execute(select(Office).where(Office.active).order_by(Office.office_id))).scalars().all()
    candidates = []
    for office in offices:
        known_calendar = await calendar(session, office.calendar_digest)
        candidates += list(_candidates(book, office, known_calendar, people, at))
    ids = [candidate.subject_id for candidate in candidates]
    known = set((await session.execute(select(Obligation.subject_id).where(Obligation.subject_id.in_(ids)))).scalars())
    changes = Changes()
    for candidate in candidates:
        if candidate.subject_id not in known:
            _open(changes, book, candidate, people, at)
    await write(session, changes)
    return len(changes.opened)


def _candidates(
    book: RuleBook, office: Office, known_calendar: WorkingCalendar, people: list[Person], at: datetime
) -> Iterator[_Candidate]:
    here = [rule for rule in book.all_in_force(at) if rule.every and rule.office_id in (None, office.office_id)]
    for duty in sorted({rule.duty for rule in here}):
        rule = winner(here, duty, office.office_id, {})
        if rule is None or rule.every is None:
            continue
        whose = [(office.office_id, office.name)]
        if rule.every.of == "manager":
            managers = (one for one in people if one.office_id == office.office_id and one.role == "manager")
            whose = [(one.id, one.full_name) for one in managers]
        for occasion in occasions(rule, known_calendar, at):
            for own_id, name in whose:
                yield _Candidate(rule, office, known_calendar, own_id, name, occasion)


def _open(changes: Changes, book: RuleBook, candidate: _Candidate, people: list[Person], at: datetime) -> None:
    rule, occasion, every = candidate.rule, candidate.occasion, candidate.rule.every
    plan = schedule(rule, candidate.calendar, occasion.opened_at, {})
    if every is None or plan.due_at <= at:
        return
    responsible: UUID | None = candidate.whose
    if every.of == "office":
        told = resolve(rule.ladder[0].role, candidate.office.office_id, None, people)[1]
        responsible = told[0].id if len(told) == 1 else None
    open_duty(
        changes,
        rule,
        book.id_of(rule),
        plan,
        occasion.opened_at,
        office_id=candidate.office.office_id,
        calendar_digest=candidate.office.calendar_digest,
        subject=(rule.subject, candidate.subject_id, occasion_label(every, occasion.day, candidate.name)),
        client_id=None,
        responsible_id=responsible,
        at=at,
    )
