"""Rows that a service owns when the story's events reach it: others' events refer to its own orders."""

from services.orders.domain.order import OrderState
from services.orders.domain.position import PositionState
from services.orders.models import Order, Position
from shared.contracts.orders import OrderPlaced, PositionLine
from tests.contracts.examples.orders import PLACED
from tests.contracts.examples.story import MANAGER
from tests.support.harness import ServiceHarness


async def own_facts(service: ServiceHarness) -> None:
    if service.service.name == "orders":
        await _the_order(service)


async def _the_order(service: ServiceHarness) -> None:
    """Insert the order that the story's own event says was placed."""
    placed = PLACED[0]
    assert isinstance(placed, OrderPlaced)
    assert placed.vehicle is not None
    order = Order(
        id=placed.order_id,
        office_id=placed.office_id,
        client_id=placed.client_id,
        number=placed.number,
        state=OrderState.MODERATION,
        client_category=placed.client_category,
        client_kind="online",
        wholesale=placed.wholesale,
        channel=placed.channel,
        total=placed.total,
        check_requested=placed.check_requested,
        vehicle=placed.vehicle.model_dump(mode="json"),
        disclosures=[],
        delivery="office",
        placed_by=placed.client_id,
        placed_at=placed.placed_at,
        version=placed.version,
    )
    async with service.session() as session:
        session.add(order)
        await session.flush()
        session.add_all(_position(order, line, number) for number, line in enumerate(placed.positions, start=1))


def _position(order: Order, line: PositionLine, number: int) -> Position:
    return Position(
        id=line.position_id,
        office_id=order.office_id,
        client_id=order.client_id,
        order_id=order.id,
        order_number=order.number,
        line=number,
        state=PositionState.MODERATION,
        state_changed_at=order.placed_at,
        kind="consumable",
        article=line.article,
        brand=line.brand,
        description=line.description,
        quantity=line.quantity,
        sale_price=line.sale_price,
        chosen_by=MANAGER,
        version=1,
    )
