"""«Отгрузить»: hand goods over to an identified person (CL-05, ORD-10)."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders import store
from services.orders.commands.access import ensure_may_override
from services.orders.commands.numbering import next_numbers
from services.orders.commands.orders import DisclosureRequired
from services.orders.commands.positions import Bulk, change_each, lock_positions, refresh_orders
from services.orders.domain.disclosures import missing_for_issue
from services.orders.domain.numbers import Document
from services.orders.domain.payment import ensure_paid
from services.orders.domain.policies import PrepaymentPolicy
from services.orders.domain.position import PositionState, ensure_allowed
from services.orders.models import Order, Position, Shipment
from services.orders.queries.policies import policy_in_force
from services.orders.schemas.positions import MarkedPosition, PositionAction
from shared.base.errors import BusinessError
from shared.contracts.orders import GoodsIssued, PositionLine
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.runtime.audit import audit


class PersonNotIdentified(BusinessError):
    """It was not checked who takes the goods (CL-05)."""

    status = 422
    code = "person-not-identified"
    title = "Личность получателя не проверена"


async def issue_goods(session: AsyncSession, body: PositionAction, *, caller: Principal, at: datetime) -> Bulk:
    """Hand over what is ready: one shipment per client, with its «расходная накладная» (ORD-10, ORD-17).

    Raises PersonNotIdentified, DisclosureRequired, Forbidden.
    """
    if not body.person_identified:
        raise PersonNotIdentified("Проверьте, кому выдаёте заказ (CL-05), и отметьте это.")
    if missing := missing_for_issue(body.disclosures):
        raise DisclosureRequired("Отметьте: " + ", ".join(item.label for item in missing))
    overridden = ensure_may_override(caller, body.override_reason)
    policy = await policy_in_force(session, PrepaymentPolicy, at)
    locked = await lock_positions(session, [item.position_id for item in body.items])
    shipments: dict[object, Shipment] = {}
    lines: dict[object, list[PositionLine]] = {}
    orders: dict[object, dict[object, Order]] = {}

    def issue(position: Position, order: Order, item: MarkedPosition) -> Position | None:
        ensure_allowed(position.state, PositionState.ISSUED)
        ensure_paid(policy, order.client_category, paid=position.paid, overridden=overridden)
        remainder = position.split(item.quantity or position.quantity)
        shipment = shipments.get(position.client_id)
        if shipment is None:
            shipment = shipments[position.client_id] = Shipment(
                id=new_id(),
                office_id=position.office_id,
                client_id=position.client_id,
                disclosures=[disclosure.value for disclosure in body.disclosures],
                issued_by=caller.id,
                issued_at=at,
                version=1,
            )
        lines.setdefault(position.client_id, []).append(position.issue(shipment.id, at))
        orders.setdefault(position.client_id, {})[order.id] = order
        return remainder

    bulk = change_each(locked, body.items, issue)
    if not bulk.changed:
        return bulk
    await store.write_positions(session, bulk.changed, bulk.added)
    numbers = await next_numbers(session, bulk.changed[0].office_id, Document.SHIPMENT, len(shipments))
    issued = []
    for number, (client_id, shipment) in zip(numbers, shipments.items(), strict=True):
        shipment.number = number
        shipment.total = sum((line.amount for line in lines[client_id]), Decimal(0))
        issued.append(
            GoodsIssued(
                office_id=shipment.office_id,
                version=1,
                occurred_at=at,
                shipment_id=shipment.id,
                number=number,
                client_id=shipment.client_id,
                order_ids=[order.id for order in orders[client_id].values()],
                positions=lines[client_id],
                total=shipment.total,
                issued_by=caller.id,
                issued_at=at,
            )
        )
    session.add_all(shipments.values())
    await session.flush()
    touched = {order.id: order for by_client in orders.values() for order in by_client.values()}
    view = await refresh_orders(session, touched.values(), at)
    await publish(session, *issued, *view.processed)
    for shipment in shipments.values():
        await audit(
            session,
            "goods.issued",
            subject=f"shipment/{shipment.id}",
            office_id=shipment.office_id,
            details={"disclosures": shipment.disclosures, "override_reason": body.override_reason},
        )
    return bulk
