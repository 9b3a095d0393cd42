"""Statements of the hot paths, past SQLAlchemy.

Only this module of the service calls `shared.persistence.raw_sql`. The ORM's filter by scope does not reach these
statements: `take_basket` carries the caller's scope itself, the others write new rows or rows that the command has
locked through the ORM, and row-level security checks them all (ORG-04). Every function has a twin on the ORM in
tests/integration/orders/test_store.py, and names the benchmark that justifies it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.models import Client, Order, Position, PurchaseOrder, PurchaseOrderLine
from services.orders.models.base import ORDER_NUMBERS
from services.orders.models.basket import OfferedPart
from shared.persistence.database import detached_instance
from shared.persistence.raw_sql import fetch, insert_all, insert_rows, update_rows
from shared.persistence.scope import Scope
from shared.persistence.tables import audit_log, outbox

Values = Mapping[str, Any]
"""A row: column name -> value."""

_ORDERS: Table = Order.__table__  # type: ignore[assignment]
_POSITIONS: Table = Position.__table__  # type: ignore[assignment]
_PURCHASE_ORDERS: Table = PurchaseOrder.__table__  # type: ignore[assignment]
_PURCHASE_ORDER_LINES: Table = PurchaseOrderLine.__table__  # type: ignore[assignment]

OFFERED = tuple(OfferedPart.__annotations__)
"""Columns that a basket item hands over to its position."""

_CLIENT = (
    "client_id",
    "office_id",
    "full_name",
    "name_verified",
    "organization_name",
    "kind",
    "category",
    "phone",
    "active",
)
_TAKE_BASKET = (
    f"WITH buyer AS (SELECT {', '.join(f'client.{name} AS its_{name}' for name in _CLIENT)},"
    f" office.prefix, office.courier_delivery, nextval('{ORDER_NUMBERS.name}') AS number"
    " FROM client LEFT JOIN office ON office.office_id = client.office_id WHERE client.client_id = $1"
    " AND CASE $2 WHEN 'network' THEN true WHEN 'office' THEN client.office_id = $3"
    " WHEN 'client' THEN client.client_id = $4 ELSE false END),"
    " taken AS (DELETE FROM basket_item WHERE client_id = (SELECT its_client_id FROM buyer)"
    f" AND ($2 <> 'office' OR office_id = $3) RETURNING id, added_at, vehicle, {', '.join(OFFERED)})"
    " SELECT * FROM buyer LEFT JOIN taken ON true"
)
"""One row for each item of the basket; one row without an item (`id` is NULL) where the basket is empty."""

_FIXED = {"id", "office_id", "client_id", "order_id", "order_number", "line", "origin_id", "split_from_id"}
_COLUMNS = tuple(column.key for column in _POSITIONS.columns)
_CHANGING = ("id", *(name for name in _COLUMNS if name not in _FIXED))
_ORDER_STATE = ("id", "state", "processed_at", "version")


def _reader(names: Sequence[str]) -> Any:
    """Return a function that reads these attributes of an object as a row."""
    read = attrgetter(*names)
    return lambda row: dict(zip(names, read(row), strict=True))


_position_row, _position_changes, _order_state = _reader(_COLUMNS), _reader(_CHANGING), _reader(_ORDER_STATE)
_purchase_order_row = _reader([column.key for column in _PURCHASE_ORDERS.columns])
_purchase_order_line_row = _reader([column.key for column in _PURCHASE_ORDER_LINES.columns])


@dataclass(frozen=True, slots=True)
class TakenBasket:
    """What placing an order has to know, read with one statement."""

    client: Client
    """Detached."""
    office_prefix: str | None
    """Begins the order's number; None until the office's card has arrived."""
    courier_delivery: bool | None
    """Whether the office organises delivery; None until its card has arrived."""
    order_number: int
    """The next one of the network."""
    items: Sequence[Values]
    """`id`, `added_at`, `vehicle` and the columns OFFERED of each item, in the order of filling."""


async def take_basket(session: AsyncSession, client_id: UUID, scope: Scope) -> TakenBasket | None:
    """Empty a client's basket and return what was in it; None when the client is not in the scope.

    Deleting takes the rows: two simultaneous orders never share an item.

    Benchmark: benchmarks/kernel/placing.py.
    """
    found = await fetch(session, _TAKE_BASKET, client_id, scope.kind, scope.office_id, scope.client_id)
    if not found:
        return None
    first = found[0]
    return TakenBasket(
        client=detached_instance(Client, {name: first[f"its_{name}"] for name in _CLIENT}),
        office_prefix=first["prefix"],
        courier_delivery=first["courier_delivery"],
        order_number=first["number"],
        items=() if first["id"] is None else sorted(found, key=lambda item: (item["added_at"], item["id"])),
    )


def new_order(order: Values, positions: Sequence[Values]) -> tuple[Order, list[Position]]:
    """Return the detached objects of rows that `write_order` will write.

    Benchmark: benchmarks/kernel/placing.py.
    """
    return detached_instance(Order, order), [detached_instance(Position, values) for values in positions]


async def write_order(
    session: AsyncSession,
    order: Values,
    positions: Sequence[Values],
    *,
    events: Sequence[Values],
    audit: Values,
) -> None:
    """Insert an order, its positions, its events (rows of the outbox) and its audit row with one statement.

    All positions have the same columns.

    Benchmark: benchmarks/kernel/placing.py.
    """
    await insert_all(session, {_ORDERS: [order], _POSITIONS: positions, outbox: events, audit_log: [audit]})


async def write_positions(session: AsyncSession, changed: Iterable[Position], added: Iterable[Position] = ()) -> None:
    """Write detached positions back, which the caller has locked, and insert those split off: two statements.

    Benchmark: benchmarks/kernel/bulk.py.
    """
    await insert_rows(session, _POSITIONS, [_position_row(position) for position in added])
    await update_rows(session, _POSITIONS, [_position_changes(position) for position in changed])


async def write_order_states(session: AsyncSession, orders: Collection[Order]) -> None:
    """Write `state`, `processed_at` and `version` of detached orders, which the caller has locked: one statement.

    Benchmark: benchmarks/kernel/bulk.py.
    """
    await update_rows(session, _ORDERS, [_order_state(order) for order in orders])


async def write_purchase_orders(
    session: AsyncSession, documents: Sequence[tuple[PurchaseOrder, Sequence[PurchaseOrderLine]]]
) -> None:
    """Insert purchase orders with their lines: one statement.

    Benchmark: benchmarks/kernel/bulk.py.
    """
    lines = [line for _, lines in documents for line in lines]
    await insert_all(
        session,
        {
            _PURCHASE_ORDERS: [_purchase_order_row(document) for document, _ in documents],
            _PURCHASE_ORDER_LINES: [_purchase_order_line_row(line) for line in lines],
        },
    )
