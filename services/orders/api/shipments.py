"""Routes of shipments."""

from uuid import UUID

from fastapi import Response

from services.orders.queries import shipments as queries
from services.orders.schemas.shipments import ShipmentOut, ShipmentSummary
from shared.base.clock import now
from shared.identity.roles import EVERYONE
from shared.web import Caller, Page, PageRequest, Session, allow, paginate, service_router, set_etag

router = service_router("Отгрузки")


@router.get("/shipments", summary="Отгрузки", dependencies=[allow(*EVERYONE)])
async def list_shipments(
    session: Session, page: PageRequest, client_id: UUID | None = None, office_id: UUID | None = None
) -> Page[ShipmentSummary]:
    """Новые сверху; «расходную накладную» печатает служба денег (ORD-10, BILL-05)."""
    query = queries.shipments_matching(client_id=client_id, office_id=office_id)
    found, following = await paginate(session, query, page, key=queries.NEWEST_FIRST)
    return Page(items=[ShipmentSummary.model_validate(shipment) for shipment in found], next=following.next)


@router.get("/shipments/{shipment_id}", summary="Отгрузка", dependencies=[allow(*EVERYONE)])
async def get_shipment(shipment_id: UUID, session: Session, caller: Caller, response: Response) -> ShipmentOut:
    """Что, кому и кем выдано (ORD-10)."""
    shipment = await queries.find_shipment(session, shipment_id)
    set_etag(response, shipment.version)
    return await queries.show_shipment(session, shipment, caller=caller, at=now())
