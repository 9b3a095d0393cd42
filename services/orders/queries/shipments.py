"""Read shipments (ORD-10)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.models import Position, Shipment
from services.orders.queries.positions import show_positions
from services.orders.schemas.shipments import ShipmentOut, ShipmentSummary
from shared.base.errors import NotFound
from shared.identity.roles import Principal

NEWEST_FIRST = (Shipment.issued_at.desc(), Shipment.id.desc())


def shipments_matching(*, client_id: UUID | None, office_id: UUID | None) -> Select[Any]:
    """Select shipments; None narrows nothing."""
    query = select(Shipment)
    if client_id is not None:
        query = query.where(Shipment.client_id == client_id)
    if office_id is not None:
        query = query.where(Shipment.office_id == office_id)
    return query


async def find_shipment(session: AsyncSession, shipment_id: UUID) -> Shipment:
    """Return one shipment of the caller's scope.  Raises NotFound."""
    shipment = await session.scalar(select(Shipment).where(Shipment.id == shipment_id))
    if shipment is None:
        raise NotFound("Отгрузка не найдена.")
    return shipment


async def show_shipment(session: AsyncSession, shipment: Shipment, *, caller: Principal, at: datetime) -> ShipmentOut:
    """Return a shipment with the positions that were handed over."""
    positions = await session.scalars(
        select(Position).where(Position.shipment_id == shipment.id).order_by(Position.order_id, Position.line)
    )
    return ShipmentOut(
        **dict(ShipmentSummary.model_validate(shipment)),
        positions=await show_positions(session, list(positions), caller=caller, at=at),
    )
