"""Decide who is notified of a step, when, and in how many letters (NTF-03).

People get letters in their working time, substitutes get those of absent colleagues, and many steps make one digest.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.commands.staff_sms import accompanying_sms, accompanying_sms_of_queued
from services.notifier.clock.domain.ladder import Person, with_substitutes
from services.notifier.clock.domain.obligation import ObligationRecord
from services.notifier.clock.store.unit_of_work import UnitOfWork
from services.notifier.delivery.domain.delivery import RETRY_PERIOD
from services.notifier.delivery.models.notices import Notice
from services.notifier.people.models.preferences import Absence, NotificationPreference
from services.notifier.people.models.projections import Office, StaffMember
from services.notifier.people.queries import load_calendar
from services.notifier.texts.rendering import one_line
from shared.persistence.database import new_id
from shared.persistence.locks import lock_until_commit
from shared.vocabulary.worktime import NoWorkingTime, WorkingCalendar, add_working_minutes

DIGEST_WINDOW = timedelta(minutes=5)
MAX_LISTED = 60
"""Obligations that a digest lists; of the others it gives the number."""


@dataclass(frozen=True, slots=True)
class StaffNotification:
    """One step of which one person is notified."""

    person: Person
    obligation: ObligationRecord
    kind: str
    level: int
    role: str | None

    def item(self, at: datetime) -> dict[str, Any]:
        """Return the step as it is stored in a letter's context."""
        return {
            "obligation_id": str(self.obligation.id),
            "kind": self.kind,
            "generation": self.obligation.generation,
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


EMPTY_DIRECTORY = Directory({}, (), {})
"""For batches in which no step names a role."""


async def load_directory(session: AsyncSession, office_ids: set[UUID], at: datetime) -> Directory:
    """Read the offices, their active people with substitutes in place, and their calendars."""
    offices = (await session.execute(select(Office).where(Office.office_id.in_(office_ids)))).scalars().all()
    here = or_(StaffMember.office_id.in_(office_ids), StaffMember.office_id.is_(None))
    staff = (await session.execute(select(StaffMember).where(StaffMember.active, here))).scalars()
    people = [Person(row.staff_id, row.office_id, row.role, row.full_name, row.email, row.phone) for row in staff]
    away = select(Absence.staff_id, Absence.substitute_id).where(
        Absence.office_id.in_(office_ids), Absence.since <= at, Absence.until > at
    )
    absences = {row.staff_id: row.substitute_id for row in (await session.execute(away)).all()}
    present, substitutes = with_substitutes(people, absences)
    found = Directory({office.office_id: office for office in offices}, present, substitutes)
    for office in offices:
        found.calendars[office.office_id] = await load_calendar(session, office.calendar_digest)
    return found


async def notify_staff(
    session: AsyncSession,
    work: UnitOfWork,
    directory: Directory,
    notifications: Iterable[StaffNotification],
    at: datetime,
    window: timedelta,
) -> None:
    """Queue letters about what fired, one per person and pause; an urgent step makes a letter of its own right away.

    `window` is the usual pause between two letters to a person; zero switches all pauses off.
    """
    by_person: defaultdict[UUID, list[StaffNotification]] = defaultdict(list)
    for one in notifications:
        by_person[one.person.id].append(one)
    if not by_person:
        return
    # Replicas and parallel batches notify a person one after another, else each would begin a letter of its own.
    await lock_until_commit(session, *(f"tell/{staff_id}" for staff_id in by_person))
    preferences = await _preferences(session, by_person)
    pauses = {staff_id: _pause(preferences.get(staff_id), window) for staff_id in by_person}
    last = await _last_letters(session, by_person, at - max(pauses.values()))
    waiting = await _queued_letters(session, by_person, at)
    for staff_id, own in by_person.items():
        preference, person = preferences.get(staff_id), own[0].person
        for one in own:
            if one.obligation.urgent:
                urgent = _escalation_letter(directory, [one], at, at)
                work.notices += [urgent, *accompanying_sms(urgent, person, preference, [one.kind])]
        not_urgent = [
            one
            for one in own
            if not one.obligation.urgent and (one.kind != "warning" or not preference or preference.warnings)
        ]
        if not not_urgent:
            continue
        if staff_id in waiting:
            _append_to_digest(waiting[staff_id], not_urgent, at)
            work.notices += accompanying_sms_of_queued(
                waiting[staff_id], person, preference, [one.kind for one in not_urgent]
            )
            continue
        since = max(at, last[staff_id] + pauses[staff_id]) if staff_id in last else at
        if preference and preference.snoozed_until:
            since = max(since, preference.snoozed_until)
        letter = _escalation_letter(
            directory, not_urgent, at, _in_working_time(directory, not_urgent[0].obligation.office_id, since)
        )
        work.notices += [letter, *accompanying_sms(letter, person, preference, [one.kind for one in not_urgent])]


def _pause(preference: NotificationPreference | None, window: timedelta) -> timedelta:
    """Return the shortest time between two letters to a person; a window of zero switches all pauses off."""
    return timedelta(minutes=preference.digest_minutes) if preference and window else window


def _in_working_time(directory: Directory, office_id: UUID, moment: datetime) -> datetime:
    """Return the first working moment of the office from then on; head office is notified in it too."""
    try:
        return add_working_minutes(directory.calendars[office_id], moment, 0)
    except NoWorkingTime:
        return moment  # The office never opens again: a letter at night is better than none.


async def _preferences(session: AsyncSession, staff_ids: Iterable[UUID]) -> dict[UUID, NotificationPreference]:
    query = select(NotificationPreference).where(NotificationPreference.staff_id.in_(list(staff_ids)))
    return {row.staff_id: row for row in (await session.execute(query)).scalars()}


async def _last_letters(session: AsyncSession, staff_ids: Iterable[UUID], since: datetime) -> dict[UUID, datetime]:
    """Return when the last letter to each person goes or went out, if later than `since`."""
    query = select(Notice.staff_id, func.max(Notice.next_attempt_at)).where(
        Notice.purpose == "staff",
        Notice.channel == "email",
        Notice.staff_id.in_(list(staff_ids)),
        Notice.next_attempt_at > since,
    )
    rows = (await session.execute(query.group_by(Notice.staff_id))).all()
    return {staff_id: latest for staff_id, latest in rows if staff_id is not None}


async def _queued_letters(session: AsyncSession, staff_ids: Iterable[UUID], at: datetime) -> dict[UUID, Notice]:
    """Lock and return letters that wait for their time; what the sender has locked is on its way."""
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


def _append_to_digest(notice: Notice, notifications: Sequence[StaffNotification], at: datetime) -> None:
    context = notice.context or {}
    items, count = context.get("items"), context.get("count", 1)
    if items is None:
        items = [{**context, "obligation_id": str(notice.obligation_id)}]
    notice.template, notice.obligation_id, notice.client_id = "digest", None, None
    notice.subject_kind = notice.subject_id = None
    items = [*items, *(one.item(at) for one in notifications)][:MAX_LISTED]
    notice.context = {"items": items, "count": count + len(notifications), "sms": context.get("sms", False)}


def _escalation_letter(
    directory: Directory, notifications: Sequence[StaffNotification], at: datetime, since: datetime
) -> dict[str, Any]:
    """Return the row of one letter; its text is written when it is sent."""
    person, obligation = notifications[0].person, notifications[0].obligation
    office = directory.offices[obligation.office_id]
    alone = len(notifications) == 1
    items = [one.item(at) for one in notifications[:MAX_LISTED]]
    return {
        "id": new_id(),
        "office_id": obligation.office_id,
        "channel": "email",
        "purpose": "staff",
        "template": "escalation" if alone else "digest",
        "client_id": obligation.client_id if alone else None,
        "staff_id": person.id,
        "obligation_id": obligation.id if alone else None,
        "subject_kind": obligation.subject_kind if alone else None,
        "subject_id": obligation.subject_id if alone else None,
        "recipient": person.email,
        "recipient_name": one_line(person.full_name),
        "time_zone": office.time_zone,
        "sender_name": one_line(office.name),
        "context": items[0] if alone else {"items": items, "count": len(notifications)},
        "state": "queued",
        "attempts": 0,
        "next_attempt_at": since,
        "expires_at": since + RETRY_PERIOD,
    }
