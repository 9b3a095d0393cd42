"""Routes of orders: placing, reading, completing the applicability check."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.orders.commands import orders as commands
from services.orders.domain.order import OrderState
from services.orders.queries import orders as queries
from services.orders.queries.access import is_staff
from services.orders.schemas.fields import Moment
from services.orders.schemas.orders import OrderOut, OrderSummary, PlaceOrder
from services.orders.schemas.related import RelatedRows
from shared.base.clock import now
from shared.identity.roles import EVERYONE, OFFICE_STAFF, Role
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
    return OrderOut.of_positions(order, positions, related, internal=is_staff(caller))


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
    wanted = queries.OrderFilter(
        client_id=client_id,
        office_id=office_id,
        state=state,
        number=number,
        placed_from=placed_from,
        placed_to=placed_to,
    )
    orders, following = await paginate(session, queries.orders_matching(wanted), page, key=queries.NEWEST_FIRST)
    return Page(items=await queries.summarize_orders(session, orders), next=following.next)


@router.get("/orders/{order_id}", summary="Заказ с позициями", dependencies=[allow(*EVERYONE)])
async def get_order(order_id: UUID, session: Session, caller: Caller, response: Response) -> OrderOut:
    """Позиции одного заказа живут каждая своей жизнью (ORD-14)."""
    order = await queries.find_order(session, order_id)
    set_etag(response, order.version)
    return await queries.show_order(session, order, caller=caller, at=now())


@router.post(
    "/orders/{order_id}/check/completion",
    summary="Завершить проверку применимости",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def complete_check(order_id: UUID, session: Session, caller: Caller, response: Response) -> OrderOut:
    """Когда отмечены все позиции; результат пишется клиенту по каждой позиции (ORD-06)."""
    order = await commands.complete_check(session, order_id, caller=caller, at=now())
    set_etag(response, order.version)
    return await queries.show_order(session, order, caller=caller, at=now())
