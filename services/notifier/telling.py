"""Who is told, when, and in how many letters: working time, absences, one digest instead of a storm (NTF-03)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock_models import Absence, TellingPreference
from services.notifier.domain.delivery import KEEP_TRYING
from services.notifier.domain.ladder import Person, standing_in
from services.notifier.duty import Duty
from services.notifier.models import Notice, Office, StaffMember
from services.notifier.reading import calendar
from services.notifier.rendering import one_line
from services.notifier.texting import sms_beside, sms_beside_waiting
from services.notifier.writing import Changes
from shared.persistence.database import new_id
from shared.persistence.locks import lock_until_commit
from shared.vocabulary.worktime import NoWorkingTime, WorkingCalendar, add_working_minutes

DIGEST_WINDOW = timedelta(minutes=5)
MOST_LISTED = 60
"""Duties that a digest lists; of the others it tells the number."""


@dataclass(frozen=True, slots=True)
class News:
    """One step that one person is told."""

    person: Person
    duty: Duty
    kind: str
    level: int
    role: str | None

    def item(self, at: datetime) -> dict[str, Any]:
        return {
            "obligation_id": str(self.duty.id),
            "kind": self.kind,
            "generation": self.duty.generation,
            "level": self.level,
            "role": self.role,
            "fired_at": at.isoformat(),
        }


@dataclass
class Directory:
    """Offices and people as they are at the moment of firing."""

    offices: dict[UUID, Office]
    people: Sequence[Person]
    substitutes: Mapping[UUID, UUID]
    """Of responsible people who are away."""
    calendars: dict[UUID, WorkingCalendar] = field(default_factory=dict)


NOBODY = Directory({}, (), {})
"""Where no step names a role."""


async def directory(session: AsyncSession, office_ids: set[UUID], at: datetime) -> Directory:
    offices = (await session.execute(select(Office).where(Office.office_id.in_(office_ids)))).scalars().all()
    here = or_(StaffMember.office_id.in_(office_ids), StaffMember.office_id.is_(None))
    staff = (await session.execute(select(StaffMember).where(StaffMember.active, here))).scalars()
    people = [Person(row.staff_id, row.office_id, row.role, row.full_name, row.email, row.phone) for row in staff]
    away = select(Absence.staff_id, Absence.substitute_id).where(
        Absence.office_id.in_(office_ids), Absence.since <= at, Absence.until > at
    )
    absences = {row.staff_id: row.substitute_id for row in (await session.execute(away)).all()}
    present, substitutes = standing_in(people, absences)
    found = Directory({office.office_id: office for office in offices}, present, substitutes)
    for office in offices:
        found.calendars[office.office_id] = await calendar(session, office.calendar_digest)
    return found


async def tell(
    session: AsyncSession, changes: Changes, known: Directory, news: Iterable[News], at: datetime, window: timedelta
) -> None:
    """Letters about what fired, one per person and window; what is urgent goes out alone and at once."""
    by_person: defaultdict[UUID, list[News]] = defaultdict(list)
    for one in news:
        by_person[one.person.id].append(one)
    if not by_person:
        return
    # Replicas and lanes tell a person one after another, else each would begin a letter of its own.
    await lock_until_commit(session, *(f"tell/{staff_id}" for staff_id in by_person))
    preferences = await _preferences(session, by_person)
    last = await _last_letters(session, by_person, at - max(window, timedelta(hours=1)))
    waiting = await _waiting(session, by_person, at)
    for staff_id, theirs in by_person.items():
        wish, person = preferences.get(staff_id), theirs[0].person
        for one in theirs:
            if one.duty.urgent:
                urgent = _letter(known, [one], at, at)
                changes.notices += [urgent, *sms_beside(urgent, person, wish, [one.kind])]
        calm = [one for one in theirs if not one.duty.urgent and (one.kind != "warning" or not wish or wish.warnings)]
        if not calm:
            continue
        if staff_id in waiting:
            _append(waiting[staff_id], calm, at)
            changes.notices += sms_beside_waiting(waiting[staff_id], person, wish, [one.kind for one in calm])
            continue
        pause = timedelta(minutes=wish.digest_minutes) if wish and window else window
        since = max(at, last[staff_id] + pause) if staff_id in last else at
        if wish and wish.snoozed_until:
            since = max(since, wish.snoozed_until)
        letter = _letter(known, calm, at, _working(known, calm[0].duty.office_id, since))
        changes.notices += [letter, *sms_beside(letter, person, wish, [one.kind for one in calm])]


def _working(known: Directory, office_id: UUID, moment: datetime) -> datetime:
    """People get told in their working time; somebody of head office in that of the office it is about."""
    try:
        return add_working_minutes(known.calendars[office_id], moment, 0)
    except NoWorkingTime:
        return moment  # An office that never opens again: better told at night than never.


async def _preferences(session: AsyncSession, staff_ids: Iterable[UUID]) -> dict[UUID, TellingPreference]:
    query = select(TellingPreference).where(TellingPreference.staff_id.in_(list(staff_ids)))
    return {row.staff_id: row for row in (await session.execute(query)).scalars()}


async def _last_letters(session: AsyncSession, staff_ids: Iterable[UUID], since: datetime) -> dict[UUID, datetime]:
    query = select(Notice.staff_id, func.max(Notice.next_attempt_at)).where(
        Notice.purpose == "staff",
        Notice.channel == "email",
        Notice.staff_id.in_(list(staff_ids)),
        Notice.next_attempt_at > since,
    )
    rows = (await session.execute(query.group_by(Notice.staff_id))).all()
    return {staff_id: latest for staff_id, latest in rows if staff_id is not None}


async def _waiting(session: AsyncSession, staff_ids: Iterable[UUID], at: datetime) -> dict[UUID, Notice]:
    """Letters that still wait for their time, locked against the sender; those it has locked are on their way."""
    query = select(Notice).where(
        Notice.purpose == "staff",
        Notice.channel == "email",
        Notice.staff_id.in_(list(staff_ids)),
        Notice.next_attempt_at > at,
        Notice.state == "queued",
        Notice.text.is_(None),
    )
    rows = (await session.execute(query.order_by(Notice.id).with_for_update(skip_locked=True))).scalars()
    return {row.staff_id: row for row in rows if row.staff_id is not None}


def _append(notice: Notice, news: Sequence[News], at: datetime) -> None:
    context = notice.context or {}
    items, count = context.get("items"), context.get("count", 1)
    if items is None:
        items = [{**context, "obligation_id": str(notice.obligation_id)}]
    notice.template, notice.obligation_id, notice.client_id = "digest", None, None
    notice.subject_kind = notice.subject_id = None
    items = [*items, *(one.item(at) for one in news)][:MOST_LISTED]
    notice.context = {"items": items, "count": count + len(news), "sms": context.get("sms", False)}


def _letter(known: Directory, news: Sequence[News], at: datetime, since: datetime) -> dict[str, Any]:
    """One letter; it is written when it is sent, with what is true then."""
    person, duty = news[0].person, news[0].duty
    office = known.offices[duty.office_id]
    alone = len(news) == 1
    items = [one.item(at) for one in news[:MOST_LISTED]]
    return {
        "id": new_id(),
        "office_id": duty.office_id,
        "channel": "email",
        "purpose": "staff",
        "template": "escalation" if alone else "digest",
        "client_id": duty.client_id if alone else None,
        "staff_id": person.id,
        "obligation_id": duty.id if alone else None,
        "subject_kind": duty.subject_kind if alone else None,
        "subject_id": duty.subject_id if alone else None,
        "recipient": person.email,
        "recipient_name": one_line(person.full_name),
        "time_zone": office.time_zone,
        "sender_name": one_line(office.name),
        "context": items[0] if alone else {"items": items, "count": len(news)},
        "state": "queued",
        "attempts": 0,
        "next_attempt_at": since,
        "expires_at": since + KEEP_TRYING,
    }
