"""Routes of baskets."""

from uuid import UUID

from services.orders.commands import baskets as commands
from services.orders.commands.access import client_of
from services.orders.queries import baskets as queries
from services.orders.queries.access import is_staff
from services.orders.schemas.baskets import BasketItemOut, BasketOut, BasketQuantity, NewBasketItem, VinChoices
from shared.base.clock import now
from shared.identity.roles import EVERYONE, OFFICE_STAFF, Role
from shared.web import Caller, Session, allow, service_router

router = service_router("Корзина")


@router.get("/baskets/{client_id}/items", summary="Корзина клиента", dependencies=[allow(*EVERYONE)])
async def get_basket(client_id: UUID, session: Session, caller: Caller) -> BasketOut:
    """Клиент видит свою корзину, сотрудник — корзины клиентов своего офиса."""
    await client_of(session, client_id, active=False)
    return await queries.show_basket(session, client_id, internal=is_staff(caller))


@router.post(
    "/baskets/{client_id}/items",
    status_code=201,
    summary="Положить деталь в корзину клиента",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def add_item(client_id: UUID, body: NewBasketItem, session: Session, caller: Caller) -> BasketItemOut:
    """Поставщик, закупка и срок запоминаются такими, какими были предложены (ORD-15, CALL-07, CALL-10)."""
    item = await commands.add_item(session, client_id, body, caller=caller, at=now())
    return BasketItemOut.of(item, internal=True)


@router.post(
    "/baskets/{client_id}/vin-answers",
    status_code=201,
    summary="Положить в корзину строки ответа на VIN-запрос",
    dependencies=[allow(*OFFICE_STAFF, Role.CLIENT)],
)
async def add_vin_answer(client_id: UUID, body: VinChoices, session: Session, caller: Caller) -> list[BasketItemOut]:
    """Одним действием (VIN-10). Кто подобрал детали, запоминается (VIN-09)."""
    items = await commands.add_vin_answer(session, client_id, body, caller=caller, at=now())
    return [BasketItemOut.of(item, internal=is_staff(caller)) for item in items]


@router.patch(
    "/baskets/{client_id}/items/{item_id}",
    summary="Изменить количество",
    dependencies=[allow(*OFFICE_STAFF, Role.CLIENT)],
)
async def change_quantity(
    client_id: UUID, item_id: UUID, body: BasketQuantity, session: Session, caller: Caller
) -> BasketItemOut:
    """Последнее количество верно: версии у строки корзины нет."""
    item = await commands.change_quantity(session, client_id, item_id, body)
    return BasketItemOut.of(item, internal=is_staff(caller))


@router.delete(
    "/baskets/{client_id}/items/{item_id}",
    status_code=204,
    summary="Убрать из корзины",
    dependencies=[allow(*OFFICE_STAFF, Role.CLIENT)],
)
async def remove_item(client_id: UUID, item_id: UUID, session: Session) -> None:
    """Убранное предложение можно положить снова."""
    await commands.remove_item(session, client_id, item_id)
