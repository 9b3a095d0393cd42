"""F6: messages that cannot be applied, among good ones."""

import asyncio
import contextlib
import time
from datetime import datetime
from uuid import UUID, uuid4

import aio_pika

from shared.messaging.topology import EVENTS
from tests.faults.checker import Verdict, check_drained, check_pages
from tests.faults.scenarios.base import Run, Stage, samples
from tests.faults.world import until

TYPE = "press.page.printed.v1"
PAUSE = 0.15
"""Between two pages of a client: where they come as fast as they can, each waits for those before it."""
TIMEOUT_SECONDS = 120.0
MEGABYTE = 1024 * 1024
UNREADABLE = {
    "bad JSON": (b'{"page_id": ', TYPE),
    "bad UTF-8": (b'{"text": "\xff\xfe"}', TYPE),
    "unknown version": (b"{}", "press.page.printed.v9"),
    "10 MB": (b'"' + b"x" * (10 * MEGABYTE) + b'"', TYPE),
}
CURED = {"REGLAMENT_FAULTS_CURED": "1"}
PARKED = "SELECT count(*) FROM failed_message WHERE state = 'parked'"


async def run(run: Run) -> Verdict:
    """Poison messages are parked with a reason and delay no others; after the repair a replay applies each once."""
    async with samples(run, "F6", ledgers=2, bugs="short_retry_delays") as stage:
        world, verdict = stage.world, Verdict()
        good, rounds, deadly = run.scale(100, 10_000), run.scale(2, 200), run.scale(1, 5)
        pause = run.pick(0, PAUSE)
        baseline = await slowest_hundredth(stage, good, pause)
        printing = asyncio.create_task(slowest_hundredth(stage, good, pause))
        begun = stage.history.acknowledged
        for number in range(rounds):

            async def their_turn(number: int = number) -> bool:
                return stage.history.acknowledged - begun >= number * good // rounds

            await until(their_turn, "the good ones before it are printed", TIMEOUT_SECONDS)
            await send_unreadable(stage)
            await stage.printers.print(1, text="failing")
        beside = await printing
        keeping = asyncio.create_task(keep_alive(stage))
        await stage.printers.print(deadly, text="deadly")
        await stage.printers.print(deadly, text="deadly when retried")
        curable = rounds + 2 * deadly
        expected = curable + rounds * len(UNREADABLE)

        async def parked() -> bool:
            return await world.count("ledger", PARKED) >= expected

        await until(parked, f"{expected} messages parked", run.pick(90, 900))
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        await check_drained(world, verdict)
        reasons = await world.rows("ledger", "SELECT id, error FROM failed_message WHERE state = 'parked'")
        verdict.figures |= {"poison": expected, "parked": len(reasons)}
        verdict.require(len(reasons) == expected, f"{len(reasons)} parked, {expected} sent")
        verdict.require_none("parked without a reason", [row["id"] for row in reasons if not row["error"]])
        verdict.figures |= {"p99 of good ones, s": round(beside, 3), "p99 without poison, s": round(baseline, 3)}
        if run.full:
            verdict.require_at_most("p99 beside poison / without", beside / baseline, 2)
        await check_pages(world, stage.history, verdict, parked=curable)
        for name in ("ledger-1", "ledger-2"):
            await world.kill(name)
            await world.restart(name, settings=CURED, bugs="short_retry_delays")
        await world.ready()
        for _ in range(2):
            await replay(stage, expected - curable)
        await check_pages(world, stage.history, verdict, still_parked=expected - curable)
        return verdict


async def slowest_hundredth(stage: Stage, count: int, pause: float) -> float:
    """Return p99 of the seconds from the page's commit to the ledger's, of pages printed now."""
    before = {row[0] for row in await stage.world.rows("press", "SELECT event_id FROM outbox")}
    await stage.printers.print(count, pause=pause)
    rows = await stage.world.rows("press", "SELECT event_id, created_at FROM outbox WHERE type = $1", TYPE)
    committed = {row["event_id"]: row["created_at"] for row in rows if row["event_id"] not in before}

    async def applied() -> dict[UUID, datetime]:
        found = await stage.world.rows("ledger", "SELECT event_id, processed_at FROM inbox")
        return {row["event_id"]: row["processed_at"] for row in found}

    async def all_applied() -> bool:
        return committed.keys() <= (await applied()).keys() | await failing(stage)

    await until(all_applied, "good ones applied", TIMEOUT_SECONDS)
    done = await applied()
    times = sorted((done[key] - at).total_seconds() for key, at in committed.items() if key in done)
    return float(times[int(len(times) * 0.99)])


async def failing(stage: Stage) -> set[UUID]:
    return {row[0] for row in await stage.world.rows("ledger", "SELECT event_id FROM failed_message")}


async def send_unreadable(stage: Stage) -> None:
    connection = await aio_pika.connect(stage.world.amqp_url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        exchange = await channel.get_exchange(EVENTS, ensure=False)
        for what, (body, declared) in UNREADABLE.items():
            stage.history.write("fault", what=f"poison: {what}")
            message = aio_pika.Message(
                body,
                message_id=str(uuid4()),
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                headers={"cloudEvents:type": declared},
            )
            await exchange.publish(message, routing_key=TYPE)


async def keep_alive(stage: Stage) -> None:
    """Restart what has died, as `./reglament up` does."""
    while True:
        for name in ("ledger-1", "ledger-2"):
            if not stage.world.members[name].process.running:
                stage.history.write("fault", what="the handler killed its process", process=name)
                await stage.world.restart(name, bugs="short_retry_delays")
        await asyncio.sleep(0.1)


async def replay(stage: Stage, left: int) -> None:
    """Replay all parked messages, as an operator does; unreadable ones are parked again."""
    async with stage.world.operator("ledger") as http:
        answer = await http.post("/parked/replay", headers={"Idempotency-Key": str(time.monotonic())})
        answer.raise_for_status()

    async def settled() -> bool:
        retrying = await stage.world.count("ledger", "SELECT count(*) FROM failed_message WHERE state = 'retrying'")
        return not retrying and await stage.world.count("ledger", PARKED) == left

    await until(settled, "replayed", 60)
