"""The statements past SQLAlchemy do what the ORM would do, and nothing outside of the caller's scope."""

import inspect
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Enum,
    Integer,
    Numeric,
    String,
    Uuid,
    delete,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders import models, store
from services.orders.models import BasketItem, Client, Order, Position, PurchaseOrder, PurchaseOrderLine, Supplier
from services.orders.models.base import ORDER_NUMBERS
from shared.persistence.database import new_id
from shared.persistence.scope import NETWORK, Scope
from shared.persistence.tables import audit_log, outbox
from tests.integration.orders.conftest import Office, an_item
from tests.support.harness import ServiceHarness
from tests.support.isolation import LAYERS, active_layers

Row = dict[str, Any]

quick = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # To make a failing example small takes minutes of statements.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (naive bounds)


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def values_of(column: Column[Any]) -> st.SearchStrategy[Any]:
    """Any value that the column takes."""
    kind = column.type
    value: st.SearchStrategy[Any]
    if isinstance(kind, Enum):
        assert kind.enum_class is not None
        value = st.sampled_from(kind.enum_class)
    elif isinstance(kind, String):
        value = st.text(LETTERS, max_size=min(kind.length or 20, 20))
    elif isinstance(kind, Boolean):
        value = st.booleans()
    elif isinstance(kind, DateTime):
        value = MOMENTS
    elif isinstance(kind, Numeric):
        value = st.decimals(-(10**9), 10**9, places=2)
    elif isinstance(kind, Integer):
        value = st.integers(0, 2**31)
    elif isinstance(kind, Uuid):
        value = st.uuids()
    else:
        assert isinstance(kind, JSONB)
        value = st.dictionaries(st.text(LETTERS, max_size=5), st.none() | st.text(LETTERS, max_size=5), max_size=3)
    return value | st.none() if column.nullable else value


def rows_of(model: Any, *without: str) -> st.SearchStrategy[Row]:
    """Rows of a table, without the columns that tie them to others."""
    return st.fixed_dictionaries({c.key: values_of(c) for c in model.__table__.columns if c.key not in without})


def lists_of(rows: st.SearchStrategy[Row], *, at_least: int = 0) -> st.SearchStrategy[list[Row]]:
    return st.lists(rows, min_size=at_least, max_size=3)


CLIENTS = rows_of(Client, "client_id", "office_id")
ITEMS = rows_of(BasketItem, "id", "office_id", "client_id")
ORDERS = rows_of(Order, "id", "office_id", "client_id", "number")
POSITIONS = rows_of(Position, "id", "office_id", "client_id", "order_id")
PURCHASE_ORDERS = rows_of(PurchaseOrder, "id", "office_id", "number", "supplier_id", "version")
LINES = rows_of(PurchaseOrderLine, "purchase_order_id", "office_id", "line")


class Undo(Exception):
    """Ends a transaction whose work is not to be kept."""


class Branch:
    """An office with one client, whose ids no other test knows."""

    def __init__(self) -> None:
        self.office_id, self.client_id, self.supplier_id = new_id(), new_id(), new_id()
        self.staff = Scope("office", self.office_id)
        self.client = Scope("client", self.office_id, self.client_id)

    def order(self, values: Row) -> Row:
        return {**values, "id": new_id(), "office_id": self.office_id, "client_id": self.client_id} | {
            "number": str(new_id())
        }

    def position(self, order: Row, values: Row) -> Row:
        own = {"id": new_id(), "office_id": self.office_id, "client_id": self.client_id, "order_id": order["id"]}
        return {**values, **own}

    def document(self, values: Row, lines: Sequence[Row]) -> tuple[PurchaseOrder, list[PurchaseOrderLine]]:
        own = {"id": new_id(), "office_id": self.office_id, "supplier_id": self.supplier_id, "version": 1}
        document = PurchaseOrder(**values, **own, number=str(new_id()))
        return document, [
            PurchaseOrderLine(**line, purchase_order_id=document.id, office_id=self.office_id, line=number)
            for number, line in enumerate(lines, 1)
        ]


@asynccontextmanager
async def undone(orders: ServiceHarness, scope: Scope, *rows: tuple[Any, Row]) -> AsyncIterator[AsyncSession]:
    """A request's transaction that finds these rows, beside others' data, and leaves nothing behind."""
    try:
        async with orders.app.state.database.app(scope) as session:
            await session.execute(text("SET LOCAL app.scope = 'network'"))
            session.add_all([model(**values) for model, values in rows])
            await session.flush()
            session.expunge_all()
            await session.execute(text(f"SET LOCAL app.scope = '{scope.kind}'"))
            yield session
            raise Undo
    except Undo:
        pass


