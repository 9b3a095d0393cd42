"""Changes of a position by staff: supplier, purchase, term (K10), internal comment (ORD-08)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders import store
from services.orders.commands.positions import lock_position
from services.orders.commands.suppliers import active_suppliers
from services.orders.domain.position import PositionState
from services.orders.models import Position
from services.orders.queries.suppliers import supply_statistics
from services.orders.schemas.fields import ensure_sums_fit
from services.orders.schemas.positions import PositionChange
from shared.base.errors import Conflict, Invalid
from shared.runtime.audit import audit
from shared.web import check_version

ALWAYS = {"kind", "manager_comment"}
ON_ITS_WAY = {"promised_at", "purchase_price"}
"""A supplier may report a delay or another price after the order (K10)."""
BEFORE_ORDERING = {"supplier_id", "purchase_price", "term_days"}

MAY_CHANGE: dict[PositionState, set[str]] = {
    PositionState.MODERATION: ALWAYS | BEFORE_ORDERING,
    PositionState.ORDERED: ALWAYS | ON_ITS_WAY,
}


async def change_position(
    session: AsyncSession, position_id: UUID, body: PositionChange, *, expected_version: int, at: datetime
) -> Position:
    """Change what the position's state allows; the sale price, which the client knows, never changes.

    Raises NotFound, PreconditionFailed, Conflict, Invalid.
    """
    position, _ = await lock_position(session, position_id)
    check_version(position.version, expected_version)
    changes = body.model_dump(exclude_unset=True)
    allowed = MAY_CHANGE.get(position.state, ALWAYS)
    if forbidden := changes.keys() - allowed:
        raise Conflict(f"В состоянии «{position.state.label}» не меняются: {', '.join(sorted(forbidden))}.")
    if changes.get("kind", "") is None:
        raise Invalid("Вид детали обязателен.", field="body.kind")
    if changes.get("purchase_price") is not None:
        try:
            ensure_sums_fit(position.quantity, changes["purchase_price"])
        except ValueError as error:
            raise Invalid(str(error), field="body.purchase_price") from error
    supplier_id = changes.get("supplier_id")
    if supplier_id is not None:
        if supplier_id not in await active_suppliers(session, [supplier_id]):
            raise Invalid("Поставщик не найден.", field="body.supplier_id")
        statistics = await supply_statistics(session, [supplier_id], at)
        position.supply_label = statistics[supplier_id].label if supplier_id in statistics else None
    for name, value in changes.items():
        setattr(position, name, value)
    position.version += 1
    await store.write_positions(session, [position])
    await audit(
        session,
        "position.changed",
        subject=f"position/{position.id}",
        office_id=position.office_id,
        details={"fields": sorted(changes)},
    )
    return position
