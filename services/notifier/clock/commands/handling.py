"""What people do with an obligation: move, acknowledge, wait, assign, reopen, complete.

Clauses: VIN-05 and CALL-12 (agreed deadlines), NTF-03 (the ladder).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.commands.obligations import close, deadline_details, history_row, wake_engine
from services.notifier.clock.commands.waiting import change_holder, resume_after_reopening, resume_if_expired
from services.notifier.clock.domain import obligation_events
from services.notifier.clock.domain.obligation import ObligationRecord, step_moment
from services.notifier.clock.domain.rules import Holder, Rule
from services.notifier.clock.domain.schedule import schedule
from services.notifier.clock.domain.waiting import ONE_MINUTE, Span, counts_working_time, pause_limit_at
from services.notifier.clock.models.obligations import Obligation, ObligationHistory
from services.notifier.clock.store.rule_book import rule_book
from services.notifier.clock.store.unit_of_work import UnitOfWork, flush
from services.notifier.people.models.projections import StaffMember
from services.notifier.people.queries import load_calendar
from services.notifier.texts.labels import duration_ru, moment_ru
from shared.base.errors import BusinessError, Conflict, Forbidden, Invalid, NotFound
from shared.identity.roles import SENIORS, Principal, Role
from shared.persistence.database import new_id
from shared.runtime.audit import audit
from shared.vocabulary.worktime import WorkingCalendar, add_working_minutes, deadline, working_time_between


class AlreadyClosed(BusinessError):
    """The obligation is done or cancelled."""

    code = "obligation-closed"
    title = "Обязанность уже закрыта"


class DeadlinePassed(BusinessError):
    """The deadline is over, and the past is not rewritten."""

    code = "deadline-passed"
    title = "Срок уже истёк"


class DeadlineNotMovable(BusinessError):
    """The rule or the role does not allow the new deadline."""

    status = 403
    code = "deadline-not-movable"
    title = "Срок не переносится"


class PauseLimitReached(BusinessError):
    """The pauses that the rule allows the role are used up."""

    status = 403
    code = "pause-limit-reached"
    title = "Отсчёт больше не приостанавливается"


async def lock_obligation(
    session: AsyncSession, obligation_id: UUID, *, is_open: bool = True
) -> tuple[Obligation, ObligationRecord, Rule, WorkingCalendar]:
    """Return the obligation, locked against the engine, with its rule and calendar.

    Raises NotFound, AlreadyClosed.
    """
    query = select(Obligation).where(Obligation.id == obligation_id).with_for_update()
    row = (await session.execute(query)).scalars().one_or_none()
    if row is None:
        raise NotFound("Такой обязанности нет.")
    if is_open and row.state != "open":
        raise AlreadyClosed("С закрытой обязанностью это действие невозможно.")
    rule = (await rule_book(session)).by_id[row.rule_id]
    return row, ObligationRecord.of(row), rule, await load_calendar(session, row.calendar_digest)


async def save_action(
    session: AsyncSession, work: UnitOfWork, row: Obligation, event: str, text: str, caller: Principal, at: datetime
) -> Obligation:
    """Write the unit of work with the person's remark and an audit entry; return the row as it is then."""
    obligation = work.changed[row.id]
    work.remarks.append(
        {
            "id": new_id(),
            "obligation_id": obligation.id,
            "office_id": obligation.office_id,
            "generation": obligation.generation,
            "event": event,
            "at": at,
            "staff_id": caller.id,
            "text": text,
        }
    )
    await flush(session, work)
    await audit(session, f"obligation.{event}", subject=f"obligation/{obligation.id}", office_id=obligation.office_id)
    await session.refresh(row)
    return row


