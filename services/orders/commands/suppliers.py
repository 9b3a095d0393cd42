"""Suppliers and the history of their supplies (ORD-16)."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.models import Position, Supplier, SupplierDay
from services.orders.schemas.suppliers import SupplierBody, SupplierChange
from shared.base.errors import Conflict, NotFound
from shared.identity.roles import Principal
from shared.persistence.database import new_id
from shared.runtime.audit import audit
from shared.web import check_version


async def add_supplier(session: AsyncSession, body: SupplierBody, *, caller: Principal, at: datetime) -> Supplier:
    """Add a supplier to the caller's office.  Raises Conflict when the office has one of that name."""
    assert caller.office_id is not None, "only office staff may call this"
    await _ensure_name_is_free(session, caller.office_id, body.name)
    supplier = Supplier(id=new_id(), office_id=caller.office_id, created_at=at, active=True, **body.model_dump())
    session.add(supplier)
    await session.flush()
    await audit(session, "supplier.added", subject=f"supplier/{supplier.id}", office_id=supplier.office_id)
    return supplier


async def change_supplier(
    session: AsyncSession, supplier_id: UUID, body: SupplierChange, *, expected_version: int
) -> Supplier:
    """Change what was given of a supplier.  Raises NotFound, PreconditionFailed, Conflict."""
    supplier = await session.scalar(select(Supplier).where(Supplier.id == supplier_id).with_for_update())
    if supplier is None:
        raise NotFound("Поставщик не найден.")
    check_version(supplier.version, expected_version)
    changes = body.model_dump(exclude_unset=True)
    for required in ("name", "email", "active"):
        if changes.get(required, ...) is None:
            del changes[required]
    if changes.get("name", supplier.name) != supplier.name:
        await _ensure_name_is_free(session, supplier.office_id, changes["name"])
    for name, value in changes.items():
        setattr(supplier, name, value)
    await session.flush()
    await audit(
        session,
        "supplier.changed",
        subject=f"supplier/{supplier.id}",
        office_id=supplier.office_id,
        details={"fields": sorted(changes)},
    )
    return supplier


async def _ensure_name_is_free(session: AsyncSession, office_id: UUID, name: str) -> None:
    if await session.scalar(select(Supplier.id).where(Supplier.office_id == office_id, Supplier.name == name)):
        raise Conflict(f"Поставщик «{name}» уже есть.")


async def active_suppliers(session: AsyncSession, supplier_ids: Iterable[UUID | None]) -> dict[UUID, Supplier]:
    """Return those of the suppliers that the caller sees and that are active, by id."""
    wanted = {supplier_id for supplier_id in supplier_ids if supplier_id is not None}
    if not wanted:
        return {}
    rows = await session.scalars(select(Supplier).where(Supplier.id.in_(wanted), Supplier.active))
    return {supplier.id: supplier for supplier in rows}


async def record_supply(session: AsyncSession, positions: Iterable[Position], *, refused: bool, at: datetime) -> None:
    """Add outcomes to the suppliers' history (ORD-16), in the order of their ids so that two actions never deadlock."""
    count: Counter[tuple[UUID, UUID]] = Counter()
    late: Counter[tuple[UUID, UUID]] = Counter()
    for position in positions:
        if position.supplier_id is not None:
            key = (position.supplier_id, position.office_id)
            count[key] += 1
            late[key] += 0 if refused else position.days_late
    if not count:
        return
    rows = [
        {
            "supplier_id": supplier_id,
            "office_id": office_id,
            "day": at.date(),
            "supplied": 0 if refused else number,
            "refused": number if refused else 0,
            "late_days": late[supplier_id, office_id],
        }
        for (supplier_id, office_id), number in sorted(count.items())
    ]
    statement = insert(SupplierDay).values(rows)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["supplier_id", "day"],
            set_={
                "supplied": SupplierDay.supplied + new.supplied,
                "refused": SupplierDay.refused + new.refused,
                "late_days": SupplierDay.late_days + new.late_days,
            },
        )
    )
