"""F5: a queue, a binding, the exchange vanish under load."""

import asyncio
import time

import aio_pika
import httpx

from shared.messaging.topology import EVENTS
from tests.faults.checker import DRAIN_SECONDS, Verdict, check_samples
from tests.faults.scenarios.base import Run, Stage, samples
from tests.faults.world import until

QUEUE = "ledger.press.page.printed.v1"
KEY = "press.page.printed.v1"
ALARM = "reglament_topology_repaired_total{"
RESTORED_SECONDS = 30.0


async def run(run: Run) -> Verdict:
    async with samples(run, "F5", settings=run.check_settings) as stage:
        worst = 0.0
        verdict = Verdict()
        for what in ["queue", "binding", "exchange"] * run.scale(1, 5):
            await stage.printers.print(run.scale(20, 500))
            before = await alarms(stage)
            printing = asyncio.create_task(stage.printers.print(run.scale(40, 1000)))
            stage.history.write("fault", what=f"{what} deleted")
            await damage(stage, what)
            worst = max(worst, await until(lambda: in_order(stage), f"{what} restored", 2 * RESTORED_SECONDS))
            await printing
            # Consumers need time for a burst of a thousand pages and what is published again.
            timeout = run.pick(DRAIN_SECONDS, 600)
            verdict = await check_samples(stage.world, stage.history, since=time.monotonic(), timeout=timeout)
            verdict.require(await alarms(stage) > before, f"{what} deleted: no alarm was raised")
            if not verdict.holds:
                break
        verdict.require_at_most("restored, s", worst, RESTORED_SECONDS)
        return verdict


async def damage(stage: Stage, what: str) -> None:
    connection = await aio_pika.connect(stage.world.amqp_url)
    async with connection:
        channel = await connection.channel()
        if what == "queue":
            await channel.queue_delete(QUEUE)
        elif what == "binding":
            queue = await channel.get_queue(QUEUE, ensure=False)
            await queue.unbind(EVENTS, KEY)
        else:
            await channel.exchange_delete(EVENTS)


async def in_order(stage: Stage) -> bool:
    """Return whether the queue is bound to the exchange and has a consumer."""
    connection = await aio_pika.connect(stage.world.amqp_url)
    async with connection:
        try:
            queue = await (await connection.channel()).declare_queue(QUEUE, passive=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return False
    bindings = f"/api/bindings/{stage.world.prefix}/e/{EVENTS}/q/{QUEUE}"
    with stage.world.servers.management() as management:
        found = await asyncio.to_thread(management.get, bindings)
    bound = found.is_success and any(binding["routing_key"] == KEY for binding in found.json())
    return bound and bool(queue.declaration_result.consumer_count)


async def alarms(stage: Stage) -> float:
    """Return the sum of the repair counters of both services."""
    total = 0.0
    async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
        for url in [*stage.world.urls("press"), *stage.world.urls("ledger")]:
            lines = (await http.get(f"{url}/metrics")).text.splitlines()
            total += sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(ALARM))
    return total
