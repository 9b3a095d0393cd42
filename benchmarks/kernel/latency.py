"""From commit to effect in another service: outbox, NOTIFY, relay, broker, inbox, handler, commit."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from benchmarks.kernel.messages import counting_consumers, event, sample_database
from benchmarks.kernel.report import run_like_service
from benchmarks.kernel.serving import percentile
from devtools.testing.databases import ScratchUrls
from devtools.testing.infrastructure import Infrastructure
from shared.messaging import publish
from shared.messaging.consumers import Dispatcher
from shared.messaging.relay import Relay
from shared.messaging.subscriptions import Subscriptions
from shared.persistence.database import Database
from shared.persistence.listener import Listener

WARM_UP = 100
ARRIVAL_SECONDS = 60
TYPE = "orders.order.processed.v1"


@dataclass(frozen=True, slots=True)
class LatencyFigures:
    per_second: int
    p50_milliseconds: float
    p99_milliseconds: float


async def measure(infrastructure: Infrastructure, *, rates: list[int], seconds: float) -> list[LatencyFigures]:
    """Measure from the producer's commit to the write of the consumer's handler.

    The producer and its relay run in this process, the consumer in another one.
    """
    async with sample_database(infrastructure, "latency") as (database, urls):
        listener = Listener(urls.worker)
        relay = Relay("sample", database, infrastructure.amqp_url, listener.listen("outbox"))
        reader = await asyncpg.connect(urls.admin)
        with _consumer_process(urls, infrastructure.amqp_url):
            running = [asyncio.create_task(work()) for work in (listener.run, relay.run)]
            await _committed(database, reader, WARM_UP, 50)
            figures = []
            for rate in rates:
                asked = await _committed(database, reader, int(rate * seconds), rate)
                rows = await reader.fetch("SELECT order_id, at FROM effect")
                delays = [(row["at"].timestamp() - asked[row["order_id"]]) * 1000 for row in rows]
                figures.append(LatencyFigures(rate, percentile(delays, 0.5), percentile(delays, 0.99)))
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        await reader.close()
        return figures


async def _committed(database: Database, reader: asyncpg.Connection, count: int, rate: int) -> dict[UUID, float]:
    """Publish events at a fixed rate; return the moments of their commits after all have arrived.

    Each event is published at its planned moment, even when earlier ones are late: a stall must not reduce the load.
    """
    await reader.execute("TRUNCATE effect; TRUNCATE outbox")
    asked: dict[UUID, float] = {}

    async def commit() -> None:
        sent = event()
        async with database.worker() as session:
            await publish(session, sent)
            asked[sent.order_id] = time.time()

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            group.create_task(commit())
    async with asyncio.timeout(ARRIVAL_SECONDS):
        while await reader.fetchval("SELECT count(*) FROM effect") < count:  # noqa: ASYNC110 (asks the database)
            await asyncio.sleep(0.1)
    return asked


@contextmanager
def _consumer_process(urls: ScratchUrls, amqp_url: str) -> Iterator[None]:
    """Run the consumer; the entry of its process."""
    process = multiprocessing.get_context("fork").Process(target=_consume, args=(urls, amqp_url), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _consume(urls: ScratchUrls, amqp_url: str) -> None:
    async def forever() -> None:
        database = Database(urls.app, urls.worker, name="benchmark")
        await Subscriptions(Dispatcher(counting_consumers(), database), [TYPE], database, amqp_url).run()

    run_like_service(forever())
