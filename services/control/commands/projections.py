"""Project the other services' facts for the board and the reports."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.control.domain.statistics import month_of
from services.control.models.offices import Office
from services.control.models.projections import Call, Inquiry, MonthlyTurnover, ObligationProjection
from shared.contracts.billing import PaymentReceived
from shared.contracts.clients import CallLogged
from shared.contracts.notifier import (
    CalendarDutyChanged,
    ObligationBreached,
    ObligationClosed,
    ObligationOpened,
    ObligationWarned,
)
from shared.contracts.orders import InquiryRecorded, InquiryStatusChanged
from shared.messaging import project

HEAD_OFFICE_ZONE = ZoneInfo("Europe/Moscow")
"""The zone of a payment to an office that this database does not have, after a restored backup."""


async def record_inquiry(session: AsyncSession, event: InquiryRecorded) -> None:
    """Store an inquiry (INQ-01).

    The channel, goods and time never change, so they are filled in even after a later status arrived.
    """
    fixed: dict[str, Any] = {
        "channel": event.channel,
        "items": list(event.items),
        "recorded_at": event.recorded_at,
    }
    moving: dict[str, Any] = {
        "staff_id": event.staff_id,
        "mark": event.mark,
        "status": event.status,
        "lost_reason": event.lost_reason_label or event.lost_reason,
        "version": event.version,
    }
    statement = insert(Inquiry).values(inquiry_id=event.inquiry_id, office_id=event.office_id, **fixed, **moving)
    newer = Inquiry.version < event.version
    newest = {name: case((newer, statement.excluded[name]), else_=getattr(Inquiry, name)) for name in moving}
    await session.execute(statement.on_conflict_do_update(index_elements=["inquiry_id"], set_={**fixed, **newest}))


async def change_inquiry(session: AsyncSession, event: InquiryStatusChanged) -> None:
    """Store the status of an inquiry (INQ-03)."""
    await project(
        session,
        Inquiry,
        {"inquiry_id": event.inquiry_id},
        version=event.version,
        values={
            "office_id": event.office_id,
            "staff_id": event.staff_id,
            "mark": event.mark,
            "status": event.status,
            "lost_reason": event.lost_reason_label or event.lost_reason,
        },
    )


async def record_call(session: AsyncSession, event: CallLogged) -> None:
    """Store a call of the log (CL-11), which never changes."""
    await session.execute(
        insert(Call)
        .values(
            call_id=event.call_id,
            office_id=event.office_id,
            staff_id=event.staff_id,
            outcome=event.outcome,
            rating=event.rating,
            called_at=event.called_at,
        )
        .on_conflict_do_nothing()
    )


async def add_turnover(session: AsyncSession, event: PaymentReceived) -> None:
    """Add a payment to the month of the office's own calendar (ORG-03, K12).

    The inbox lets each payment through once.
    """
    zone = await session.scalar(select(Office.time_zone).where(Office.office_id == event.office_id))
    local_day = event.received_at.astimezone(ZoneInfo(zone) if zone else HEAD_OFFICE_ZONE).date()
    statement = insert(MonthlyTurnover).values(
        office_id=event.office_id, month=month_of(local_day), amount=event.amount
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["office_id", "month"],
            set_={"amount": MonthlyTurnover.amount + statement.excluded.amount},
        )
    )


async def project_obligation(
    session: AsyncSession, event: ObligationOpened | ObligationWarned | ObligationBreached | ObligationClosed
) -> None:
    """Project one generation: a superseded one stays countable beside its successor."""
    values = _facts(event)
    match event:
        case ObligationOpened():
            values["state"] = "open"
        case ObligationWarned():
            values["state"] = "warned"
        case ObligationBreached():
            values |= {"state": "breached", "breached_at": event.breached_at}
        case ObligationClosed():
            values |= {"state": "closed", "outcome": event.outcome, "closed_at": event.closed_at}
            if not event.breached:  # Closed in time; the event arrived after the deadline.
                values["breached_at"] = None
    key = {"obligation_id": event.obligation_id, "generation": event.generation}
    await project(session, ObligationProjection, key, version=event.version, values=values)
    if isinstance(event, ObligationBreached):
        await _store_breach(session, event, event.breached_at)


async def project_calendar_obligation(session: AsyncSession, event: CalendarDutyChanged) -> None:
    """Project a calendar duty into the same rows; every event carries its whole state."""
    closed = event.happened in ("done", "cancelled", "superseded")
    values = _facts(event) | {
        "state": {"opened": "open", "warned": "warned", "breached": "breached"}.get(event.happened, "closed"),
        "breached_at": event.due_at if event.breached else None,
        "closed_at": event.closed_at,
        "outcome": event.happened if closed else None,
    }
    key = {"obligation_id": event.obligation_id, "generation": event.generation}
    await project(session, ObligationProjection, key, version=event.version, values=values)
    if event.happened == "breached":
        await _store_breach(session, event, event.due_at)


def _facts(
    event: ObligationOpened | ObligationWarned | ObligationBreached | ObligationClosed | CalendarDutyChanged,
) -> dict[str, Any]:
    """Return what every event of an obligation carries."""
    return {
        "office_id": event.office_id,
        "rule_code": event.rule_code,
        "clause": event.clause,
        "responsible_staff_id": event.responsible_staff_id,
        "opened_at": event.opened_at,
        "due_at": event.due_at,
    }


async def _store_breach(
    session: AsyncSession, event: ObligationBreached | CalendarDutyChanged, breached_at: datetime
) -> None:
    """Store a breach, also when it arrives after the closing, unless the obligation was closed in time."""
    await session.execute(
        update(ObligationProjection)
        .where(
            ObligationProjection.obligation_id == event.obligation_id,
            ObligationProjection.generation == event.generation,
            ObligationProjection.breached_at.is_(None),
            or_(ObligationProjection.closed_at.is_(None), ObligationProjection.closed_at > ObligationProjection.due_at),
        )
        .values(breached_at=breached_at)
    )
