"""Fill a basket, as staff or, from a VIN answer, as the client (VIN-10).

ORD-15, in part: term and statistics are those of the moment of pricing; nothing shows that they have grown stale.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.commands.access import client_of
from services.orders.commands.suppliers import active_suppliers
from services.orders.models import BasketItem, VinAnswer
from services.orders.queries.suppliers import supply_statistics
from services.orders.schemas.baskets import BasketQuantity, NewBasketItem, VinChoice, VinChoices
from services.orders.schemas.fields import ensure_sums_fit
from shared.base.errors import Conflict, Forbidden, Invalid, NotFound
from shared.contracts.vin import AnsweredLine, Offer
from shared.identity.roles import Principal, Role
from shared.persistence.database import new_id

MAX_ITEMS = 200


async def add_item(
    session: AsyncSession, client_id: UUID, body: NewBasketItem, *, caller: Principal, at: datetime
) -> BasketItem:
    """Put a part into a client's basket with the prices, the term and the statistics of the moment (ORD-15, ORD-16).

    Raises NotFound, Invalid for an unknown supplier, Conflict for a full basket.
    """
    client = await client_of(session, client_id)
    await _ensure_room(session, client_id, 1)
    labels = await _supply_labels(session, [body.supplier_id], at)
    item = BasketItem(
        id=new_id(),
        office_id=client.office_id,
        client_id=client_id,
        supply_label=labels.get(body.supplier_id) if body.supplier_id else None,
        chosen_by=caller.id,
        vin_request_id=None,
        offer_id=None,
        vehicle=None,
        added_by=caller.id,
        added_at=at,
        **body.model_dump(),
    )
    session.add(item)
    await session.flush()
    return item


async def add_vin_answer(
    session: AsyncSession, client_id: UUID, body: VinChoices, *, caller: Principal, at: datetime
) -> list[BasketItem]:
    """Put chosen lines of an answer into the basket with one action (VIN-10).

    A client takes what was offered; staff may name prices, the supplier and the kind of part.  Who chose the part is
    kept (VIN-09).

    Raises NotFound, Forbidden, Invalid, Conflict.
    """
    client = await client_of(session, client_id)
    answer = await session.scalar(
        select(VinAnswer).where(VinAnswer.request_id == body.request_id, VinAnswer.client_id == client_id)
    )
    if answer is None:
        raise NotFound("Ответ на этот VIN-запрос не найден.")
    if len({choice.offer_id for choice in body.choices}) != len(body.choices):
        raise Invalid("Предложение выбрано дважды.", field="body.choices")
    await _ensure_room(session, client_id, len(body.choices))
    lines = [AnsweredLine.model_validate(line) for line in answer.lines]
    offers = {offer.offer_id: (offer, line) for line in lines for offer in line.offers}
    labels = await _supply_labels(session, [choice.supplier_id for choice in body.choices], at)
    items = []
    for choice in body.choices:
        _ensure_client_names_no_price(caller, choice)
        found = offers.get(choice.offer_id)
        if found is None:
            raise NotFound("Такого предложения в ответе нет.")
        offer, line = found
        items.append(
            BasketItem(
                id=new_id(),
                office_id=client.office_id,
                client_id=client_id,
                kind=choice.kind or "other",
                supplier_id=choice.supplier_id,
                supply_label=labels.get(choice.supplier_id) if choice.supplier_id else None,
                term_days=offer.term_days,
                no_catalogue=False,
                chosen_by=answer.answered_by,
                vin_request_id=answer.request_id,
                offer_id=offer.offer_id,
                vehicle=answer.vehicle,
                added_by=caller.id,
                added_at=at,
                **_part(choice, offer, line),
            )
        )
    session.add_all(items)
    await session.flush()
    return items


def _part(choice: VinChoice, offer: Offer, line: AnsweredLine) -> dict[str, object]:
    sale_price = choice.sale_price or offer.price
    if sale_price is None:
        raise Invalid(f"Цена «{offer.article}» не названа: её должен указать менеджер.", field="body.choices")
    quantity = choice.quantity or line.quantity
    try:
        ensure_sums_fit(quantity, sale_price, choice.purchase_price)
    except ValueError as error:
        raise Invalid(str(error), field="body.choices") from error
    return {
        "article": offer.article,
        "brand": offer.brand,
        "description": (offer.description or line.text)[:300],
        "quantity": quantity,
        "sale_price": sale_price,
        "purchase_price": choice.purchase_price,
    }


def _ensure_client_names_no_price(caller: Principal, choice: VinChoice) -> None:
    if caller.role is Role.CLIENT and (choice.sale_price or choice.purchase_price or choice.supplier_id):
        raise Forbidden("Цену и поставщика указывает менеджер.")


async def change_quantity(session: AsyncSession, client_id: UUID, item_id: UUID, body: BasketQuantity) -> BasketItem:
    """Set the number of pieces; the last one written holds.  Raises NotFound, Invalid."""
    item = await session.scalar(
        select(BasketItem).where(BasketItem.id == item_id, BasketItem.client_id == client_id).with_for_update()
    )
    if item is None:
        raise NotFound("В корзине этого нет.")
    try:
        ensure_sums_fit(body.quantity, item.sale_price, item.purchase_price)
    except ValueError as error:
        raise Invalid(str(error), field="body.quantity") from error
    item.quantity = body.quantity
    await session.flush()
    return item


async def remove_item(session: AsyncSession, client_id: UUID, item_id: UUID) -> None:
    """Take an item out of the basket.  Raises NotFound."""
    deleted = await session.execute(
        delete(BasketItem)
        .where(BasketItem.id == item_id, BasketItem.client_id == client_id)
        .returning(BasketItem.id)
        .execution_options(synchronize_session=False)
    )
    if deleted.first() is None:
        raise NotFound("В корзине этого нет.")


async def _ensure_room(session: AsyncSession, client_id: UUID, more: int) -> None:
    count = await session.scalar(select(func.count()).select_from(BasketItem).where(BasketItem.client_id == client_id))
    if (count or 0) + more > MAX_ITEMS:
        raise Conflict(f"В корзине помещается не больше {MAX_ITEMS} позиций.")


async def _supply_labels(
    session: AsyncSession, supplier_ids: list[UUID | None], at: datetime
) -> dict[UUID, str | None]:
    """Return the statistics of each supplier as the client sees them (CALL-07, ORD-16).

    Raises Invalid for a supplier that is unknown or inactive.
    """
    wanted = {supplier_id for supplier_id in supplier_ids if supplier_id is not None}
    if unknown := wanted - (await active_suppliers(session, wanted)).keys():
        raise Invalid(f"Поставщик {min(unknown)} не найден.", field="body.supplier_id")
    statistics = await supply_statistics(session, wanted, at)
    return {supplier_id: statistics[supplier_id].label for supplier_id in wanted if supplier_id in statistics}
