"""Cost of an event: opening through the broker, closing in the caller's transaction, with many more rules."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import aio_pika
import asyncpg
from aio_pika import DeliveryMode, Message
from sqlalchemy import text

from benchmarks.clock.bare import close_bare, open_bare
from benchmarks.clock.seed_data import SeedData
from devtools.testing.infrastructure import Infrastructure
from services.notifier.clock.commands.apply_event import apply_event
from services.notifier.consumers import consumers
from shared.contracts.billing import InvoiceIssued, InvoicePaid
from shared.messaging.consumers import Dispatcher
from shared.messaging.subscriptions import Subscriptions
from shared.messaging.topology import declare_exchanges, queue_name
from shared.persistence.database import new_id

TYPE = InvoiceIssued.type
CONNECTIONS = 8
_BEGUN = text("SELECT 1")
"""Stands for the caller's first statement: a consumer's transaction begins with its inbox row."""


@dataclass(frozen=True, slots=True)
class Rates:
    ours: float
    bare: float


@dataclass(frozen=True, slots=True)
class Closing:
    """Milliseconds, median."""

    ours: float
    bare: float


def issued(seed_data: SeedData) -> InvoiceIssued:
    """Return an event that opens exactly one obligation, BILL-06."""
    return InvoiceIssued.model_validate({**_invoice(seed_data), "issued_at": datetime.now(UTC)})


def _invoice(seed_data: SeedData) -> dict[str, object]:
    return {
        "office_id": seed_data.office_id,
        "version": 1,
        "occurred_at": datetime.now(UTC),
        "invoice_id": new_id(),
        "number": "15",
        "client_id": new_id(),
        "amount": "100.00",
    }


async def opening(seed_data: SeedData, infrastructure: Infrastructure, *, events: int) -> Rates:
    """Return obligations opened per second: consume, match, compute, write, acknowledge.  One process, one core."""
    connection = await aio_pika.connect(infrastructure.amqp_url)
    channel = await connection.channel(publisher_confirms=True)
    exchange = await declare_exchanges(channel, "classic")
    queue = await channel.declare_queue(
        queue_name("notifier", TYPE), durable=True, arguments={"x-queue-type": "classic"}
    )
    await queue.bind(exchange, routing_key=TYPE)
    bodies = [issued(seed_data).model_dump_json().encode() for _ in range(events)]
    for start in range(0, events, 500):
        messages = [
            Message(
                body,
                delivery_mode=DeliveryMode.PERSISTENT,
                message_id=str(new_id()),
                headers={"cloudEvents:type": TYPE},
            )
            for body in bodies[start : start + 500]
        ]
        await asyncio.gather(*(exchange.publish(message, routing_key=TYPE) for message in messages))
    subscriptions = Subscriptions(
        Dispatcher(consumers, seed_data.database), [TYPE], seed_data.database, infrastructure.amqp_url
    )
    running = asyncio.create_task(subscriptions.run())
    while not await _count_applied(seed_data):  # noqa: ASYNC110 (polls the consumer; connecting is not what is measured)
        await asyncio.sleep(0.002)
    already, started = await _count_applied(seed_data), time.perf_counter()
    while (applied := await _count_applied(seed_data)) < events:  # noqa: ASYNC110 (polls the consumer)
        await asyncio.sleep(0.02)
    ours = (applied - already) / (time.perf_counter() - started)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await queue.delete(if_unused=False, if_empty=False)
    await connection.close()
    bare = await _open_bare(seed_data, min(events, 1_000))
    await seed_data.admin.execute("TRUNCATE inbox, outbox, obligation_history, subjects, tombstones CASCADE")
    return Rates(ours, bare)


async def _count_applied(seed_data: SeedData) -> int:
    count: int = await seed_data.admin.fetchval("SELECT count(*) FROM inbox WHERE consumer = 'notifier'")
    return count


async def _open_bare(seed_data: SeedData, number: int) -> float:
    pattern = await seed_data.admin.fetchval("SELECT id FROM obligations LIMIT 1")
    pool = await asyncpg.create_pool(
        seed_data.urls.worker, min_size=CONNECTIONS, max_size=CONNECTIONS, server_settings={"app.scope": "network"}
    )
    waiting = [new_id() for _ in range(number)]

    async def work() -> None:
        while waiting:
            subject = waiting.pop()
            async with pool.acquire() as connection:
                await open_bare(connection, pattern, subject)

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    elapsed = time.perf_counter() - started
    await pool.close()
    return number / elapsed


async def closing(seed_data: SeedData, number: int = 150) -> Closing:
    """Measure what is added to the caller's transaction, without its beginning and commit."""
    ours, bare = [], []
    for _ in range(number):
        event = issued(seed_data)
        async with seed_data.database.worker() as session:
            await session.execute(_BEGUN)
            await apply_event(session, event, at=event.occurred_at)
        paid = InvoicePaid.model_validate(event.model_dump() | {"occurred_at": datetime.now(UTC)})
        async with seed_data.database.worker() as session:
            await session.execute(_BEGUN)
            begun = time.perf_counter()
            await apply_event(session, paid, at=paid.occurred_at)
            ours.append(time.perf_counter() - begun)
    obligations: list[UUID] = [
        row["id"] for row in await seed_data.admin.fetch("SELECT id FROM obligations LIMIT $1", number)
    ]
    connection = await asyncpg.connect(seed_data.urls.worker, server_settings={"app.scope": "network"})
    for obligation_id in obligations:
        async with connection.transaction():
            begun = time.perf_counter()
            await close_bare(connection, obligation_id, seed_data.office_id)
            bare.append(time.perf_counter() - begun)
    await connection.close()
    return Closing(statistics.median(ours) * 1000, statistics.median(bare) * 1000)


async def more_rules(seed_data: SeedData, times: int = 10, number: int = 150) -> float:
    """Return the cost of an event with many more rules in force as a ratio; the extra rules belong to other offices."""
    before = await _cost(seed_data, number)
    await seed_data.admin.execute(
        "INSERT INTO rules (id, code, version, office_id, effective_from, body)"
        " SELECT gen_random_uuid(), code, version + copy, gen_random_uuid(), effective_from, body"
        " FROM rules, generate_series(1, $1) AS copy",
        times - 1,
    )
    after = await _cost(seed_data, number)
    again = await _cost(seed_data, number)
    return min(after, again) / before


async def _cost(seed_data: SeedData, number: int) -> float:
    """Return the median seconds of one opening in a transaction; the first ones warm up."""
    spent = []
    for _ in range(number):
        event = issued(seed_data)
        begun = time.perf_counter()
        async with seed_data.database.worker() as session:
            await session.execute(_BEGUN)
            await apply_event(session, event, at=event.occurred_at)
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent[20:])
