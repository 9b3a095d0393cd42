"""«Мой гараж»: the client's vehicles (CL-15, VIN-10)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.models import Client, Vehicle
from services.clients.schemas.work import AddVehicle, ChangeVehicle
from shared.base.errors import Conflict, Invalid, NotFound
from shared.contracts.clients import Vehicle as VehicleFacts
from shared.messaging.outbox import publish
from shared.runtime.audit import audit
from shared.vocabulary.vehicles import ParsedNumber, UnreadableNumber, describe_vin, read_frame, read_vin


class VehicleExists(Conflict):
    """The vehicle is in the garage already."""

    code = "vehicle-exists"
    title = "Автомобиль уже в гараже"


class UnclearNumber(Invalid):
    """`suggestion` is the number that was probably meant; it is stored only when the person sends it."""

    code = "unclear-vehicle-number"
    title = "Проверьте номер автомобиля"


async def add_vehicle(
    session: AsyncSession, client: Client, body: AddVehicle, *, at: datetime
) -> tuple[Vehicle, ParsedNumber]:
    """Add a vehicle by VIN or FRAME; a removed one comes back.

    Raises Invalid, UnclearNumber with a suggestion, VehicleExists.
    """
    reading = _read(body)
    numbers = {"vin": reading.value} if body.vin is not None else {"frame": reading.value}
    details = body.model_dump(include={"make", "model", "year", "engine", "note"}, exclude_none=True)
    if body.vin is not None:
        details = _known_from_vin(reading.value) | details
    vehicle = await _find(session, client.client_id, **numbers)
    if vehicle is not None and vehicle.removed_at is None:
        raise VehicleExists(f"Автомобиль {reading.value} уже есть в гараже.", vehicle_id=str(vehicle.id))
    if vehicle is None:
        vehicle = Vehicle(office_id=client.office_id, client_id=client.client_id, created_at=at, **numbers, **details)
        session.add(vehicle)
    else:
        vehicle.removed_at = None
        for field, value in details.items():
            setattr(vehicle, field, value)
    await session.flush()
    await publish(session, vehicle.saved(at))
    return vehicle, reading


async def change_vehicle(session: AsyncSession, vehicle: Vehicle, body: ChangeVehicle, *, at: datetime) -> Vehicle:
    """Change a vehicle; its number identifies it and stays."""
    for field, value in body.model_dump(exclude_unset=True).items():
        setattr(vehicle, field, value)
    if session.is_modified(vehicle):
        await session.flush()
        await publish(session, vehicle.saved(at))
    return vehicle


async def remove_vehicle(session: AsyncSession, vehicle: Vehicle, *, at: datetime) -> None:
    """Remove a vehicle from the garage; orders and requests that name it can still read it."""
    vehicle.removed_at = at
    await session.flush()
    await audit(session, "vehicle.removed", subject=f"vehicle/{vehicle.id}", office_id=vehicle.office_id)


async def keep_vehicle(session: AsyncSession, client_id: UUID, facts: VehicleFacts, *, at: datetime) -> Vehicle | None:
    """Put the vehicle of a request into the garage (VIN-10); return None when nothing changed."""
    client = await session.get(Client, client_id)
    if client is None or (facts.vin is None and facts.frame is None):
        return None
    vehicle = await session.get(Vehicle, facts.vehicle_id) or await _find(
        session, client_id, vin=facts.vin, frame=facts.frame
    )
    if vehicle is None:
        vehicle = Vehicle(
            id=facts.vehicle_id,
            office_id=client.office_id,
            client_id=client_id,
            created_at=at,
            **facts.model_dump(exclude={"vehicle_id"}),
        )
        session.add(vehicle)
    elif vehicle.removed_at is not None:
        vehicle.removed_at = None
    else:
        return None
    await session.flush()
    await publish(session, vehicle.saved(at))
    return vehicle


async def get_vehicle(session: AsyncSession, vehicle_id: UUID) -> Vehicle:
    """Return a vehicle of the garage.  Raises NotFound, also for another client's and for a removed one."""
    vehicle = await session.get(Vehicle, vehicle_id)
    if vehicle is None or vehicle.removed_at is not None:
        raise NotFound("Автомобиль не найден.")
    return vehicle


def _read(body: AddVehicle) -> ParsedNumber:
    if (body.vin is None) == (body.frame is None):
        raise Invalid("Укажите VIN или FRAME, одно из двух.", field="vin")
    try:
        return read_vin(body.vin) if body.vin is not None else read_frame(body.frame or "")
    except UnreadableNumber as error:
        field = "vin" if body.vin is not None else "frame"
        raise UnclearNumber(error.message, field=field, suggestion=error.suggestion) from error


def _known_from_vin(vin: str) -> dict[str, Any]:
    facts = describe_vin(vin)
    known: dict[str, Any] = {}
    if facts.manufacturer is not None:
        known["make"] = facts.manufacturer
    if len(facts.years) == 1:
        known["year"] = facts.years[0]
    return known


async def _find(
    session: AsyncSession, client_id: UUID, *, vin: str | None = None, frame: str | None = None
) -> Vehicle | None:
    """Return the vehicle with either number; where there are two, the one with the VIN."""
    same = or_(*(column == number for column, number in ((Vehicle.vin, vin), (Vehicle.frame, frame)) if number))
    by_vin = (Vehicle.vin == vin).desc().nulls_last()
    found = select(Vehicle).where(Vehicle.client_id == client_id, same).order_by(by_vin).limit(1).with_for_update()
    return await session.scalar(found)
