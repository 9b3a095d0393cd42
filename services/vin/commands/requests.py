"""Place requests for parts by VIN or FRAME, by the client or by staff for a client (VIN-01, VIN-02)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.vin.models.projections import Client, GarageVehicle
from services.vin.models.requests import RequestCounter, RequestLine, VinRequest
from services.vin.schemas.requests import NewRequest, NewVehicle
from shared.base.errors import BusinessError, Invalid, NotFound
from shared.contracts.clients import Vehicle
from shared.contracts.vin import RequestedPart, VinRequestSubmitted
from shared.identity.roles import Principal, Role
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.runtime.audit import audit
from shared.vocabulary.vehicles import ParsedNumber, UnreadableNumber, read_frame, read_vin


class ClientInactive(BusinessError):
    """The client's account is disabled."""

    code = "client-inactive"
    title = "Учётная запись клиента отключена"


class UnreadableVehicleNumber(Invalid):
    """The number is no VIN and no FRAME; `suggestion`, if any, is what was probably meant."""

    code = "unreadable-vehicle-number"
    title = "Номер автомобиля не читается"


async def place_request(session: AsyncSession, body: NewRequest, *, caller: Principal, at: datetime) -> VinRequest:
    """Place a request (VIN-01, VIN-02); its event notifies the office and starts the clock of the answer (VIN-05).

    Raises NotFound, ClientInactive, UnreadableVehicleNumber.
    """
    client_id, office_id = await _client(session, body.client_id, caller)
    vehicle, correction = await _vehicle(session, body, client_id)
    request = VinRequest(
        id=new_id(),
        office_id=office_id,
        client_id=client_id,
        number=await _next_number(session, office_id),
        **vehicle.model_dump(),
        correction=correction,
        preference=body.preference.value,
        submitted_at=at,
        submitted_by=caller.id,
        changed_at=at,
        answers=[],
        lines=[
            RequestLine(
                id=new_id(),
                office_id=office_id,
                client_id=client_id,
                ordinal=ordinal,
                text=part.text,
                quantity=part.quantity,
            )
            for ordinal, part in enumerate(body.parts, start=1)
        ],
    )
    session.add(request)
    await session.flush()
    await publish(
        session,
        VinRequestSubmitted(
            office_id=office_id,
            version=request.version,
            occurred_at=at,
            request_id=request.id,
            number=request.number,
            client_id=client_id,
            vehicle=vehicle,
            preference=body.preference.value,
            parts=[RequestedPart(line_id=line.id, text=line.text, quantity=line.quantity) for line in request.lines],
            submitted_at=at,
        ),
    )
    await audit(session, "vin_request.submitted", subject=f"vin_request/{request.id}", office_id=office_id)
    return request


async def _client(session: AsyncSession, client_id: UUID | None, caller: Principal) -> tuple[UUID, UUID]:
    """Return the client whom the request is for, and the client's office.

    A client who has just registered may be unknown here yet; the token suffices.
    """
    if caller.role == Role.CLIENT:
        assert caller.office_id is not None, "a client belongs to an office"
        if client_id not in (None, caller.id):
            raise NotFound("Такого клиента нет.")
        client = await session.scalar(select(Client).where(Client.client_id == caller.id))
        known = caller.id, caller.office_id
    else:
        if client_id is None:
            raise Invalid("Укажите клиента, для которого составляется запрос.", field="client_id")
        client = await session.scalar(select(Client).where(Client.client_id == client_id))
        if client is None:
            raise NotFound("Такого клиента нет.")
        known = client.client_id, client.office_id
    if client is not None and not client.active:
        raise ClientInactive("Учётная запись клиента отключена: запросы не принимаются.")
    return known


async def _vehicle(session: AsyncSession, body: NewRequest, client_id: UUID) -> tuple[Vehicle, str | None]:
    """Return the car, and in Russian which letters of its number were repaired.

    A car that the client's garage or an earlier request has by this number keeps its id (VIN-10).
    """
    if body.vehicle is None:
        in_garage = GarageVehicle.client_id == client_id, GarageVehicle.vehicle_id == body.vehicle_id
        kept = await session.scalar(select(GarageVehicle).where(*in_garage))
        if kept is None:
            raise NotFound("Такого автомобиля в гараже клиента нет.")
        return Vehicle.model_validate(kept, from_attributes=True), None
    vin, frame = _readings(body.vehicle)
    numbers = {"vin": vin.value if vin else None, "frame": frame.value if frame else None}
    known = await _known_vehicle(session, client_id, **numbers)
    typed = {**body.vehicle.model_dump(), **numbers}
    vehicle = Vehicle(
        vehicle_id=known.vehicle_id if known else new_id(),
        **{name: value if value is not None else getattr(known, name, None) for name, value in typed.items()},
    )
    explanations = [text for reading in (vin, frame) if reading and (text := reading.explanation())]
    return vehicle, " ".join(explanations) or None


def _readings(vehicle: NewVehicle) -> tuple[ParsedNumber | None, ParsedNumber | None]:
    field = "vehicle.vin"
    try:
        vin = read_vin(vehicle.vin) if vehicle.vin else None
        field = "vehicle.frame"
        return vin, read_frame(vehicle.frame) if vehicle.frame else None
    except UnreadableNumber as error:
        raise UnreadableVehicleNumber(error.message, field=field, suggestion=error.suggestion) from error


async def _known_vehicle(
    session: AsyncSession, client_id: UUID, *, vin: str | None, frame: str | None
) -> GarageVehicle | VinRequest | None:
    """Find the number in the garage or, until the garage's event arrives, in an earlier request."""
    # A comparison with None would match the cars that have no such number.
    numbers = [(name, number) for name, number in (("vin", vin), ("frame", frame)) if number is not None]
    kept = select(GarageVehicle).where(
        GarageVehicle.client_id == client_id, or_(*(getattr(GarageVehicle, name) == number for name, number in numbers))
    )
    if found := await session.scalar(kept.order_by(GarageVehicle.vehicle_id.desc()).limit(1)):
        return found
    asked = select(VinRequest).where(
        VinRequest.client_id == client_id, or_(*(getattr(VinRequest, name) == number for name, number in numbers))
    )
    return await session.scalar(asked.order_by(VinRequest.submitted_at.desc()).limit(1))


async def _next_number(session: AsyncSession, office_id: UUID) -> str:
    counted = insert(RequestCounter).values(office_id=office_id, last=1)
    last = await session.scalar(
        counted.on_conflict_do_update(index_elements=["office_id"], set_={"last": RequestCounter.last + 1}).returning(
            RequestCounter.last
        )
    )
    return f"{last:06d}"
