"""What was handed over."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from fastapi import Response
from sqlalchemy import select

from services.orders.models import Position, Shipment
from services.orders.queries.positions import show_positions
from services.orders.schemas.positions import PositionOut
from shared.base.clock import now
from shared.base.errors import NotFound
from shared.identity.roles import EVERYONE
from shared.web import Caller, Output, Page, PageRequest, Session, allow, paginate, service_router, set_etag

router = service_router("Отгрузки")


class ShipmentSummary(Output):
    id: UUID
    number: str
    office_id: UUID
    client_id: UUID
    total: Decimal
    disclosures: list[str]
    issued_by: UUID
    issued_at: datetime
    version: int


class ShipmentOut(ShipmentSummary):
    positions: list[PositionOut]


@router.get("/shipments", summary="Отгрузки", dependencies=[allow(*EVERYONE)])
async def list_shipments(
    session: Session, page: PageRequest, client_id: UUID | None = None, office_id: UUID | None = None
) -> Page[ShipmentSummary]:
    """Новые сверху; «расходную накладную» печатает служба денег (ORD-10, BILL-05)."""
    query = select(Shipment)
    if client_id is not None:
        query = query.where(Shipment.client_id == client_id)
    if office_id is not None:
        query = query.where(Shipment.office_id == office_id)
    found, following = await paginate(session, query, page, key=(Shipment.issued_at.desc(), Shipment.id.desc()))
    return Page(items=[ShipmentSummary.model_validate(shipment) for shipment in found], next=following.next)


@router.get("/shipments/{shipment_id}", summary="Отгрузка", dependencies=[allow(*EVERYONE)])
async def get_shipment(shipment_id: UUID, session: Session, caller: Caller, response: Response) -> ShipmentOut:
    """Что, кому и кем выдано (ORD-10)."""
    shipment = await session.scalar(select(Shipment).where(Shipment.id == shipment_id))
    if shipment is None:
        raise NotFound("Отгрузка не найдена.")
    set_etag(response, shipment.version)
    positions = await session.scalars(
        select(Position).where(Position.shipment_id == shipment_id).order_by(Position.order_id, Position.line)
    )
    return ShipmentOut(
        **dict(ShipmentSummary.model_validate(shipment)),
        positions=await show_positions(session, list(positions), caller=caller, at=now()),
    )
