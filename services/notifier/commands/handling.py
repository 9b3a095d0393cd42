"""What people do with a duty: move its deadline, take it on, say whom it waits for, hand it over, reopen, finish it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier import announcements
from services.notifier.commands.obligations import close, figures, history_row, wake_engine
from services.notifier.commands.waiting import go_on, go_on_if_over, wait_for
from services.notifier.domain.labels import duration_ru, moment_ru
from services.notifier.domain.rules import Holder, Rule
from services.notifier.domain.schedule import schedule
from services.notifier.domain.waiting import ONE_MINUTE, Span, counts_working_time, may_stand_until
from services.notifier.duty import Duty, step_moment
from services.notifier.models import Obligation, ObligationHistory, StaffMember
from services.notifier.reading import calendar
from services.notifier.rulebook import rule_book
from services.notifier.writing import Changes, write
from shared.base.errors import BusinessError, Conflict, Forbidden, Invalid, NotFound
from shared.identity.roles import SENIORS, Principal, Role
from shared.persistence.database import new_id
from shared.runtime.audit import audit
from shared.vocabulary.worktime import WorkingCalendar, add_working_minutes, deadline, working_time_between

PAUSES_CHANNEL = "notifier_pauses"
_WAKE_PAUSES = text(f"SELECT pg_notify('{PAUSES_CHANNEL}', '')")
"""Delivered at commit: a pause may be over before the loop that ends pauses wakes up by itself."""


class DutyClosed(BusinessError):
    code = "obligation-closed"
    title = "Обязанность уже закрыта"


class DeadlinePassed(BusinessError):
    code = "deadline-passed"
    title = "Срок уже истёк"


class NotMovable(BusinessError):
    status = 403
    code = "deadline-not-movable"
    title = "Срок не переносится"


class PausedEnough(BusinessError):
    status = 403
    code = "pause-limit-reached"
    title = "Отсчёт больше не приостанавливается"


async def taken(
    session: AsyncSession, obligation_id: UUID, *, is_open: bool = True
) -> tuple[Obligation, Duty, Rule, WorkingCalendar]:
    """The duty, locked against the engine.  Raises NotFound, DutyClosed."""
    query = select(Obligation).where(Obligation.id == obligation_id).with_for_update()
    row = (await session.execute(query)).scalars().one_or_none()
    if row is None:
        raise NotFound("Такой обязанности нет.")
    if is_open and row.state != "open":
        raise DutyClosed("С закрытой обязанностью это действие невозможно.")
    rule = (await rule_book(session)).by_id[row.rule_id]
    return row, Duty.of(row), rule, await calendar(session, row.calendar_digest)


async def store(
    session: AsyncSession, changes: Changes, row: Obligation, event: str, text: str, caller: Principal, at: datetime
) -> Obligation:
    duty = changes.changed[row.id]
    changes.remarks.append(
        {
            "id": new_id(),
            "obligation_id": duty.id,
            "office_id": duty.office_id,
            "generation": duty.generation,
            "event": event,
            "at": at,
            "staff_id": caller.id,
            "text": text,
        }
    )
    await write(session, changes)
    await audit(session, f"obligation.{event}", subject=f"obligation/{duty.id}", office_id=duty.office_id)
    await session.refresh(row)
    return row


async def move_deadline(
    session: AsyncSession, obligation_id: UUID, due_at: datetime, reason: str, *, caller: Principal, at: datetime
) -> Obligation:
    """«Если иное не согласовано с клиентом» (VIN-05, CALL-12).  A new generation with the agreed deadline.

    How far depends on the caller's role and is counted from the rule's own deadline, so that many small steps come no
    further than one.  Raises NotFound, DutyClosed, DeadlinePassed, NotMovable, Invalid.
    """
    row, duty, rule, known_calendar = await taken(session, obligation_id)
    if duty.breached_at is not None or duty.due_at <= at:
        raise DeadlinePassed("Истёкший срок не переносится: прошлое не переписывается.")
    if duty.paused_at is not None:
        raise Conflict("Отсчёт приостановлен: сначала возобновите его.")
    if due_at <= at:
        raise Invalid("Новый срок должен быть в будущем.", field="body.due_at")
    spans = [Span.of(span) for span in duty.spans]
    own = schedule(rule, known_calendar, duty.opened_at, {}, spans=spans).due_at
    _within_limit(rule, known_calendar, own, due_at, caller)
    plan = schedule(rule, known_calendar, duty.opened_at, {}, exactly=due_at)
    changes = Changes()
    changes.events.append(announcements.closed(duty, "superseded", at, at))
    details = {"from": duty.due_at.isoformat(), "to": due_at.isoformat(), "staff_id": str(caller.id)}
    changes.history.append(history_row(duty, "moved", at, details))
    duty.generation += 1
    duty.agreed_due_at, duty.due_at, duty.soon_at = due_at, plan.due_at, max(plan.soon_at, at)
    duty.schedule = [step for step in plan.rows if step_moment(step) > at]  # What is past is not told again.
    duty.next_step, duty.next_at = 0, step_moment(duty.schedule[0])
    duty.warned_at = duty.acknowledged_by = duty.acknowledged_until = None
    changes.events.append(announcements.opened(duty, at))
    changes.history.append(history_row(duty, "opened", duty.opened_at, figures(duty)))
    changes.change(duty)
    wake_engine(changes, duty, at)
    return await store(session, changes, row, "moved", reason, caller, at)


def _within_limit(
    rule: Rule, known_calendar: WorkingCalendar, own: datetime, due_at: datetime, caller: Principal
) -> None:
    """Raises NotMovable."""
    if not rule.moves:
        raise NotMovable("Регламент не допускает переноса этого срока.")
    limit = next((limit for limit in rule.moves if limit.role == caller.role), None)
    if limit is None:
        raise NotMovable("Ваша роль не может переносить этот срок.")
    furthest = deadline(known_calendar, own, limit.up_to)
    if due_at > furthest:
        raise NotMovable(
            f"Ваша роль переносит срок не далее чем на {duration_ru(limit.up_to)}: "
            f"до {moment_ru(furthest, known_calendar.time_zone)}. Обратитесь к руководителю."
        )


async def acknowledge(
    session: AsyncSession, obligation_id: UUID, minutes: int, *, caller: Principal, at: datetime
) -> Obligation:
    """«Взял в работу»: for so many working minutes nobody further up is told.  The deadline stays where it is.

    Once per person and generation, so that nobody holds the ladder for ever.  Raises NotFound, DutyClosed, Conflict.
    """
    row, duty, rule, known_calendar = await taken(session, obligation_id)
    entries = select(ObligationHistory.details).where(
        ObligationHistory.obligation_id == duty.id,
        ObligationHistory.generation == duty.generation,
        ObligationHistory.event == "acknowledged",
    )
    if any(details["staff_id"] == str(caller.id) for details in (await session.execute(entries)).scalars()):
        raise Conflict("Вы уже брали эту обязанность в работу.")
    until = add_working_minutes(known_calendar, at, minutes)
    duty.acknowledged_by, duty.acknowledged_until = caller.id, until
    _delay_climb(duty, known_calendar, until, working=counts_working_time(rule))
    changes = Changes()
    details = {"staff_id": str(caller.id), "until": until.isoformat()}
    changes.history.append(history_row(duty, "acknowledged", at, details))
    changes.change(duty)
    return await store(session, changes, row, "acknowledged", "", caller, at)


def _delay_climb(duty: Duty, known_calendar: WorkingCalendar, until: datetime, *, working: bool) -> None:
    """The next level comes not before `until`, the others as long after it as they would have."""
    if duty.next_step is None:
        return
    rest = duty.schedule[duty.next_step :]
    climb = [step_moment(step) for step in rest if step["kind"] == "escalation"]
    if not climb or climb[0] >= until:
        return

    def delayed(moment: datetime) -> datetime:
        if not working:
            return until + (moment - climb[0])
        return add_working_minutes(
            known_calendar, until, working_time_between(known_calendar, climb[0], moment) / ONE_MINUTE
        )

    moved = [
        {**step, "at": delayed(step_moment(step)).isoformat()} if step["kind"] == "escalation" else step
        for step in rest
    ]
    moved.sort(key=step_moment)
    duty.schedule = [*duty.schedule[: duty.next_step], *moved]
    if duty.paused_at is None:
        duty.next_at = step_moment(moved[0])


async def set_waiting(
    session: AsyncSession, obligation_id: UUID, holder: Holder | None, reason: str, *, caller: Principal, at: datetime
) -> Obligation:
    """The duty waits for the client or the supplier, or for us again.

    Raises NotFound, DutyClosed, Conflict, PausedEnough.
    """
    row, duty, rule, known_calendar = await taken(session, obligation_id)
    if holder in rule.pauses_for:
        spans = [Span.of(span) for span in duty.spans]
        until = may_stand_until(rule, caller.role, known_calendar, spans, at)
        if until is not None and until <= at:
            raise PausedEnough("Для вашей роли время пауз по этой обязанности вышло. Обратитесь к руководителю.")
    changes = Changes()
    if not wait_for(changes, duty, rule, known_calendar, holder, at, at=at, role=caller.role):
        raise Conflict("Обязанность уже в этом состоянии.")
    await session.execute(_WAKE_PAUSES)
    event = changes.history[-1]["event"]
    return await store(session, changes, row, event, reason, caller, at)


async def assign(
    session: AsyncSession, obligation_id: UUID, staff_id: UUID, reason: str, *, caller: Principal, at: datetime
) -> Obligation:
    """Another person of the office is responsible from now on; what was told to the former one stays on record."""
    row, duty, _, _ = await taken(session, obligation_id)
    person = await session.get(StaffMember, staff_id)
    if person is None or not person.active or person.office_id != duty.office_id:
        raise Invalid("Такого сотрудника в этом офисе нет.", field="body.staff_id")
    if duty.responsible_staff_id == staff_id:
        raise Conflict("Этот сотрудник уже отвечает за обязанность.")
    changes = Changes()
    details = {"from": str(duty.responsible_staff_id or ""), "to": str(staff_id)}
    duty.responsible_staff_id = staff_id
    changes.history.append(history_row(duty, "reassigned", at, details))
    changes.change(duty)
    return await store(session, changes, row, "reassigned", reason, caller, at)


async def reopen(
    session: AsyncSession, obligation_id: UUID, reason: str, *, caller: Principal, at: datetime
) -> Obligation:
    """It was closed by mistake: it goes on with the time that was left then, and what had fired stays fired."""
    row, duty, rule, known_calendar = await taken(session, obligation_id, is_open=False)
    if duty.state == "open" or duty.closed_at is None:
        raise Conflict("Обязанность и так в работе.")
    rival = select(Obligation.id).where(
        Obligation.subject_id == duty.subject_id, Obligation.duty == duty.duty, Obligation.state == "open"
    )
    if (await session.execute(rival)).first() is not None:
        raise Conflict("По этому предмету уже открыта такая же обязанность.")
    changes = Changes()
    go_on(changes, duty, rule, known_calendar, at=at)
    return await store(session, changes, row, "reopened", reason, caller, at)


async def complete(
    session: AsyncSession, obligation_id: UUID, comment: str, *, caller: Principal, at: datetime
) -> Obligation:
    """A person says that it is done, where no event of the system could (RPT-01…06, HR-02, HR-03)."""
    row, duty, rule, known_calendar = await taken(session, obligation_id)
    if not rule.by_hand:
        raise Forbidden("Эта обязанность закрывается самим действием, а не отметкой.")
    if duty.responsible_staff_id not in (None, caller.id) and caller.role not in (*SENIORS, Role.HEAD_OFFICE):
        raise Forbidden("Отметить выполнение может ответственный или его руководитель.")
    changes = Changes()
    go_on_if_over(changes, duty, rule, known_calendar, at, at=at)
    close(changes, duty, "done", at, at=at)
    return await store(session, changes, row, "done", comment, caller, at)
