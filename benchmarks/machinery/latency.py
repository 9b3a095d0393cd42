"""From commit to effect in another service: outbox, NOTIFY, relay, broker, inbox, handler, commit."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from benchmarks.machinery.messages import counting_consumers, event, sample_database
from benchmarks.machinery.serving import percentile
from shared.listener import Listener
from shared.messaging import publish
from shared.messaging.consumers import Dispatcher
from shared.messaging.relay import Relay
from shared.messaging.subscriptions import Subscriptions
from shared.testing.infrastructure import Infrastructure

TYPE = "orders.order.processed.v1"


@dataclass(frozen=True, slots=True)
class LatencyFigures:
    per_second: int
    p50_milliseconds: float
    p99_milliseconds: float


async def measure(infrastructure: Infrastructure, *, rates: list[int], seconds: float) -> list[LatencyFigures]:
    """Both sides run in this process on two databases' worth of work.

    From the moment the producer asks for its commit to the moment the consumer's handler writes.
    """
    async with sample_database(infrastructure, "latency") as (database, urls):
        listener = Listener(urls.worker)
        relay = Relay("sample", database, infrastructure.amqp_url, listener.listen("outbox"))
        subscriptions = Subscriptions(
            Dispatcher(counting_consumers(), database), [TYPE], database, infrastructure.amqp_url
        )
        running = [asyncio.create_task(work()) for work in (listener.run, relay.run, subscriptions.run)]
        async with asyncio.timeout(20):
            while not subscriptions.healthy:  # noqa: ASYNC110 (polls the running consumer)
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        reader = await asyncpg.connect(urls.admin)
        figures = []
        for rate in rates:
            await reader.execute("TRUNCATE effect; TRUNCATE outbox")
            asked: dict[UUID, float] = {}
            for _ in range(int(rate * seconds)):
                started = time.perf_counter()
                sent = event()
                async with database.worker() as session:
                    await publish(session, sent)
                    asked[sent.order_id] = time.time()
                await asyncio.sleep(max(0.0, 1 / rate - (time.perf_counter() - started)))
            await asyncio.sleep(1)
            rows = await reader.fetch("SELECT order_id, at FROM effect")
            delays = [(row["at"].timestamp() - asked[row["order_id"]]) * 1000 for row in rows]
            assert len(delays) == len(asked), "an event has not arrived"
            figures.append(LatencyFigures(rate, percentile(delays, 0.5), percentile(delays, 0.99)))
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await reader.close()
        return figures
