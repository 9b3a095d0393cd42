"""Relay: events per second from committed to confirmed, beside bare aio-pika publishing in batches."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

import aio_pika
import asyncpg
import psutil
from aio_pika import DeliveryMode, Message

from benchmarks.kernel.messages import BACKLOG, backlog_arguments, event, sample_database
from devtools.testing.infrastructure import Infrastructure
from shared.messaging.relay import BATCH, Relay
from shared.messaging.topology import declare_exchanges
from shared.persistence.database import new_id
from shared.persistence.listener import Wakeup

QUEUE = "benchmark"


@dataclass(frozen=True, slots=True)
class RelayFigures:
    bare_per_second: float
    relay_per_second: float
    memory_growth_megabytes: float
    relayed: int

    @property
    def ratio(self) -> float:
        return self.relay_per_second / self.bare_per_second


async def measure(infrastructure: Infrastructure, *, backlog: int, seconds: float) -> RelayFigures:
    """Alternate three slices of each side, so that a slow machine slows both."""
    async with sample_database(infrastructure, "relay") as (database, urls):
        admin = await asyncpg.connect(urls.admin)
        await admin.execute(BACKLOG, *backlog_arguments(backlog))
        await admin.execute("ANALYZE outbox")
        await admin.close()
        relay = Relay("sample", database, infrastructure.amqp_url, Wakeup())
        connection = await aio_pika.connect(infrastructure.amqp_url)
        channel = await connection.channel(publisher_confirms=True)
        exchange = await declare_exchanges(channel, "classic")
        queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-max-length": 1000})
        await queue.bind(exchange, routing_key="orders.order.processed.v1")
        memory = psutil.Process().memory_info().rss
        bare, relayed, bare_time, relay_time = 0, 0, 0.0, 0.0
        for _ in range(3):
            started = time.perf_counter()
            while (bare_slice := time.perf_counter() - started) < seconds / 3:
                await _publish_bare(exchange)
                bare += BATCH
            bare_time += bare_slice
            before = await _confirmed(urls.worker)
            started = time.perf_counter()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds / 3):
                    await relay.run()
            relay_time += time.perf_counter() - started
            relayed += await _confirmed(urls.worker) - before
        growth = (psutil.Process().memory_info().rss - memory) / 1e6
        await queue.delete(if_unused=False, if_empty=False)
        await connection.close()
        return RelayFigures(bare / bare_time, relayed / relay_time, growth, relayed)


async def _confirmed(database_url: str) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM outbox WHERE confirmed_at IS NOT NULL"))
    finally:
        await connection.close()


async def _publish_bare(exchange: aio_pika.abc.AbstractExchange) -> None:
    body = event().model_dump_json().encode()
    messages = [Message(body, delivery_mode=DeliveryMode.PERSISTENT, message_id=str(new_id())) for _ in range(BATCH)]
    await asyncio.gather(*(exchange.publish(message, routing_key="orders.order.processed.v1") for message in messages))
