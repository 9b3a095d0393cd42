"""Orders: placing, reading, finishing the applicability check."""

from collections import Counter
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.commands import orders as commands
from services.orders.domain.order import OrderState
from services.orders.domain.position import PositionState
from services.orders.models import Client, Order, Position
from services.orders.queries.access import is_staff
from services.orders.queries.positions import load_related_rows
from services.orders.schemas.fields import Moment
from services.orders.schemas.orders import OrderOut, OrderSummary, PlaceOrder
from services.orders.schemas.positions import BalanceOut, PositionOut
from services.orders.schemas.related import RelatedRows
from shared.base.clock import now
from shared.base.errors import NotFound
from shared.identity.roles import EVERYONE, OFFICE_STAFF, Principal, Role
from shared.web import Caller, Page, PageRequest, SearchText, Session, allow, paginate, service_router, set_etag

router = service_router("Заказы")


@router.post(
    "/orders",
    status_code=201,
    summary="Оформить заказ из корзины",
    dependencies=[allow(*OFFICE_STAFF, Role.CLIENT)],
)
async def place_order(body: PlaceOrder, session: Session, caller: Caller, response: Response) -> OrderOut:
    """Вся корзина клиента одним действием становится заказом, позиции — «На модерации» (ORD-01, ORD-11, VIN-10).

    Баланса, соседних позиций и имён поставщиков в этом ответе нет: оформление ничего лишнего не читает.
    """
    order, positions, client = await commands.place_order(session, body, caller=caller, at=now())
    set_etag(response, order.version)
    related = RelatedRows(orders={order.id: order}, clients={client.client_id: client})
    return _order_out(order, positions, related, caller=caller)


@router.get("/orders", summary="Список заказов", dependencies=[allow(*EVERYONE)])
async def list_orders(
    session: Session,
    page: PageRequest,
    client_id: UUID | None = None,
    office_id: UUID | None = None,
    state: OrderState | None = None,
    number: SearchText | None = None,
    placed_from: Annotated[Moment | None, Query()] = None,
    placed_to: Annotated[Moment | None, Query()] = None,
) -> Page[OrderSummary]:
    """Новые сверху. Состояние заказа выводится из позиций (ORD-14)."""
    query = select(Order)
    for column, value in (
        (Order.client_id, client_id),
        (Order.office_id, office_id),
        (Order.state, state),
        (Order.number, number),
    ):
        if value is not None:
            query = query.where(column == value)
    if placed_from is not None:
        query = query.where(Order.placed_at >= placed_from)
    if placed_to is not None:
        query = query.where(Order.placed_at < placed_to)
    orders, following = await paginate(session, query, page, key=(Order.placed_at.desc(), Order.id.desc()))
    ids = [order.id for order in orders]
    counted = await session.execute(
        select(Position.order_id, Position.state, func.count())
        .where(Position.order_id.in_(ids))
        .group_by(Position.order_id, Position.state)
    )
    states: dict[UUID, dict[PositionState, int]] = {order_id: {} for order_id in ids}
    for order_id, position_state, count in counted:
        states[order_id][position_state] = count
    clients = await session.scalars(select(Client).where(Client.client_id.in_({order.client_id for order in orders})))
    names = {client.client_id: client.display_name for client in clients}
    return Page(
        items=[OrderSummary.of(order, names.get(order.client_id), states[order.id]) for order in orders],
        next=following.next,
    )


@router.get("/orders/{order_id}", summary="Заказ с позициями", dependencies=[allow(*EVERYONE)])
async def get_order(order_id: UUID, session: Session, caller: Caller, response: Response) -> OrderOut:
    """Позиции одного заказа живут каждая своей жизнью (ORD-14)."""
    order = await session.scalar(select(Order).where(Order.id == order_id))
    if order is None:
        raise NotFound("Заказ не найден.")
    set_etag(response, order.version)
    return await _show(session, order, await _positions(session, order_id), caller=caller, at=now())


@router.post(
    "/orders/{order_id}/check/completion",
    summary="Завершить проверку применимости",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def complete_check(order_id: UUID, session: Session, caller: Caller, response: Response) -> OrderOut:
    """Когда отмечены все позиции; результат пишется клиенту по каждой позиции (ORD-06)."""
    order = await commands.complete_check(session, order_id, caller=caller, at=now())
    set_etag(response, order.version)
    return await _show(session, order, await _positions(session, order_id), caller=caller, at=now())


async def _positions(session: AsyncSession, order_id: UUID) -> list[Position]:
    query = select(Position).where(Position.order_id == order_id).order_by(Position.line, Position.id)
    return list(await session.scalars(query))


async def _show(
    session: AsyncSession, order: Order, positions: list[Position], *, caller: Principal, at: datetime
) -> OrderOut:
    related = await load_related_rows(session, positions, with_suppliers=is_staff(caller), at=at)
    return _order_out(order, positions, related, caller=caller)


def _order_out(order: Order, positions: list[Position], related: RelatedRows, *, caller: Principal) -> OrderOut:
    client = related.clients.get(order.client_id)
    balance = related.balances.get(order.client_id)
    summary = OrderSummary.of(
        order,
        client.display_name if client else None,
        dict(Counter(position.state for position in positions)),
    )
    return OrderOut(
        **dict(summary),
        vehicle=order.vehicle,
        disclosures=order.disclosures,
        delivery=order.delivery,
        delivery_city=order.delivery_city,
        delivery_note=order.delivery_note,
        client_balance=BalanceOut.model_validate(balance) if balance else None,
        positions=[PositionOut.of(position, related, internal=is_staff(caller)) for position in positions],
    )
