"""Consumers that keep copies of other services' data."""

from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.vin.models.projections import Client, ClientCall, GarageVehicle, ObligationProjection
from shared.contracts.clients import CallLogged, ClientChanged, ClientRegistered, VehicleSaved
from shared.contracts.notifier import ObligationBreached, ObligationClosed, ObligationFacts, ObligationOpened
from shared.messaging import Consumers, project

consumers = Consumers("vin")


@consumers.on(ClientRegistered)
async def project_new_client(event: ClientRegistered, session: AsyncSession) -> None:
    await _project_client(event, session)


@consumers.on(ClientChanged)
async def project_changed_client(event: ClientChanged, session: AsyncSession) -> None:
    await _project_client(event, session)


async def _project_client(event: ClientRegistered | ClientChanged, session: AsyncSession) -> None:
    values = {"office_id": event.office_id, "full_name": event.full_name, "active": event.active}
    await project(session, Client, {"client_id": event.client_id}, version=event.version, values=values)


@consumers.on(VehicleSaved)
async def project_vehicle(event: VehicleSaved, session: AsyncSession) -> None:
    values = event.vehicle.model_dump(exclude={"vehicle_id"})
    values |= {"office_id": event.office_id, "client_id": event.client_id}
    await project(
        session, GarageVehicle, {"vehicle_id": event.vehicle.vehicle_id}, version=event.version, values=values
    )


@consumers.on(CallLogged)
async def project_call(event: CallLogged, session: AsyncSession) -> None:
    """VIN-07 asks whether the client's phone was answered."""
    call = insert(ClientCall).values(
        call_id=event.call_id,
        office_id=event.office_id,
        client_id=event.client_id,
        outcome=event.outcome,
        called_at=event.called_at,
    )
    await session.execute(call.on_conflict_do_nothing())


@consumers.on(ObligationOpened)
async def project_obligation(event: ObligationOpened, session: AsyncSession) -> None:
    await _project_obligation(event, event.office_id, event.version, session, breached=False, closed=False)


@consumers.on(ObligationBreached)
async def project_breach(event: ObligationBreached, session: AsyncSession) -> None:
    await _project_obligation(event, event.office_id, event.version, session, breached=True, closed=False)


@consumers.on(ObligationClosed)
async def project_closed_obligation(event: ObligationClosed, session: AsyncSession) -> None:
    await _project_obligation(event, event.office_id, event.version, session, breached=event.breached, closed=True)


async def _project_obligation(
    facts: ObligationFacts, office_id: UUID, version: int, session: AsyncSession, *, breached: bool, closed: bool
) -> None:
    """Keep the deadlines of requests (VIN-05); other obligations do not concern this service."""
    if facts.subject_kind != "vin_request":
        return
    values: dict[str, Any] = {
        "office_id": office_id,
        "request_id": facts.subject_id,
        "due_at": facts.due_at,
        "breached": breached,
        "closed": closed,
    }
    await project(session, ObligationProjection, {"obligation_id": facts.obligation_id}, version=version, values=values)
