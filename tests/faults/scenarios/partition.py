"""F14: the network between services, broker and database."""

import asyncio
import contextlib
import time
from uuid import UUID

from tests.faults.checker import Verdict, check_samples
from tests.faults.proxy import proxy
from tests.faults.scenarios.base import Run, Stage, samples
from tests.faults.world import until

ARRIVED = "SELECT count(*) FROM line WHERE page_id = ANY($1::uuid[])"
CYCLE_SECONDS = 2.0
BACK_SECONDS = 30.0


async def seconds_back(stage: Stage, timeout: float) -> float:
    """Wait until a page printed from now on has reached the ledger and every process reports healthy.

    The reports alone could be stale.  Raises TimeoutError after `timeout` seconds.
    """
    begun, known = time.monotonic(), stage.history.acknowledged

    async def arrived() -> bool:
        if printed := [line["id"] for line in stage.history.lines("acknowledged")][known + 1 :]:
            return await stage.world.count("ledger", ARRIVED, [UUID(page) for page in printed]) > 0
        return False

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            await until(arrived, "a page reaches the ledger", timeout)
            await stage.world.ready()
    return time.monotonic() - begun


async def run(run: Run) -> Verdict:
    """Hold back, slow down or cut the way to broker or database, repeatedly under load.

    Only cut connections are closed; silent and slow ones stay open and go on afterwards.
    """
    broker, database = run.servers.broker, run.servers.database
    async with proxy(broker.port) as to_broker, proxy(database.port) as to_database:
        ports = {broker.port: to_broker.port, database.port: to_database.port}
        async with samples(run, "F14", bugs="hasty_retries", ports=ports) as stage:
            printing = asyncio.create_task(stage.printers.print(pause=0.02))
            back = 0.0
            try:
                failures = ["held back", "cut", "slow"]
                for number in range(run.scale(4, 30)):
                    way, name = [(to_broker, "broker"), (to_database, "database")][number % 2]
                    what = failures[number // 2 % len(failures)]
                    # Sometimes longer than any timeout.
                    seconds = stage.schedule.uniform(0.5, CYCLE_SECONDS) if number % 7 else run.pick(CYCLE_SECONDS, 15)
                    stage.history.write("fault", what=what, way=name, seconds=seconds)
                    match what:
                        case "held back":
                            way.hold()
                        case "slow":
                            way.latency_seconds = 0.2
                        case "cut":
                            way.hold()
                            way.cut()
                    await asyncio.sleep(seconds)
                    way.release()
                    way.latency_seconds = 0.0
                    back = max(back, await seconds_back(stage, 2 * BACK_SECONDS))
            finally:
                stage.printers.stop()
                with contextlib.suppress(asyncio.CancelledError):
                    await printing
            verdict = await check_samples(stage.world, stage.history, since=time.monotonic())
            check_back(verdict, back, BACK_SECONDS)
            return verdict


def check_back(verdict: Verdict, seconds: float, limit: float) -> None:
    verdict.require_at_most("consumers back, s", seconds, limit)