async def move_deadline(
    session: AsyncSession, obligation_id: UUID, due_at: datetime, reason: str, *, caller: Principal, at: datetime
) -> Obligation:
    """Replace the deadline by one agreed with the client (VIN-05, CALL-12); this makes a new generation.

    How far depends on the caller's role and is counted from the rule's own deadline, so that many small steps come no
    further than one.  Raises NotFound, AlreadyClosed, DeadlinePassed, DeadlineNotMovable, Invalid.
    """
    row, obligation, rule, office_calendar = await lock_obligation(session, obligation_id)
    if obligation.breached_at is not None or obligation.due_at <= at:
        raise DeadlinePassed("Истёкший срок не переносится: прошлое не переписывается.")
    if obligation.paused_at is not None:
        raise Conflict("Отсчёт приостановлен: сначала возобновите его.")
    if due_at <= at:
        raise Invalid("Новый срок должен быть в будущем.", field="body.due_at")
    spans = [Span.of(span) for span in obligation.spans]
    own = schedule(rule, office_calendar, obligation.opened_at, {}, spans=spans).due_at
    _within_limit(rule, office_calendar, own, due_at, caller)
    plan = schedule(rule, office_calendar, obligation.opened_at, {}, exactly=due_at)
    work = UnitOfWork()
    work.events.append(obligation_events.closed(obligation, "superseded", at, at))
    details = {"from": obligation.due_at.isoformat(), "to": due_at.isoformat(), "staff_id": str(caller.id)}
    work.history.append(history_row(obligation, "moved", at, details))
    obligation.generation += 1
    obligation.agreed_due_at, obligation.due_at, obligation.soon_at = due_at, plan.due_at, max(plan.soon_at, at)
    obligation.schedule = [step for step in plan.rows if step_moment(step) > at]  # Past steps do not fire again.
    obligation.next_step, obligation.next_at = 0, step_moment(obligation.schedule[0])
    obligation.warned_at = obligation.acknowledged_by = obligation.acknowledged_until = None
    work.events.append(obligation_events.opened(obligation, at))
    work.history.append(history_row(obligation, "opened", obligation.opened_at, deadline_details(obligation)))
    work.mark_changed(obligation)
    wake_engine(work, obligation, at)
    return await save_action(session, work, row, "moved", reason, caller, at)


def _within_limit(
    rule: Rule, office_calendar: WorkingCalendar, own: datetime, due_at: datetime, caller: Principal
) -> None:
    """Check the new deadline against the limit of the caller's role.  Raises DeadlineNotMovable."""
    if not rule.moves:
        raise DeadlineNotMovable("Регламент не допускает переноса этого срока.")
    limit = next((limit for limit in rule.moves if limit.role == caller.role), None)
    if limit is None:
        raise DeadlineNotMovable("Ваша роль не может переносить этот срок.")
    latest = deadline(office_calendar, own, limit.up_to)
    if due_at > latest:
        raise DeadlineNotMovable(
            f"Ваша роль переносит срок не далее чем на {duration_ru(limit.up_to)}: "
            f"до {moment_ru(latest, office_calendar.time_zone)}. Обратитесь к руководителю."
        )


async def acknowledge(
    session: AsyncSession, obligation_id: UUID, minutes: int, *, caller: Principal, at: datetime
) -> Obligation:
    """Delay the escalation by `minutes` of working time («Взял в работу»); the deadline stays (NTF-03).

    Once per person and generation, so that the ladder cannot be held for ever.  Raises NotFound, AlreadyClosed,
    Conflict.
    """
    row, obligation, rule, office_calendar = await lock_obligation(session, obligation_id)
    entries = select(ObligationHistory.details).where(
        ObligationHistory.obligation_id == obligation.id,
        ObligationHistory.generation == obligation.generation,
        ObligationHistory.event == "acknowledged",
    )
    if any(details["staff_id"] == str(caller.id) for details in (await session.execute(entries)).scalars()):
        raise Conflict("Вы уже брали эту обязанность в работу.")
    until = add_working_minutes(office_calendar, at, minutes)
    obligation.acknowledged_by, obligation.acknowledged_until = caller.id, until
    _delay_escalation(obligation, office_calendar, until, working=counts_working_time(rule))
    work = UnitOfWork()
    details = {"staff_id": str(caller.id), "until": until.isoformat()}
    work.history.append(history_row(obligation, "acknowledged", at, details))
    work.mark_changed(obligation)
    return await save_action(session, work, row, "acknowledged", "", caller, at)


def _delay_escalation(
    obligation: ObligationRecord, office_calendar: WorkingCalendar, until: datetime, *, working: bool
) -> None:
    """Move the next escalation to `until` at the earliest, and the others by the same time."""
    if obligation.next_step is None:
        return
    rest = obligation.schedule[obligation.next_step :]
    escalations = [step_moment(step) for step in rest if step["kind"] == "escalation"]
    if not escalations or escalations[0] >= until:
        return

    def delayed(moment: datetime) -> datetime:
        if not working:
            return until + (moment - escalations[0])
        return add_working_minutes(
            office_calendar, until, working_time_between(office_calendar, escalations[0], moment) / ONE_MINUTE
        )

    moved = [
        {**step, "at": delayed(step_moment(step)).isoformat()} if step["kind"] == "escalation" else step
        for step in rest
    ]
    moved.sort(key=step_moment)
    obligation.schedule = [*obligation.schedule[: obligation.next_step], *moved]
    if obligation.paused_at is None:
        obligation.next_at = step_moment(moved[0])