UNLIKE = {"outbox": ("id", "created_at", "lease", "leased_until", "confirmed_at"), "audit_log": ("id", "at")}
"""Columns that differ with each insert, or that the relay changes."""


async def stored(session: AsyncSession, *tables: Any, office_id: UUID) -> dict[str, list[Row]]:
    """All rows of an office in these tables as they are now, whatever the transaction's scope."""
    await session.flush()
    await session.execute(text("SET LOCAL app.scope = 'network'"))
    found = {}
    for table in (getattr(table, "__table__", table) for table in tables):
        rows = await session.execute(select(table).where(table.c.office_id == office_id))
        unlike = UNLIKE.get(table.name, ())
        plain = [{name: value for name, value in row._mapping.items() if name not in unlike} for row in rows]
        found[table.name] = sorted(plain, key=lambda row: sorted((name, str(value)) for name, value in row.items()))
    return found


def as_row(instance: Any, *without: str) -> Row:
    """What an object has in its columns."""
    names = [column.key for column in instance.__table__.columns if column.key not in without]
    return {name: getattr(instance, name) for name in names}


# ── Twins on the ORM ─────────────────────────────────────────────────────────────────────────────────────────────────


async def take_basket(session: AsyncSession, client_id: UUID) -> store.TakenBasket | None:
    client = await session.scalar(select(Client).where(Client.client_id == client_id))
    if client is None:
        return None
    office = await session.get(models.Office, client.office_id)
    own = BasketItem.client_id == client_id
    items = await session.scalars(select(BasketItem).where(own).order_by(BasketItem.added_at, BasketItem.id))
    taken = [as_row(item) for item in items]
    await session.execute(delete(BasketItem).where(own))
    return store.TakenBasket(
        client=client,
        office_prefix=office.prefix if office else None,
        courier_delivery=office.courier_delivery if office else None,
        order_number=await session.scalar(ORDER_NUMBERS.next_value().select()) or 0,
        items=taken,
    )


def new_order(order: Row, positions: Sequence[Row]) -> tuple[Order, list[Position]]:
    return Order(**order), [Position(**values) for values in positions]


async def write_order(
    session: AsyncSession, order: Row, positions: Sequence[Row], *, events: Sequence[Row], audit: Row
) -> None:
    session.add(Order(**order))
    session.add_all([Position(**values) for values in positions])
    await session.execute(insert(outbox), list(events))
    await session.execute(insert(audit_log), [audit])


async def write_positions(session: AsyncSession, changed: Sequence[Position], added: Sequence[Position]) -> None:
    for position in changed:
        kept = await session.get_one(Position, position.id)
        for name, value in as_row(position).items():
            setattr(kept, name, value)
    session.add_all([Position(**as_row(position)) for position in added])


async def write_order_states(session: AsyncSession, orders: Sequence[Order]) -> None:
    for order in orders:
        kept = await session.get_one(Order, order.id)
        kept.state, kept.processed_at, kept.version = order.state, order.processed_at, order.version


async def write_purchase_orders(
    session: AsyncSession, documents: Sequence[tuple[PurchaseOrder, Sequence[PurchaseOrderLine]]]
) -> None:
    for document, lines in documents:
        session.add(PurchaseOrder(**as_row(document, "version")))
        session.add_all([PurchaseOrderLine(**as_row(line)) for line in lines])


STATEMENTS = [
    function
    for name, function in inspect.getmembers(store, inspect.isfunction)
    if function.__module__ == store.__name__ and not name.startswith("_")
]


@pytest.mark.parametrize("function", STATEMENTS)
def test_every_statement_has_a_twin_and_names_its_benchmark(function: Any) -> None:
    assert inspect.isfunction(globals().get(function.__name__)), "no twin"
    (named,) = re.findall(r"benchmarks/\S+\.py", function.__doc__)
    assert Path(named).is_file()


# ── Both agree ───────────────────────────────────────────────────────────────────────────────────────────────────────


@quick
@given(
    client=CLIENTS,
    items=lists_of(ITEMS),
    strays=lists_of(ITEMS),
    office=st.none() | rows_of(models.Office, "office_id"),
)
async def test_taking_a_basket(
    orders: ServiceHarness, client: Row, items: list[Row], strays: list[Row], office: Row | None
) -> None:
    """`strays` lie in the same client's basket, put there by the office that the client left."""
    branch, former = Branch(), Branch()
    own, strange = ({"client_id": branch.client_id, "office_id": side.office_id} for side in (branch, former))
    rows = [
        (Client, client | own),
        *((BasketItem, item | own | {"id": new_id()}) for item in items),
        *((BasketItem, item | strange | {"id": new_id()}) for item in strays),
        *([(models.Office, office | {"office_id": branch.office_id})] if office else []),
    ]
    for scope in (NETWORK, branch.staff, branch.client, former.staff, former.client):
        outcomes = []
        for fast in (True, False):
            async with undone(orders, scope, *rows) as session:
                taken = (
                    await store.take_basket(session, branch.client_id, scope)
                    if fast
                    else await take_basket(session, branch.client_id)
                )
                left = [await stored(session, BasketItem, office_id=side.office_id) for side in (branch, former)]
            outcomes.append((_as_compared(taken), left))
        assert outcomes[0] == outcomes[1]
        assert (taken is None) == (scope in (former.staff, former.client))


