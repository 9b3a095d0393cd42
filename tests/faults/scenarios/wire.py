"""F7 without faults: four relays share the work, and nothing is published twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import aio_pika

from shared.messaging.topology import EVENTS, PROBE, republish_queue
from tests.faults.checker import Verdict, check_samples
from tests.faults.scenarios.base import Run, Stage, samples
from tests.faults.workload import Printers
from tests.faults.world import until

LONG_LEASE = {"REGLAMENT_RELAY_LEASE_SECONDS": "60"}
"""On a busy machine a short lease may rightly run out while its rows are published."""


async def run(run: Run) -> Verdict:
    async with samples(run, "F7-wire", presses=4, settings=LONG_LEASE) as stage:
        return await listen_while_printing(stage, run.seed, run.scale(150, 5000))


async def listen_while_printing(stage: Stage, seed: int, count: int) -> Verdict:
    """Print pages and count the messages of a queue bound to the exchange."""
    await first_requests_answered(stage)
    received: Counter[str] = Counter()
    connection = await aio_pika.connect(stage.world.amqp_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EVENTS, "#")

        async def record_message(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            if PROBE not in message.headers:
                received[message.message_id or ""] += 1

        await queue.consume(record_message, no_ack=True)
        await Printers(stage.world, stage.history, seed, writers=12).print(count)
        verdict = await check_samples(stage.world, stage.history)
    verdict.figures["messages on the wire"] = received.total()
    verdict.require_none("published twice without a fault", [event for event, times in received.items() if times > 1])
    return verdict


async def first_requests_answered(stage: Stage) -> None:
    """Wait until the republish requests of the first start are answered: they would look like doubles here."""
    connection = await aio_pika.connect(stage.world.amqp_url)
    async with connection:
        channel = await connection.channel()
        for producer in ("press", "ledger"):

            async def empty(name: str = republish_queue(producer)) -> bool:
                queue = await channel.declare_queue(name, passive=True)
                return queue.declaration_result.message_count == 0

            await until(empty, f"{producer} takes the requests", 60)
            last_check = "SELECT count(*) FROM topology_check WHERE queue = $1 AND last_good_at > $2"
            moment = datetime.now(UTC) + timedelta(seconds=1)

            async def done(producer: str = producer, query: str = last_check, after: datetime = moment) -> bool:
                return await stage.world.count(producer, query, republish_queue(producer), after) == 1

            await until(done, f"{producer} has answered", 60)
