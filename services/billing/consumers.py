"""Events that `billing` reacts to: offices, clients, orders, claims."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.commands import orders
from services.billing.models.projections import Client, Office
from shared.base.clock import now
from shared.contracts.clients import ClientChanged, ClientRegistered
from shared.contracts.control import OfficeChanged
from shared.contracts.orders import ClaimDecided, GoodsIssued, OrderPlaced, PositionRefused, PositionRemoved
from shared.messaging import Consumers, project

consumers = Consumers("billing")


@consumers.on(OfficeChanged)
async def project_office(event: OfficeChanged, session: AsyncSession) -> None:
    """Requisites, bank accounts and VAT for the documents."""
    values = {"facts": event.model_dump(mode="json")}
    await project(session, Office, {"office_id": event.office_id}, version=event.version, values=values)


@consumers.on(ClientRegistered)
async def project_new_client(event: ClientRegistered, session: AsyncSession) -> None:
    await _project_client(event, session)


@consumers.on(ClientChanged)
async def project_changed_client(event: ClientChanged, session: AsyncSession) -> None:
    await _project_client(event, session)


async def _project_client(event: ClientRegistered | ClientChanged, session: AsyncSession) -> None:
    values = {
        "office_id": event.office_id,
        "full_name": event.full_name,
        "organization_name": event.organization_name,
        "phone": event.phone,
        "active": event.active,
    }
    await project(session, Client, {"client_id": event.client_id}, version=event.version, values=values)


@consumers.on(OrderPlaced)
async def project_order(event: OrderPlaced, session: AsyncSession) -> None:
    """Money on the balance is set aside for the new order."""
    await orders.project_order(session, event, now())


@consumers.on(PositionRemoved)
async def release_removed(event: PositionRemoved, session: AsyncSession) -> None:
    """ORD-07, ORD-08: a removed position costs nothing."""
    await orders.release_position(session, event, reason="removed", at=now())


@consumers.on(PositionRefused)
async def return_prepayment(event: PositionRefused, session: AsyncSession) -> None:
    """BILL-03: money for a part that cannot be supplied goes back to the balance."""
    if event.final:
        await orders.release_position(session, event, reason="refused", at=now())


@consumers.on(GoodsIssued)
async def book_sale(event: GoodsIssued, session: AsyncSession) -> None:
    """ORD-10: the sale is booked, the «расходная накладная» made."""
    await orders.book_sale(session, event)


@consumers.on(ClaimDecided)
async def refund_claim(event: ClaimDecided, session: AsyncSession) -> None:
    """RET-02…06: money for a returned part, or the discount for a kept one."""
    await orders.refund_claim(session, event)