def _as_compared(taken: store.TakenBasket | None) -> Row | None:
    """Whatever a command reads of a basket; the number is a new one each time."""
    if taken is None:
        return None
    assert taken.order_number > 0
    columns = ("id", "added_at", "vehicle", *store.OFFERED)
    return {
        "client": as_row(taken.client, "city", "manager_id", "version"),
        "office": (taken.office_prefix, taken.courier_delivery),
        "items": [{name: item[name] for name in columns} for item in taken.items],
    }


@quick
@given(order=ORDERS, positions=lists_of(POSITIONS, at_least=1), details=values_of(audit_log.c.details))
async def test_writing_an_order(orders: ServiceHarness, order: Row, positions: list[Row], details: Row) -> None:
    branch = Branch()
    order = branch.order(order)
    positions = [branch.position(order, values) for values in positions]
    common = {"subject": f"order/{order['id']}", "office_id": branch.office_id}
    events = [{**common, "event_id": new_id(), "type": "t", "body": b"\x00{}", "headers": details} for _ in positions]
    audit = {**common, "actor_id": None, "actor_role": "x", "action": "a", "details": details, "correlation_id": ""}
    outcomes = []
    for write in (store.write_order, write_order):
        async with undone(orders, branch.staff) as session:
            await write(session, order, positions, events=events, audit=audit)
            outcomes.append(await stored(session, Order, Position, outbox, audit_log, office_id=branch.office_id))
    assert outcomes[0] == outcomes[1]
    assert [len(rows) for rows in outcomes[0].values()] == [1, len(positions), len(positions), 1]
    for fast, slow in zip(store.new_order(order, positions)[1], new_order(order, positions)[1], strict=True):
        assert as_row(fast) == as_row(slow)
    assert as_row(store.new_order(order, [])[0]) == as_row(new_order(order, [])[0])


@quick
@given(order=ORDERS, before=lists_of(POSITIONS, at_least=1), after=lists_of(POSITIONS), added=lists_of(POSITIONS))
async def test_writing_positions_back(
    orders: ServiceHarness, order: Row, before: list[Row], after: list[Row], added: list[Row]
) -> None:
    """What a position is made with (its order, number, line, lineage) stays; everything else may change."""
    branch = Branch()
    order = branch.order(order)
    placed = [branch.position(order, values) for values in before]
    made_with = {"id", "office_id", "client_id", "order_id", "order_number", "line", "origin_id", "split_from_id"}
    changed = [
        Position(**old | {name: value for name, value in new.items() if name not in made_with})
        for old, new in zip(placed, after, strict=False)
    ]
    split_off = [Position(**branch.position(order, values)) for values in added]
    outcomes = []
    for write in (store.write_positions, write_positions):
        async with undone(orders, branch.staff, (Order, order), *((Position, old) for old in placed)) as session:
            await write(session, changed, split_off)
            outcomes.append(await stored(session, Position, office_id=branch.office_id))
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0]["position"]) == len(before) + len(added)


@quick
@given(rows=st.lists(st.tuples(ORDERS, ORDERS), max_size=4))
async def test_writing_the_states_of_orders(orders: ServiceHarness, rows: list[tuple[Row, Row]]) -> None:
    branch = Branch()
    placed = [(branch.order(before), after) for before, after in rows]
    changing = ("state", "processed_at", "version")
    changed = [Order(**before | {name: after[name] for name in changing}) for before, after in placed]
    outcomes = []
    for write in (store.write_order_states, write_order_states):
        async with undone(orders, branch.staff, *((Order, before) for before, _ in placed)) as session:
            await write(session, changed)
            outcomes.append(await stored(session, Order, office_id=branch.office_id))
    assert outcomes[0] == outcomes[1]


@quick
@given(drawn=st.lists(st.tuples(PURCHASE_ORDERS, lists_of(LINES)), max_size=3))
async def test_writing_purchase_orders(orders: ServiceHarness, drawn: list[tuple[Row, list[Row]]]) -> None:
    branch = Branch()
    supplier = {
        "id": branch.supplier_id,
        "office_id": branch.office_id,
        "name": "Автотрейд",
        "email": "sales@x.example",
    }
    supplier |= {"active": True, "created_at": datetime.now(UTC)}
    documents = [branch.document(values, lines) for values, lines in drawn]
    outcomes = []
    for write in (store.write_purchase_orders, write_purchase_orders):
        async with undone(orders, branch.staff, (Supplier, supplier)) as session:
            await write(session, documents)
            outcomes.append(await stored(session, PurchaseOrder, PurchaseOrderLine, office_id=branch.office_id))
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0]["purchase_order_line"]) == sum(len(lines) for _, lines in documents)


