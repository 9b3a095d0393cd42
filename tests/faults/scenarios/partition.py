"""F14: the network between services, broker and database."""

import asyncio
import contextlib
import time

from tests.faults.checker import Verdict, check_samples
from tests.faults.proxy import proxy
from tests.faults.scenarios.base import Run, samples
from tests.faults.world import World

CYCLE_SECONDS = 2.0
BACK_SECONDS = 30.0


async def seconds_back(world: World, patience: float) -> float:
    """Until every process answers and its consumers consume; at most `patience`."""
    begun = time.monotonic()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience):
            await world.ready()
    return time.monotonic() - begun


async def run(run: Run) -> Verdict:
    """Held back, slow, cut: the broker's way or the database's, again and again under load."""
    broker, database = run.servers.broker, run.servers.database
    async with proxy(broker.port) as to_broker, proxy(database.port) as to_database:
        ports = {broker.port: to_broker.port, database.port: to_database.port}
        async with samples(run, "F14", plant="hasty_retries", ports=ports) as stage:
            printing = asyncio.create_task(stage.printers.print(pause=0.02))
            back = 0.0
            try:
                for number in range(run.scale(4, 30)):
                    way, name = [(to_broker, "broker"), (to_database, "database")][number % 2]
                    what = stage.schedule.choice(["held back", "cut", "slow"])
                    stage.history.write("fault", what=what, way=name)
                    if what == "held back":
                        way.hold()
                    elif what == "slow":
                        way.latency_seconds = 0.2
                    way.cut()
                    await asyncio.sleep(stage.schedule.uniform(0.5, CYCLE_SECONDS))
                    way.release()
                    way.latency_seconds = 0.0
                    way.cut()
                    back = max(back, await seconds_back(stage.world, 2 * BACK_SECONDS))
            finally:
                stage.printers.stop()
                with contextlib.suppress(asyncio.CancelledError):
                    await printing
            verdict = await check_samples(stage.world, stage.history, since=time.monotonic())
            check_back(verdict, back, BACK_SECONDS)
            return verdict


def check_back(verdict: Verdict, seconds: float, limit: float) -> None:
    verdict.most("consumers back, s", seconds, limit)