async def set_waiting(
    session: AsyncSession, obligation_id: UUID, holder: Holder | None, reason: str, *, caller: Principal, at: datetime
) -> Obligation:
    """Let the obligation wait for the client or the supplier; None: for the manager again.

    Raises NotFound, AlreadyClosed, Conflict, PauseLimitReached.
    """
    row, obligation, rule, office_calendar = await lock_obligation(session, obligation_id)
    if holder in rule.pauses_for:
        spans = [Span.of(span) for span in obligation.spans]
        until = pause_limit_at(rule, caller.role, office_calendar, spans, at)
        if until is not None and until <= at:
            raise PauseLimitReached("Для вашей роли время пауз по этой обязанности вышло. Обратитесь к руководителю.")
    work = UnitOfWork()
    if not change_holder(work, obligation, rule, office_calendar, holder, at, at=at, role=caller.role):
        raise Conflict("Обязанность уже в этом состоянии.")
    work.wake_pauses = True
    event = work.history[-1]["event"]
    return await save_action(session, work, row, event, reason, caller, at)


async def assign(
    session: AsyncSession, obligation_id: UUID, staff_id: UUID, reason: str, *, caller: Principal, at: datetime
) -> Obligation:
    """Make another person of the office responsible from now on; former notifications stay on record.

    Raises NotFound, AlreadyClosed, Invalid, Conflict.
    """
    row, obligation, _, _ = await lock_obligation(session, obligation_id)
    person = await session.get(StaffMember, staff_id)
    if person is None or not person.active or person.office_id != obligation.office_id:
        raise Invalid("Такого сотрудника в этом офисе нет.", field="body.staff_id")
    if obligation.responsible_staff_id == staff_id:
        raise Conflict("Этот сотрудник уже отвечает за обязанность.")
    work = UnitOfWork()
    details = {"from": str(obligation.responsible_staff_id or ""), "to": str(staff_id)}
    obligation.responsible_staff_id = staff_id
    work.history.append(history_row(obligation, "reassigned", at, details))
    work.mark_changed(obligation)
    return await save_action(session, work, row, "reassigned", reason, caller, at)


async def reopen(
    session: AsyncSession, obligation_id: UUID, reason: str, *, caller: Principal, at: datetime
) -> Obligation:
    """Reopen an obligation that was closed by mistake, with the time that was left; steps that fired stay fired.

    Raises NotFound, Conflict.
    """
    row, obligation, rule, office_calendar = await lock_obligation(session, obligation_id, is_open=False)
    if obligation.state == "open" or obligation.closed_at is None:
        raise Conflict("Обязанность и так в работе.")
    rival = select(Obligation.id).where(
        Obligation.subject_id == obligation.subject_id,
        Obligation.obligation_kind == obligation.obligation_kind,
        Obligation.state == "open",
    )
    if (await session.execute(rival)).first() is not None:
        raise Conflict("По этому предмету уже открыта такая же обязанность.")
    work = UnitOfWork()
    resume_after_reopening(work, obligation, rule, office_calendar, at=at)
    return await save_action(session, work, row, "reopened", reason, caller, at)


async def complete(
    session: AsyncSession, obligation_id: UUID, comment: str, *, caller: Principal, at: datetime
) -> Obligation:
    """Close an obligation by hand, where no event of the system could.

    Clauses: RPT-01, RPT-02, RPT-03, RPT-04, RPT-05, RPT-06, HR-02, HR-03, CALL-04.  Raises NotFound, AlreadyClosed,
    Forbidden.
    """
    row, obligation, rule, office_calendar = await lock_obligation(session, obligation_id)
    if not rule.by_hand:
        raise Forbidden("Эта обязанность закрывается самим действием, а не отметкой.")
    if obligation.responsible_staff_id not in (None, caller.id) and caller.role not in (*SENIORS, Role.HEAD_OFFICE):
        raise Forbidden("Отметить выполнение может ответственный или его руководитель.")
    work = UnitOfWork()
    resume_if_expired(work, obligation, rule, office_calendar, at, at=at)
    close(work, obligation, "done", at, at=at)
    return await save_action(session, work, row, "done", comment, caller, at)
