"""Events that `clients` reacts to."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.commands import consents, contacts, garage
from services.clients.domain.call_log import goal_of_rule
from services.clients.models import Client, ObligationProjection, Office, StaffMember
from shared.base.clock import now
from shared.contracts.control import OfficeChanged, StaffChanged
from shared.contracts.notifier import (
    ConsentWithdrawn,
    ObligationBreached,
    ObligationClosed,
    ObligationLimitReached,
    ObligationOpened,
    ObligationWarned,
)
from shared.contracts.orders import OrderPlaced
from shared.contracts.vin import VinRequestSubmitted
from shared.messaging import NO_OFFICE, Consumers, project

consumers = Consumers("clients")

ObligationEvent = ObligationOpened | ObligationWarned | ObligationBreached | ObligationClosed


@consumers.on(OfficeChanged)
async def project_office(event: OfficeChanged, session: AsyncSession) -> None:
    await project(
        session,
        Office,
        {"id": event.office_id},
        version=event.version,
        values={
            "name": event.name,
            "city": event.city,
            "address": event.address,
            "time_zone": event.time_zone,
            "phones": event.phones,
            "email": event.email,
            "legal_name": event.requisites.legal_name,
            "courier_delivery": event.courier_delivery,
            "active": event.active,
        },
    )


@consumers.on(StaffChanged)
async def project_staff(event: StaffChanged, session: AsyncSession) -> None:
    """CL-10: who of an office can be a responsible manager. Whoever left for head office serves no clients."""
    await project(
        session,
        StaffMember,
        {"id": event.staff_id},
        version=event.version,
        values={
            "office_id": event.office_id or NO_OFFICE,
            "full_name": event.full_name,
            "role": event.role,
            "phone": event.phone,
            "email": event.email,
            "active": event.active and event.office_id is not None,
        },
    )


@consumers.on(ObligationOpened)
async def project_opened_obligation(event: ObligationOpened, session: AsyncSession) -> None:
    await _project_obligation(session, event, warned=False, breached=False, is_open=True)


@consumers.on(ObligationWarned)
async def project_warned_obligation(event: ObligationWarned, session: AsyncSession) -> None:
    await _project_obligation(session, event, warned=True, breached=False, is_open=True)


@consumers.on(ObligationBreached)
async def project_breached_obligation(event: ObligationBreached, session: AsyncSession) -> None:
    await _project_obligation(session, event, warned=True, breached=True, is_open=True)


@consumers.on(ObligationClosed)
async def project_closed_obligation(event: ObligationClosed, session: AsyncSession) -> None:
    await _project_obligation(session, event, warned=True, breached=event.breached, is_open=False)


@consumers.on(ObligationLimitReached)
async def act_on_limit(event: ObligationLimitReached, session: AsyncSession) -> None:
    """CL-06: the notifier asks to disable; the command looks at the card as it is now."""
    if event.action == "disable_client" and event.subject_kind == "client":
        await contacts.disable_for_contacts(session, event.subject_id, obligation_opened_at=event.opened_at, at=now())


@consumers.on(ConsentWithdrawn)
async def withdraw_consent(event: ConsentWithdrawn, session: AsyncSession) -> None:
    """The client followed the link in a letter or answered «СТОП»."""
    await consents.withdraw_unless_given_since(session, event.client_id, event.purpose, at=event.withdrawn_at)


@consumers.on(VinRequestSubmitted)
async def keep_vehicle(event: VinRequestSubmitted, session: AsyncSession) -> None:
    """VIN-10: the vehicle is kept in the client's garage."""
    await garage.keep_vehicle(session, event.client_id, event.vehicle, at=now())


@consumers.on(OrderPlaced)
async def record_first_order(event: OrderPlaced, session: AsyncSession) -> None:
    """CALL-04: whoever has ordered is not on the cold list."""
    await session.execute(
        update(Client)
        .where(Client.client_id == event.client_id, Client.first_order_at.is_(None))
        .values(first_order_at=event.placed_at),
        execution_options={"synchronize_session": False},
    )


async def _project_obligation(
    session: AsyncSession, event: ObligationEvent, *, warned: bool, breached: bool, is_open: bool
) -> None:
    """Project one event: each carries the whole obligation, so they may come in any order and some may be missing."""
    goal = goal_of_rule(event.rule_code, event.clause)
    client_id = event.client_id or (event.subject_id if event.subject_kind == "client" else None)
    if goal is None or client_id is None:
        return
    await project(
        session,
        ObligationProjection,
        {"id": event.obligation_id},
        version=event.version,
        values={
            "office_id": event.office_id,
            "client_id": client_id,
            "rule_code": event.rule_code,
            "clause": event.clause,
            "goal": goal,
            "subject_kind": event.subject_kind,
            "subject_id": event.subject_id,
            "responsible_staff_id": event.responsible_staff_id,
            "opened_at": event.opened_at,
            "due_at": event.due_at,
            "warned": warned,
            "breached": breached,
            "open": is_open,
        },
    )
