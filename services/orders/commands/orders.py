"""Place an order, check applicability, take note of payment (ORD-01, ORD-06, ORD-18)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders import store
from services.orders.commands.positions import lock_order
from services.orders.domain.disclosures import missing_for_order
from services.orders.domain.numbers import Document, numbered, provisional_prefix
from services.orders.domain.order import OrderState
from services.orders.domain.position import PositionState
from services.orders.models import Client, Order, Position, Vehicle
from services.orders.schemas.orders import PlaceOrder
from services.orders.schemas.positions import CheckMark
from shared.base.errors import BusinessError, Conflict, NotFound
from shared.contracts.clients import Vehicle as VehicleFacts
from shared.contracts.orders import ApplicabilityChecked, CheckResult, OrderPlaced
from shared.identity.roles import Principal, Role
from shared.messaging import publish
from shared.messaging.outbox import outbox_rows
from shared.persistence.database import new_id
from shared.runtime.audit import audit, audit_row
from shared.web import check_version

MAX_TOTAL = Decimal(1_000_000_000)


class BasketEmpty(BusinessError):
    """There is nothing to order."""

    code = "basket-empty"
    title = "Корзина пуста"


class DisclosureRequired(BusinessError):
    """The client was not warned of what the rules demand (CALL-08, ORD-17)."""

    status = 422
    code = "disclosure-required"
    title = "Клиента нужно предупредить"


class CheckIncomplete(BusinessError):
    """Positions under moderation have no result yet (ORD-06)."""

    code = "check-incomplete"
    title = "Проверены не все позиции"


async def place_order(
    session: AsyncSession, body: PlaceOrder, *, caller: Principal, at: datetime
) -> tuple[Order, list[Position], Client]:
    """Turn the whole basket into an order whose positions stand «На модерации» (ORD-01, ORD-11, VIN-10).

    Delivery is possible only where the office organises it (ORD-18).  Raises NotFound, Conflict, BasketEmpty,
    DisclosureRequired.
    """
    basket = await store.take_basket(session, body.client_id, caller.scope)
    if basket is None:
        raise NotFound("Клиент не найден.")
    client, items = basket.client, basket.items
    if not client.active:
        raise Conflict("Учётная запись клиента отключена.")
    if body.delivery == "courier" and not basket.courier_delivery:
        raise Conflict("Этот офис доставку не организует: заказ можно получить в офисе.")
    if not items:
        raise BasketEmpty("В корзине клиента ничего нет.")
    if missing := missing_for_order(
        body.disclosures,
        has_parts_without_catalogue=any(item["no_catalogue"] for item in items),
        wholesale=client.wholesale,
    ):
        raise DisclosureRequired("Предупредите клиента: " + ", ".join(item.label for item in missing))
    total = sum((item["sale_price"] * item["quantity"] for item in items), Decimal(0))
    if total > MAX_TOTAL:
        raise Conflict("Сумма заказа слишком велика, разделите его.")
    order_values: dict[str, Any] = {
        "id": new_id(),
        "office_id": client.office_id,
        "client_id": client.client_id,
        "number": numbered(
            basket.office_prefix or provisional_prefix(client.office_id), Document.ORDER, basket.order_number
        ),
        "state": OrderState.MODERATION,
        "client_category": client.category,
        "client_kind": client.kind,
        "wholesale": client.wholesale,
        "channel": "cabinet" if caller.role is Role.CLIENT else "office",
        "total": total,
        "check_requested": body.check_requested,
        "vehicle": await _vehicle(session, body, items),
        "disclosures": [disclosure.value for disclosure in body.disclosures],
        "delivery": body.delivery,
        "delivery_city": body.delivery_city,
        "delivery_note": body.delivery_note,
        "placed_by": caller.id,
        "placed_at": at,
        "version": 1,
    }
    position_values = [
        {name: item[name] for name in store.OFFERED}
        | {
            "id": new_id(),
            "office_id": client.office_id,
            "client_id": client.client_id,
            "order_id": order_values["id"],
            "order_number": order_values["number"],
            "line": line,
            "state": PositionState.MODERATION,
            "state_changed_at": at,
            "paid": False,
            "finally_refused": False,
            "discounted": Decimal(0),
            "version": 1,
        }
        for line, item in enumerate(items, 1)
    ]
    order, positions = store.new_order(order_values, position_values)
    await store.write_order(
        session,
        order_values,
        position_values,
        events=outbox_rows([_placed(order, positions)]),
        audit=audit_row(session, "order.placed", f"order/{order.id}", order.office_id),
    )
    return order, positions, client


async def _vehicle(session: AsyncSession, body: PlaceOrder, items: Sequence[store.Values]) -> dict[str, Any] | None:
    """Return the car that was named, else the one that all VIN answers in the basket were for (CL-15)."""
    if body.vehicle_id is not None:
        facts = await session.scalar(
            select(Vehicle.facts).where(Vehicle.vehicle_id == body.vehicle_id, Vehicle.client_id == body.client_id)
        )
        if facts is None:
            raise NotFound("Автомобиль не найден в гараже клиента.")
        return facts
    cars = {item["vehicle"]["vehicle_id"]: item["vehicle"] for item in items if item["vehicle"]}
    return next(iter(cars.values())) if len(cars) == 1 else None


def _placed(order: Order, positions: list[Position]) -> OrderPlaced:
    return OrderPlaced(
        office_id=order.office_id,
        version=order.version,
        occurred_at=order.placed_at,
        order_id=order.id,
        number=order.number,
        client_id=order.client_id,
        client_category=order.client_category,
        wholesale=order.wholesale,
        channel=order.channel,
        positions=[position.as_line() for position in positions],
        total=order.total,
        check_requested=order.check_requested,
        vehicle=VehicleFacts.model_validate(order.vehicle) if order.vehicle else None,
        placed_at=order.placed_at,
    )


async def check_position(
    session: AsyncSession, position_id: UUID, body: CheckMark, *, expected_version: int, at: datetime
) -> Position:
    """Note the result of the check of one position (ORD-06).  Raises NotFound, PreconditionFailed, Conflict."""
    order_id = await session.scalar(select(Position.order_id).where(Position.id == position_id))
    if order_id is None:
        raise NotFound("Позиция не найдена.")
    order, positions = await lock_order(session, order_id)
    position = next(found for found in positions if found.id == position_id)
    check_version(position.version, expected_version)
    if order.check_completed_at is not None:
        raise Conflict("Проверка уже завершена, её результат отправлен клиенту.")
    if position.state is not PositionState.MODERATION:
        raise Conflict(f"Проверяют позиции «На модерации», эта — «{position.state.label}».")
    position.applicable, position.check_comment, position.checked_at = body.applicable, body.comment, at
    position.version += 1
    await store.write_positions(session, [position])
    return position


async def complete_check(session: AsyncSession, order_id: UUID, *, caller: Principal, at: datetime) -> Order:
    """Complete the check and publish all results for the client, once (ORD-06).

    Every position under moderation must have its result.  Raises NotFound, CheckIncomplete, Conflict.
    """
    order, positions = await lock_order(session, order_id)
    if order.check_completed_at is not None:
        raise Conflict("Проверка этого заказа уже завершена.")
    alive = sorted(
        (position for position in positions if position.state is not PositionState.REMOVED),
        key=lambda p: (p.line, p.id),
    )
    unchecked = [p for p in alive if p.applicable is None and p.state is PositionState.MODERATION]
    checked = [position for position in alive if position.applicable is not None]
    if unchecked or not checked:
        names = ", ".join(f"{position.brand} {position.article}" for position in unchecked[:5])
        raise CheckIncomplete(f"Нет результата: {names}." if names else "В заказе нечего проверять.")
    await _change_order(session, order, check_completed_at=at, checked_by=caller.id)
    await publish(
        session,
        ApplicabilityChecked(
            office_id=order.office_id,
            version=order.version,
            occurred_at=at,
            order_id=order.id,
            number=order.number,
            client_id=order.client_id,
            paid=order.paid_at is not None,
            checked_by=caller.id,
            results=[
                CheckResult(
                    position_id=position.id,
                    article=position.article,
                    brand=position.brand,
                    description=position.description,
                    applicable=bool(position.applicable),
                    comment=position.check_comment,
                )
                for position in checked
            ],
        ),
    )
    await audit(session, "order.checked", subject=f"order/{order.id}", office_id=order.office_id)
    return order


async def take_payment(session: AsyncSession, order_id: UUID, position_ids: list[UUID], *, at: datetime) -> None:
    """Mark positions, with all that was split from them, as paid, so that they may be ordered (ORD-12).

    Raises NotFound, which can only be an error: orders are placed in this service.
    """
    order, positions = await lock_order(session, order_id)
    covered = set(position_ids)
    paid = [
        position
        for position in positions
        if not position.paid and (position.id in covered or position.origin_id in covered)
    ]
    for position in paid:
        position.paid, position.version = True, position.version + 1
    await store.write_positions(session, paid)
    if order.paid_at is None:
        await _change_order(session, order, paid_at=at)


async def _change_order(session: AsyncSession, order: Order, **changes: Any) -> None:
    """Change a locked, detached order and its row."""
    changes["version"] = order.version + 1
    for name, value in changes.items():
        setattr(order, name, value)
    by_id = update(Order).where(Order.id == order.id).values(changes)
    await session.execute(by_id.execution_options(synchronize_session=False))