# ── Isolation (ORG-04) ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Rows:
    """Detached copies of what one office has."""

    scope: Scope
    order: Order
    position: Position
    purchase_order: PurchaseOrder
    line: PurchaseOrderLine


async def rows_of_office(office: Office) -> Rows:
    supplier = await office.supplier()
    order = await office.pay(await office.place(an_item(supplier_id=supplier)))
    (position,) = await office.moved("order", order["positions"])
    async with office.orders.session() as session:
        found: list[Any] = [
            (await session.scalars(select(model).where(model.office_id == office.id))).one()
            for model in (Order, Position, PurchaseOrder, PurchaseOrderLine)
        ]
        session.expunge_all()
    assert str(found[1].id) == position["id"]
    return Rows(Scope("office", office.id), *found)


def strangers(office: Office) -> list[Scope]:
    """Another office, one of its clients, another client of the same office."""
    elsewhere = new_id()
    return [Scope("office", elsewhere), Scope("client", elsewhere, new_id()), Scope("client", office.id, new_id())]


async def everything(office: Office) -> dict[str, list[Row]]:
    tables = (BasketItem, Order, Position, PurchaseOrder, PurchaseOrderLine, outbox, audit_log)
    async with office.orders.session() as session:
        return await stored(session, *tables, office_id=office.id)


@pytest.mark.parametrize("layers", LAYERS)
async def test_a_strangers_basket_is_neither_seen_nor_taken(office: Office, layers: str) -> None:
    """The scope is in the statement, so it needs neither of the two layers."""
    added = await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item())
    assert added.status_code == 201
    async with office.orders.session() as session:
        item = await session.get_one(BasketItem, UUID(added.json()["id"]))
        session.add(BasketItem(**as_row(item) | {"id": new_id(), "office_id": new_id()}))
    before = await everything(office)
    async with active_layers(office.orders, layers):
        for scope in strangers(office):
            async with office.orders.app.state.database.app(scope) as session:
                assert await store.take_basket(session, office.client_id, scope) is None
        assert await everything(office) == before
        async with undone(office.orders, own := Scope("office", office.id)) as session:
            taken = await store.take_basket(session, office.client_id, own)
            assert taken is not None and len(taken.items) == 1


async def test_rows_of_another_office_or_client_are_not_changed(office: Office) -> None:
    mine = await rows_of_office(office)
    mine.position.manager_comment, mine.order.version = "written by a stranger", 99
    before = await everything(office)
    for scope in strangers(office):
        async with office.orders.app.state.database.app(scope) as session:
            await store.write_positions(session, [mine.position])
            await store.write_order_states(session, [mine.order])
        assert await everything(office) == before
    async with office.orders.app.state.database.app(mine.scope) as session:
        await store.write_positions(session, [mine.position])
        await store.write_order_states(session, [mine.order])
    assert await everything(office) != before


async def test_no_rows_are_added_for_another_office_or_client(office: Office) -> None:
    mine = await rows_of_office(office)
    order = as_row(mine.order) | {"id": new_id(), "number": str(new_id())}
    position = as_row(mine.position) | {"id": new_id(), "order_id": order["id"]}
    split_off = Position(**position | {"id": new_id(), "order_id": mine.order.id})
    document = PurchaseOrder(**as_row(mine.purchase_order) | {"id": new_id(), "number": str(new_id())})
    line = PurchaseOrderLine(**as_row(mine.line) | {"purchase_order_id": document.id})
    audit = {"actor_id": None, "actor_role": "x", "action": "a", "subject": "x", "office_id": None} | {
        "details": {},
        "correlation_id": "",
    }

    async def write_new_order(session: AsyncSession) -> None:
        await store.write_order(session, order, [position], events=[], audit=audit)

    async def write_split_off(session: AsyncSession) -> None:
        await store.write_positions(session, [], [split_off])

    async def write_document(session: AsyncSession) -> None:
        await store.write_purchase_orders(session, [(document, [line])])

    before = await everything(office)
    for write in (write_new_order, write_split_off, write_document):
        for scope in strangers(office):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                async with office.orders.app.state.database.app(scope) as session:
                    await write(session)
        assert await everything(office) == before
        async with office.orders.app.state.database.app(mine.scope) as session:
            await write(session)
        assert await everything(office) != before
        before = await everything(office)
