"""Baselines of the route that places an order: no sign-in, no scope, no key, no audit.

Each takes the basket, writes the order, its positions and an outbox row in one transaction and answers with the lines.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Request
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from benchmarks.kernel.serving import serve
from services.orders.domain.order import OrderState
from services.orders.domain.position import PositionState
from services.orders.models import BasketItem, Order, Position
from services.orders.models.basket import OfferedPart
from shared.base.clock import now
from shared.persistence.connections import sqlalchemy_url
from shared.persistence.database import new_id
from shared.persistence.tables import outbox

CONNECTIONS = 8
_OFFERED = list(OfferedPart.__annotations__)
_BASKET: Any = BasketItem.__table__
_ORDERS: Any = Order.__table__
_POSITIONS: Any = Position.__table__
_NETWORK = {"app.scope": "network"}
"""The scope of the network, in which row-level security lets everything through."""


def _order_values(order_id: UUID, items: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": order_id,
        "office_id": items[0].office_id,
        "client_id": items[0].client_id,
        "number": str(order_id),
        "state": OrderState.MODERATION,
        "client_category": "internet",
        "client_kind": "online",
        "wholesale": False,
        "channel": "office",
        "total": sum(item.sale_price * item.quantity for item in items),
        "check_requested": False,
        "disclosures": [],
        "delivery": "office",
        "placed_by": items[0].client_id,
        "placed_at": now(),
        "version": 1,
    }


def _position_values(order_id: UUID, line: int, item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in _OFFERED} | {
        "id": new_id(),
        "office_id": item.office_id,
        "client_id": item.client_id,
        "order_id": order_id,
        "order_number": str(order_id),
        "line": line,
        "state": PositionState.MODERATION,
        "state_changed_at": now(),
        "paid": False,
        "finally_refused": False,
        "version": 1,
    }


def _outbox_values(office_id: UUID, order_id: UUID, total: Any) -> dict[str, Any]:
    body = json.dumps({"order_id": str(order_id), "total": str(total)}).encode()
    return {
        "event_id": new_id(),
        "type": "benchmark",
        "subject": "order",
        "office_id": office_id,
        "body": body,
        "headers": {},
    }


def _answer(order_id: UUID, total: Any, items: Sequence[Any]) -> dict[str, Any]:
    lines = [{"article": item.article, "price": str(item.sale_price)} for item in items]
    return {"id": str(order_id), "total": str(total), "positions": lines}


def _application(database_url: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.engine = create_async_engine(
            sqlalchemy_url(database_url),
            pool_size=CONNECTIONS,
            max_overflow=0,
            connect_args={"server_settings": _NETWORK},
        )
        yield

    return FastAPI(lifespan=lifespan)


def serve_core(port: int, database_url: str) -> None:
    """Serve the route with SQLAlchemy Core, statements built for each request as usual."""
    app = _application(database_url)

    @app.post("/orders", status_code=201)
    async def place(request: Request) -> dict[str, Any]:
        engine: AsyncEngine = app.state.engine
        client_id, order_id = UUID((await request.json())["client_id"]), new_id()
        async with engine.begin() as database:
            taken = delete(_BASKET).where(_BASKET.c.client_id == client_id).returning(*_BASKET.columns)
            items = (await database.execute(taken)).all()
            order = _order_values(order_id, items)
            await database.execute(insert(_ORDERS), [order])
            positions = [_position_values(order_id, line, item) for line, item in enumerate(items, 1)]
            await database.execute(insert(_POSITIONS), positions)
            await database.execute(insert(outbox), [_outbox_values(order["office_id"], order_id, order["total"])])
        return _answer(order_id, order["total"], items)

    serve(app, port)


def serve_orm(port: int, database_url: str) -> None:
    """Serve the route with SQLAlchemy's ORM and its unit of work."""
    app = _application(database_url)

    @app.post("/orders", status_code=201)
    async def place(request: Request) -> dict[str, Any]:
        client_id, order_id = UUID((await request.json())["client_id"]), new_id()
        async with AsyncSession(app.state.engine, expire_on_commit=False) as session, session.begin():
            items = (await session.scalars(select(BasketItem).where(BasketItem.client_id == client_id))).all()
            order = Order(**_order_values(order_id, items))
            session.add(order)
            await session.flush()
            for line, item in enumerate(items, 1):
                session.add(Position(**_position_values(order_id, line, item)))
                await session.delete(item)
            await session.execute(insert(outbox).values(**_outbox_values(order.office_id, order_id, order.total)))
        return _answer(order_id, order.total, items)

    serve(app, port)


def serve_bare(port: int, database_url: str) -> None:
    """Serve the route with asyncpg alone."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = await asyncpg.create_pool(
            database_url, min_size=CONNECTIONS, max_size=CONNECTIONS, server_settings=_NETWORK
        )
        yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/orders", status_code=201)
    async def place(request: Request) -> dict[str, Any]:
        client_id = UUID((await request.json())["client_id"])
        order_id = new_id()
        async with app.state.pool.acquire() as database, database.transaction():
            items = await database.fetch("DELETE FROM basket_item WHERE client_id = $1 RETURNING *", client_id)
            office_id = items[0]["office_id"]
            total = sum(item["sale_price"] * item["quantity"] for item in items)
            await database.execute(
                "INSERT INTO customer_order (id, office_id, client_id, number, state, client_category, client_kind,"
                " wholesale, channel, total, check_requested, disclosures, delivery, placed_by, placed_at, version)"
                " VALUES ($1, $2, $3, $4, 'moderation', 'internet', 'online', false, 'office', $5, false, '[]',"
                " 'office', $3, now(), 1)",
                order_id,
                office_id,
                client_id,
                str(order_id),
                total,
            )
            await database.executemany(
                "INSERT INTO position (id, office_id, client_id, order_id, order_number, line, article, brand,"
                " description, kind, quantity, sale_price, no_catalogue, state, state_changed_at, paid,"
                " finally_refused, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, false,"
                " 'moderation', now(), false, false, 1)",
                [
                    (
                        new_id(),
                        office_id,
                        client_id,
                        order_id,
                        str(order_id),
                        line,
                        item["article"],
                        item["brand"],
                        item["description"],
                        item["kind"],
                        item["quantity"],
                        item["sale_price"],
                    )
                    for line, item in enumerate(items, 1)
                ],
            )
            await database.execute(
                "INSERT INTO outbox (event_id, type, subject, office_id, body, headers)"
                " VALUES ($1, 'benchmark', 'order', $2, $3, '{}')",
                new_id(),
                office_id,
                json.dumps({"order_id": str(order_id), "total": str(total)}).encode(),
            )
        lines = [{"article": item["article"], "price": str(item["sale_price"])} for item in items]
        return {"id": str(order_id), "total": str(total), "positions": lines}

    serve(app, port)
