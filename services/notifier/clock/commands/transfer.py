"""Transfer an obligation to another office: the remaining time is counted by that office's calendar (K5)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.commands.handling import lock_obligation, save_action
from services.notifier.clock.commands.obligations import deadline_details, history_row, wake_engine
from services.notifier.clock.domain import obligation_events
from services.notifier.clock.domain.obligation import ObligationRecord, step_moment
from services.notifier.clock.domain.waiting import convert_remaining, counts_working_time
from services.notifier.clock.models.obligations import Obligation, ObligationHistory, ObligationLevel, ObligationRemark
from services.notifier.clock.store.unit_of_work import UnitOfWork
from services.notifier.people.models.projections import Office, StaffMember
from services.notifier.people.queries import load_calendar
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
    """Start a new generation in the other office.  Fired steps stay fired, and a passed deadline stays where it is.

    A deadline agreed with the client does not move either.  Without `staff_id` all managers of the office are
    responsible. Raises NotFound, AlreadyClosed, Invalid, Conflict.
    """
    row, obligation, rule, old_calendar = await lock_obligation(session, obligation_id)
    office = await session.get(Office, office_id)
    if office is None or not office.active:
        raise Invalid("Такого офиса нет.", field="body.office_id")
    if obligation.office_id == office_id:
        raise Conflict("Обязанность и так у этого офиса.")
    person = await session.get(StaffMember, staff_id) if staff_id else None
    if staff_id and (person is None or not person.active or person.office_id != office_id):
        raise Invalid("Такого сотрудника в этом офисе нет.", field="body.staff_id")
    work = UnitOfWork()
    work.events.append(obligation_events.closed(obligation, "superseded", at, at))
    details = {
        "from": str(obligation.office_id),
        "to": str(office_id),
        "calendar": obligation.calendar_digest,
        "due_at": obligation.due_at.isoformat(),
    }
    obligation.generation += 1
    obligation.office_id, obligation.responsible_staff_id = office_id, staff_id
    obligation.calendar_digest = office.calendar_digest
    obligation.acknowledged_by = obligation.acknowledged_until = None
    new_calendar = await load_calendar(session, office.calendar_digest)
    try:
        _convert_remaining_time(obligation, old_calendar, new_calendar, at, working=counts_working_time(rule))
    except NoWorkingTime:
        raise Conflict("По календарю этого офиса срок никогда не наступит.") from None
    work.history.append(history_row(obligation, "transferred", at, details | {"new": deadline_details(obligation)}))
    work.events.append(obligation_events.opened(obligation, at))
    work.mark_changed(obligation)
    wake_engine(work, obligation, at)
    await save_action(session, work, row, "transferred", reason, caller, at)
    # The right to read the past moves with the obligation; what it says stays as it was.
    for table in (ObligationHistory, ObligationLevel, ObligationRemark):
        await session.execute(update(table).where(table.obligation_id == obligation.id).values(office_id=office_id))
    return row


def _convert_remaining_time(
    obligation: ObligationRecord,
    old_calendar: WorkingCalendar,
    new_calendar: WorkingCalendar,
    at: datetime,
    *,
    working: bool,
) -> None:
    """Convert what was left of the time by the old calendar to the new one.  Raises NoWorkingTime."""
    since = obligation.paused_at or at
    if obligation.agreed_due_at is not None:
        since = max(since, obligation.due_at)  # The client was promised this moment.

    def moved(moment: datetime) -> datetime:
        return convert_remaining(old_calendar, new_calendar, since, moment, working=working)

    if obligation.breached_at is None:
        obligation.due_at, obligation.soon_at = moved(obligation.due_at), moved(obligation.soon_at)
    if obligation.next_step is not None:
        rest = [
            {**step, "at": moved(step_moment(step)).isoformat()} for step in obligation.schedule[obligation.next_step :]
        ]
        obligation.schedule = [*obligation.schedule[: obligation.next_step], *rest]
        obligation.next_at = None if obligation.paused_at else step_moment(rest[0])
