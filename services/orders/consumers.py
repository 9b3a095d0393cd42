"""Consumers of other services' events.  Each has one small effect; the inbox lets it happen once."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.commands.letters import letter_answered, record_letter
from services.orders.commands.orders import take_payment
from services.orders.commands.removal import remove_unattended
from services.orders.domain.numbers import office_prefix
from services.orders.models import Balance, Client, Office, Staff, Vehicle, VinAnswer
from shared.base.clock import now
from shared.contracts.billing import BalanceChanged, OrderPaid
from shared.contracts.clients import ClientChanged, ClientRegistered, VehicleSaved
from shared.contracts.control import OfficeChanged, StaffChanged
from shared.contracts.notifier import MailAnswered, MailReceived, ObligationLimitReached
from shared.contracts.vin import VinRequestAnswered
from shared.messaging import NO_OFFICE, Consumers, project

consumers = Consumers("orders")


@consumers.on(OfficeChanged)
async def project_office(event: OfficeChanged, session: AsyncSession) -> None:
    """The prefix of the office's numbers, and whether it delivers (ORD-18)."""
    await project(
        session,
        Office,
        {"office_id": event.office_id},
        version=event.version,
        values={
            "name": event.name,
            "prefix": office_prefix(event.name),
            "courier_delivery": event.courier_delivery,
            "active": event.active,
        },
    )


@consumers.on(StaffChanged)
async def project_staff(event: StaffChanged, session: AsyncSession) -> None:
    """ORG-03 needs to know whether an office has a director.  Whoever is in head office works in no office."""
    await project(
        session,
        Staff,
        {"staff_id": event.staff_id},
        version=event.version,
        values={
            "office_id": event.office_id or NO_OFFICE,
            "full_name": event.full_name,
            "role": event.role,
            "active": event.active and event.office_id is not None,
        },
    )


async def _project_client(event: ClientRegistered | ClientChanged, session: AsyncSession) -> None:
    await project(
        session,
        Client,
        {"client_id": event.client_id},
        version=event.version,
        values={
            "office_id": event.office_id,
            "full_name": event.full_name,
            "name_verified": event.name_verified,
            "organization_name": event.organization_name,
            "kind": event.kind,
            "category": event.category,
            "phone": event.phone,
            "city": event.city,
            "manager_id": event.manager_id,
            "active": event.active,
        },
    )


@consumers.on(ClientRegistered)
async def project_new_client(event: ClientRegistered, session: AsyncSession) -> None:
    """Name, category and kind of a client."""
    await _project_client(event, session)


@consumers.on(ClientChanged)
async def project_changed_client(event: ClientChanged, session: AsyncSession) -> None:
    """The card changed; an older change that comes late changes nothing."""
    await _project_client(event, session)


@consumers.on(VehicleSaved)
async def project_vehicle(event: VehicleSaved, session: AsyncSession) -> None:
    """A car of the garage (CL-15), to be named with an order."""
    await project(
        session,
        Vehicle,
        {"vehicle_id": event.vehicle.vehicle_id},
        version=event.version,
        values={
            "office_id": event.office_id,
            "client_id": event.client_id,
            "facts": event.vehicle.model_dump(mode="json"),
        },
    )


@consumers.on(VinRequestAnswered)
async def project_vin_answer(event: VinRequestAnswered, session: AsyncSession) -> None:
    """Its lines can go into the basket with one action (VIN-10); its car is known even before the garage says so."""
    vehicle = event.vehicle.model_dump(mode="json")
    await project(
        session,
        VinAnswer,
        {"request_id": event.request_id},
        version=event.version,
        values={
            "office_id": event.office_id,
            "client_id": event.client_id,
            "number": event.number,
            "vehicle": vehicle,
            "lines": [line.model_dump(mode="json") for line in event.lines],
            "answered_by": event.answered_by,
            "answered_at": event.answered_at,
        },
    )
    await session.execute(
        insert(Vehicle)
        .values(
            vehicle_id=event.vehicle.vehicle_id,
            office_id=event.office_id,
            client_id=event.client_id,
            facts=vehicle,
            version=0,
        )
        .on_conflict_do_nothing()
    )


@consumers.on(BalanceChanged)
async def project_balance(event: BalanceChanged, session: AsyncSession) -> None:
    """BILL-04: the balance is visible wherever the client's orders are."""
    await project(
        session,
        Balance,
        {"client_id": event.client_id},
        version=event.version,
        values={
            "office_id": event.office_id,
            "balance": event.balance,
            "held": event.held,
            "available": event.available,
        },
    )


@consumers.on(OrderPaid)
async def mark_paid(event: OrderPaid, session: AsyncSession) -> None:
    """Paid positions may go to the supplier (ORD-12)."""
    await take_payment(session, event.order_id, event.position_ids, at=event.paid_at)


@consumers.on(ObligationLimitReached)
async def remove_unattended_order(event: ObligationLimitReached, session: AsyncSession) -> None:
    """ORD-07: the clock of 3 working days ran out.  Other services act on the other actions."""
    if event.action == "remove_order":
        await remove_unattended(session, event.subject_id, at=now())


@consumers.on(MailReceived)
async def record_inquiry_by_letter(event: MailReceived, session: AsyncSession) -> None:
    """INQ-01, CALL-12: a letter to the office is an inquiry, whose answer is due."""
    await record_letter(
        session, event.mail_id, office_id=event.office_id, client_id=event.client_id, at=event.received_at
    )


@consumers.on(MailAnswered)
async def note_answer(event: MailAnswered, session: AsyncSession) -> None:
    """CALL-12: the letter was answered from the system."""
    await letter_answered(session, event.mail_id, staff_id=event.staff_id, at=event.answered_at)
