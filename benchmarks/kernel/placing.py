"""`POST /orders` with five positions: beside the same route without guarantees, and during faults beside itself."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from benchmarks.kernel.baselines import CONNECTIONS, serve_bare, serve_core, serve_orm
from benchmarks.kernel.messages import BACKLOG, backlog_arguments
from benchmarks.kernel.seed_data import full_baskets, orders_database
from benchmarks.kernel.serving import Connection, percentile, serve_orders, served
from devtools.supervisor.processes import free_port
from devtools.testing.infrastructure import Infrastructure
from shared.identity.roles import Role
from shared.persistence.database import new_id

WARM_UP = 40
ROUNDS = 4
PACE = 0.015
"""Seconds from one order to the next where latency is measured."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Requests per second."""

    reglament: float
    bare: float
    core: float
    orm: float


async def measure(infrastructure: Infrastructure, *, orders: int) -> Placed:
    """Place the same number of orders on each side over eight kept connections, alternating."""
    office = new_id()
    async with AsyncExitStack() as stack:
        names = ("reglament", "bare", "core", "orm")
        # A database for each: the relay would publish the other side's outbox rows too.
        urls = {name: await stack.enter_async_context(orders_database(infrastructure, name)) for name in names}
        shares = {name: await full_baskets(urls[name], office, orders + WARM_UP) for name in names}
        servers = {
            "reglament": served(serve_orders, urls["reglament"], infrastructure.amqp_url),
            "bare": served(serve_bare, urls["bare"].worker),
            "core": served(serve_core, urls["core"].worker),
            "orm": served(serve_orm, urls["orm"].worker),
        }
        ports = {name: await stack.enter_async_context(server) for name, server in servers.items()}
        seconds = dict.fromkeys(ports, 0.0)
        for name, port in ports.items():
            await _place_concurrently(port, shares[name][:WARM_UP], office)
        for slices in zip(*(_slices(share[WARM_UP:], ROUNDS) for share in shares.values()), strict=True):
            for name, some in zip(ports, slices, strict=True):
                started = time.perf_counter()
                await _place_concurrently(ports[name], some, office)
                seconds[name] += time.perf_counter() - started
        await _until_published(urls["reglament"].admin)
        return Placed(**{name: orders / elapsed for name, elapsed in seconds.items()})


@dataclass(frozen=True, slots=True)
class DegradedLatency:
    """p99 of placing an order in milliseconds: at rest, without broker, with a backlog."""

    rest: float
    broker_down: float
    backlog: float


async def degraded_latency(infrastructure: Infrastructure, *, orders: int, backlog: int) -> DegradedLatency:
    """Place an order every 15 ms, alternating: at rest, without broker, and with `backlog` unpublished events."""
    office = new_id()
    unreachable = f"amqp://guest:guest@127.0.0.1:{free_port()}/"
    situations = {"rest": infrastructure.amqp_url, "broker_down": unreachable, "backlog": unreachable}
    async with AsyncExitStack() as stack:
        ports: dict[str, int] = {}
        clients: dict[str, list[UUID]] = {}
        for name, amqp_url in situations.items():
            urls = await stack.enter_async_context(orders_database(infrastructure, name))
            if name == "backlog":
                await _fill_outbox(urls.admin, backlog)
            clients[name] = await full_baskets(urls, office, orders + WARM_UP)
            ports[name] = await stack.enter_async_context(served(serve_orders, urls, amqp_url))
        times: dict[str, list[float]] = {name: [] for name in ports}
        for name, port in ports.items():
            await _place_concurrently(port, clients[name][:WARM_UP], office)
        for slices in zip(*(_slices(clients[name][WARM_UP:], 2 * ROUNDS) for name in ports), strict=True):
            for name, some in zip(ports, slices, strict=True):
                times[name] += await _place_sequentially(ports[name], some, office)
        return DegradedLatency(**{name: percentile(some, 0.99) * 1000 for name, some in times.items()})


async def _until_published(admin_url: str) -> None:
    """Wait until the relay has published everything: its work is part of what was measured."""
    admin = await asyncpg.connect(admin_url)
    async with asyncio.timeout(60):
        while await admin.fetchval("SELECT count(*) FROM outbox WHERE confirmed_at IS NULL"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert await admin.fetchval("SELECT count(*) FROM outbox") > 0
    await admin.close()


async def _fill_outbox(admin_url: str, count: int) -> None:
    admin = await asyncpg.connect(admin_url)
    await admin.execute(BACKLOG, *backlog_arguments(count), timeout=600)
    await admin.close()


def _slices(clients: list[UUID], count: int) -> Iterator[list[UUID]]:
    size = -(-len(clients) // count)
    return (clients[start : start + size] for start in range(0, len(clients), size))


async def _place_concurrently(port: int, clients: list[UUID], office: UUID) -> None:
    connections = [await Connection.to(port, Role.MANAGER, office) for _ in range(CONNECTIONS)]

    async def work(number: int) -> None:
        for client in clients[number::CONNECTIONS]:
            await _place(connections[number], client)

    await asyncio.gather(*map(work, range(CONNECTIONS)))
    for connection in connections:
        connection.close()


async def _place_sequentially(port: int, clients: list[UUID], office: UUID) -> list[float]:
    """Return the seconds that each order took."""
    connection = await Connection.to(port, Role.MANAGER, office)
    times = []
    for client in clients:
        started = time.perf_counter()
        await _place(connection, client)
        times.append(time.perf_counter() - started)
        await asyncio.sleep(max(0.0, PACE - times[-1]))
    connection.close()
    return times


async def _place(connection: Connection, client: UUID) -> None:
    await connection.post("/orders", {"client_id": str(client)}, key=client, status=201)
