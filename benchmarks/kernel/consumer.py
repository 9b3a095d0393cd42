"""Consumer: events per second through the inbox, beside bare consume, one insert, commit, ack."""

import asyncio
import time
from dataclasses import dataclass

import aio_pika
import asyncpg
from aio_pika import DeliveryMode, Message

from benchmarks.kernel.messages import counting_consumers, event, sample_database
from devtools.testing.infrastructure import Infrastructure
from shared.messaging.consumers import Dispatcher
from shared.messaging.subscriptions import Subscriptions
from shared.messaging.topology import declare_exchanges, queue_name
from shared.persistence.database import Database, new_id

TYPE = "orders.order.processed.v1"
ROUNDS = 10


@dataclass(frozen=True, slots=True)
class ConsumerFigures:
    bare_per_second: float
    inbox_per_second: float

    @property
    def ratio(self) -> float:
        return self.inbox_per_second / self.bare_per_second


async def measure(infrastructure: Infrastructure, *, events: int) -> ConsumerFigures:
    """Consume the same number of events on both sides, alternating.

    The events are in the queue before it is read.  Both sides have eight connections.
    """
    size = events // ROUNDS
    async with sample_database(infrastructure, "consumer") as (database, urls):
        connection = await aio_pika.connect(infrastructure.amqp_url)
        channel = await connection.channel(publisher_confirms=True)
        exchange = await declare_exchanges(channel, "classic")
        name = queue_name("sample", TYPE)
        queue = await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "classic"})
        await queue.bind(exchange, routing_key=TYPE)
        bare = inbox = 0.0
        for _ in range(ROUNDS):
            await _fill(exchange, size)
            bare += await _consume_bare(infrastructure.amqp_url, name, urls.worker, size)
            await _fill(exchange, size)
            inbox += await _consume_once(infrastructure.amqp_url, database, urls.worker, size)
        await queue.delete(if_unused=False, if_empty=False)
        await connection.close()
        return ConsumerFigures(events / bare, events / inbox)


async def _consume_once(amqp_url: str, database: Database, database_url: str, count: int) -> float:
    """Return seconds from the first event in the inbox to the last."""
    counter = await asyncpg.connect(database_url)
    await counter.execute("DELETE FROM inbox")
    subscriptions = Subscriptions(Dispatcher(counting_consumers(), database), [TYPE], database, amqp_url)
    running = asyncio.create_task(subscriptions.run())
    while await counter.fetchval("SELECT count(*) FROM inbox") < count:  # noqa: ASYNC110 (asks the database)
        await asyncio.sleep(0.1)
    seconds = await counter.fetchval("SELECT extract(epoch FROM max(processed_at) - min(processed_at)) FROM inbox")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await counter.close()
    return float(seconds)


async def _fill(exchange: aio_pika.abc.AbstractExchange, count: int) -> None:
    for start in range(0, count, 500):
        await asyncio.gather(
            *(
                exchange.publish(
                    Message(
                        event().model_dump_json().encode(),
                        delivery_mode=DeliveryMode.PERSISTENT,
                        message_id=str(new_id()),
                        headers={"cloudEvents:type": TYPE},
                    ),
                    routing_key=TYPE,
                )
                for _ in range(min(500, count - start))
            )
        )


async def _no_reset(_: asyncpg.Connection) -> None:
    """Skip the reset that asyncpg's pool sends: nothing is set in these sessions."""


async def _consume_bare(amqp_url: str, name: str, database_url: str, count: int) -> float:
    """Return seconds to take `count` messages, each with one committed insert."""
    pool = await asyncpg.create_pool(database_url, min_size=8, max_size=8, reset=_no_reset)
    connection = await aio_pika.connect(amqp_url)
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=50)
    queue = await channel.get_queue(name)
    left, done = count, asyncio.Event()

    async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        nonlocal left
        async with pool.acquire() as database, database.transaction():
            await database.execute("INSERT INTO effect (order_id) VALUES ($1)", new_id())
        await message.ack()
        left -= 1
        if not left:
            done.set()

    started = time.perf_counter()
    await queue.consume(take)
    await done.wait()
    elapsed = time.perf_counter() - started
    await connection.close()
    await pool.close()
    return elapsed
