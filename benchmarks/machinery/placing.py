"""`POST /orders` with five positions, beside the same route on bare asyncpg without sign-in, scope, key, audit.

Both are served by uvicorn in a process of their own and asked over eight kept connections.
"""

import asyncio
import json
import multiprocessing
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import uvicorn
from fastapi import FastAPI, Request

from reglament_cli.processes import free_port
from services.serving import load
from shared import logging, migrate
from shared.app import build_app
from shared.database import new_id
from shared.identity.roles import Role
from shared.testing.databases import ScratchUrls, scratch_database
from shared.testing.infrastructure import Infrastructure
from tests.harness import TestVerifier, token

CONNECTIONS = 8
POSITIONS = 5

FILL_CLIENTS = (
    "INSERT INTO client (client_id, office_id, full_name, name_verified, kind, category, active, version)"
    " SELECT id, $2, 'Клиент', true, 'online', 'internet', true, 1 FROM unnest($1::uuid[]) AS id"
)
FILL_BASKETS = (
    "INSERT INTO basket_item (id, office_id, client_id, article, brand, description, kind, quantity, sale_price,"
    " no_catalogue, added_by, added_at)"
    " SELECT gen_random_uuid(), $2, id, 'GDB' || line, 'TRW', 'Колодки', 'consumable', 1, 1000, false, id, now()"
    " FROM unnest($1::uuid[]) AS id, generate_series(1, $3) AS line"
)


@dataclass(frozen=True, slots=True)
class PlacingFigures:
    bare_per_second: float
    placed_per_second: float

    @property
    def ratio(self) -> float:
        return self.placed_per_second / self.bare_per_second


async def measure(infrastructure: Infrastructure, *, orders: int) -> PlacingFigures:
    async with scratch_database(infrastructure.database_url, "orders", "placing") as urls:
        await migrate.upgrade("services.orders", urls.owner)
        office = new_id()
        clients = [new_id() for _ in range(2 * orders)]
        admin = await asyncpg.connect(urls.admin)
        await admin.execute(FILL_CLIENTS, clients, office)
        await admin.execute(FILL_BASKETS, clients, office, POSITIONS)
        await admin.execute("ANALYZE")
        await admin.close()
        access = token(Role.MANAGER, office_id=office)
        bare = await _served(_serve_bare, (urls.worker,), clients[:orders], "")
        placed = await _served(_serve_orders, (urls, infrastructure.amqp_url), clients[orders:], access)
        return PlacingFigures(orders / bare, orders / placed)


async def _served(serve: Any, arguments: tuple[Any, ...], clients: list[UUID], access: str) -> float:
    """Seconds for one order of each client."""
    port = free_port()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(port, *arguments), daemon=True)
    process.start()
    try:
        await _until_open(port)
        await _place(port, clients[:20], access)
        started = time.perf_counter()
        share = [clients[20 + number :: CONNECTIONS] for number in range(CONNECTIONS)]
        await asyncio.gather(*(_place(port, some, access) for some in share))
        return (time.perf_counter() - started) * len(clients) / (len(clients) - 20)
    finally:
        process.terminate()
        process.join(10)


async def _until_open(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return


async def _place(port: int, clients: list[UUID], access: str) -> None:
    """One kept connection, one request after another; a client library would cost more than the bare route."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for client in clients:
        body = json.dumps({"client_id": str(client)}).encode()
        head = (
            f"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: {client}\r\n"
            f"Authorization: Bearer {access}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 201"), answer
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


def _serve_orders(port: int, urls: ScratchUrls, amqp_url: str) -> None:
    # Logs are written and thrown away: a terminal is not what is measured.
    sys.stderr = Path("/dev/null").open("w")  # noqa: SIM115 (as long as the process)
    logging.configure("json", "INFO")
    service = load("orders")
    app = build_app(service, service.settings(amqp_url=amqp_url), urls, TestVerifier())
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="error", access_log=False)


def _serve_bare(port: int, database_url: str) -> None:
    app = FastAPI()

    @app.post("/orders", status_code=201)
    async def place(request: Request) -> dict[str, Any]:
        if not hasattr(app.state, "pool"):
            app.state.pool = await asyncpg.create_pool(
                database_url, min_size=CONNECTIONS, max_size=CONNECTIONS, server_settings={"app.scope": "network"}
            )
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

    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="error", access_log=False)
