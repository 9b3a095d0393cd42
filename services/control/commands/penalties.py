"""Impose and withdraw penalty points (HR-03), and put figures of the regulations in force."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.control.domain.policy import check_value
from services.control.models.penalties import PenaltyEntry, Policy
from services.control.models.projections import ObligationProjection
from services.control.models.staff import Staff
from services.control.schemas.penalties import ImposePenalty, SetPolicy, WithdrawPenalty
from shared.base.errors import BusinessError, Forbidden, Invalid, NotFound
from shared.contracts.notifier import CalendarDutyChanged, ObligationBreached, ObligationClosed
from shared.identity.roles import Principal
from shared.persistence.database import new_id
from shared.runtime.audit import audit


class NotOfAnOffice(BusinessError):
    """Points are for staff of offices only."""

    code = "staff-without-office"
    title = "Штрафные баллы начисляются сотрудникам офисов"


async def impose_penalty(
    session: AsyncSession, body: ImposePenalty, *, caller: Principal, at: datetime
) -> PenaltyEntry:
    """Impose points for a mistake that a senior, a director or head office saw (HR-03).

    Raises Invalid for an unknown employee, Forbidden for oneself, NotOfAnOffice.
    """
    staff = await session.scalar(select(Staff).where(Staff.id == body.staff_id))
    if staff is None:
        raise Invalid("Такого сотрудника нет.", field="staff_id")
    if staff.id == caller.id:
        raise Forbidden("Себе баллы не начисляют.")
    if staff.office_id is None:
        raise NotOfAnOffice(f"{staff.full_name} не относится к офису.")
    entry = PenaltyEntry(
        id=new_id(),
        office_id=staff.office_id,
        staff_id=staff.id,
        points=body.points,
        clause=body.clause,
        reason=body.reason,
        imposed_by=caller.id,
        imposed_at=at,
    )
    session.add(entry)
    await session.flush()
    await audit(
        session,
        "penalty.imposed",
        subject=f"penalty/{entry.id}",
        office_id=entry.office_id,
        details={"staff_id": str(staff.id), "points": body.points, "clause": body.clause},
    )
    return entry


async def withdraw_penalty(
    session: AsyncSession, entry_id: UUID, body: WithdrawPenalty, *, caller: Principal, at: datetime
) -> PenaltyEntry:
    """Withdraw points with a reason; the entry stays visible.  Raises NotFound, Forbidden for one's own, Conflict."""
    entry = await session.scalar(select(PenaltyEntry).where(PenaltyEntry.id == entry_id).with_for_update())
    if entry is None:
        raise NotFound("Такой записи о баллах нет.")
    if entry.staff_id == caller.id:
        raise Forbidden("Собственные баллы снимает кто-то другой.")
    entry.withdraw(caller.id, body.reason, at)
    await session.flush()
    await audit(session, "penalty.withdrawn", subject=f"penalty/{entry.id}", office_id=entry.office_id)
    return entry


async def impose_for_breach(session: AsyncSession, event: ObligationBreached) -> None:
    """Impose the points that the rule names, once per generation of the obligation (HR-03)."""
    subject = {"subject_kind": event.subject_kind, "subject_id": event.subject_id}
    await _impose(session, event, f"Просрочена обязанность {event.rule_code}", event.breached_at, **subject)


async def impose_for_report(session: AsyncSession, event: CalendarDutyChanged) -> None:
    """Impose the points of a calendar duty: a report, a daily check (HR-03)."""
    await _impose(session, event, f"Просрочена обязанность {event.rule_code}: {event.label}", event.due_at)


async def withdraw_unfounded(session: AsyncSession, event: ObligationClosed | CalendarDutyChanged) -> None:
    """Withdraw what the clock imposed when a later event shows that the obligation was met in time."""
    if event.occurred_at < event.due_at:
        return  # Nothing can have been imposed yet.
    mine = (PenaltyEntry.obligation_id == event.obligation_id) & (PenaltyEntry.generation == event.generation)
    in_force = mine & PenaltyEntry.imposed_by.is_(None) & PenaltyEntry.withdrawn_at.is_(None)
    withdrawal = {
        "withdrawn_at": event.occurred_at,
        "withdrawal_reason": "Выполнено в срок, об этом стало известно позже.",
    }
    await session.execute(update(PenaltyEntry).where(in_force).values(**withdrawal, version=PenaltyEntry.version + 1))


async def _impose(
    session: AsyncSession, event: ObligationBreached | CalendarDutyChanged, reason: str, at: datetime, **subject: Any
) -> None:
    if event.penalty_points < 1:
        return
    in_time = select(ObligationProjection.obligation_id).where(
        ObligationProjection.obligation_id == event.obligation_id,
        ObligationProjection.generation == event.generation,
        ObligationProjection.closed_at <= ObligationProjection.due_at,
    )
    if await session.scalar(in_time) is not None:
        return
    await session.execute(
        insert(PenaltyEntry)
        .values(
            id=new_id(),
            office_id=event.office_id,
            staff_id=event.responsible_staff_id,
            points=event.penalty_points,
            clause=event.clause,
            reason=reason,
            obligation_id=event.obligation_id,
            generation=event.generation,
            imposed_at=at,
            version=1,
            **subject,
        )
        .on_conflict_do_nothing(index_elements=["obligation_id", "generation"])
    )


async def set_policy(session: AsyncSession, body: SetPolicy, *, caller: Principal, at: datetime) -> None:
    """Put a figure in force from a date on, replacing the one of that date.  Raises Invalid."""
    check_value(body.code, body.value)
    values = {"value": body.value, "set_by": caller.id, "set_at": at}
    await session.execute(
        insert(Policy)
        .values(code=body.code.value, effective_from=body.effective_from, **values)
        .on_conflict_do_update(index_elements=["code", "effective_from"], set_=values)
    )
    await audit(
        session,
        "policy.set",
        subject=f"policy/{body.code.value}",
        office_id=None,
        details={"effective_from": body.effective_from.isoformat(), "value": str(body.value)},
    )
