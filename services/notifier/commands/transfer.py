"""A duty moves to another office: the rest of its time is counted by that office's calendar."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier import announcements
from services.notifier.clock_models import ObligationRemark
from services.notifier.commands.handling import store, taken
from services.notifier.commands.obligations import figures, history_row, wake_engine
from services.notifier.domain.waiting import counts_working_time, rest_elsewhere
from services.notifier.duty import Duty, step_moment
from services.notifier.models import Obligation, ObligationHistory, ObligationLevel, Office, StaffMember
from services.notifier.reading import calendar
from services.notifier.writing import Changes
from shared.base.errors import Conflict, Invalid
from shared.identity.roles import Principal
from shared.vocabulary.worktime import NoWorkingTime, WorkingCalendar


async def transfer(
    session: AsyncSession,
    obligation_id: UUID,
    office_id: UUID,
    staff_id: UUID | None,
    reason: str,
    *,
    caller: Principal,
    at: datetime,
) -> Obligation:
    """A new generation in the other office.  What has fired stays fired, a deadline that has passed stays where it is.

    What was agreed with the client is not moved either.  Without `staff_id` all managers of the office are responsible.
    Raises NotFound, DutyClosed, Invalid, Conflict.
    """
    row, duty, rule, old_calendar = await taken(session, obligation_id)
    office = await session.get(Office, office_id)
    if office is None or not office.active:
        raise Invalid("Такого офиса нет.", field="body.office_id")
    if duty.office_id == office_id:
        raise Conflict("Обязанность и так у этого офиса.")
    person = await session.get(StaffMember, staff_id) if staff_id else None
    if staff_id and (person is None or not person.active or person.office_id != office_id):
        raise Invalid("Такого сотрудника в этом офисе нет.", field="body.staff_id")
    changes = Changes()
    changes.events.append(announcements.closed(duty, "superseded", at, at))
    details = {
        "from": str(duty.office_id),
        "to": str(office_id),
        "calendar": duty.calendar_digest,
        "due_at": duty.due_at.isoformat(),
    }
    duty.generation += 1
    duty.office_id, duty.responsible_staff_id = office_id, staff_id
    duty.calendar_digest = office.calendar_digest
    duty.acknowledged_by = duty.acknowledged_until = None
    new_calendar = await calendar(session, office.calendar_digest)
    try:
        _count_the_rest(duty, old_calendar, new_calendar, at, working=counts_working_time(rule))
    except NoWorkingTime:
        raise Conflict("По календарю этого офиса срок никогда не наступит.") from None
    changes.history.append(history_row(duty, "transferred", at, details | {"new": figures(duty)}))
    changes.events.append(announcements.opened(duty, at))
    changes.change(duty)
    wake_engine(changes, duty, at)
    await store(session, changes, row, "transferred", reason, caller, at)
    # Who may read the past follows the duty; what it says stays as it was.
    for table in (ObligationHistory, ObligationLevel, ObligationRemark):
        await session.execute(update(table).where(table.obligation_id == duty.id).values(office_id=office_id))
    return row


def _count_the_rest(
    duty: Duty, old_calendar: WorkingCalendar, new_calendar: WorkingCalendar, at: datetime, *, working: bool
) -> None:
    """What was left of the time by the one calendar is left by the other.  Raises NoWorkingTime."""
    since = duty.paused_at or at
    if duty.agreed_due_at is not None:
        since = max(since, duty.due_at)  # The client was promised this very moment.

    def moved(moment: datetime) -> datetime:
        return rest_elsewhere(old_calendar, new_calendar, since, moment, working=working)

    if duty.breached_at is None:
        duty.due_at, duty.soon_at = moved(duty.due_at), moved(duty.soon_at)
    if duty.next_step is not None:
        rest = [{**step, "at": moved(step_moment(step)).isoformat()} for step in duty.schedule[duty.next_step :]]
        duty.schedule = [*duty.schedule[: duty.next_step], *rest]
        duty.next_at = None if duty.paused_at else step_moment(rest[0])
