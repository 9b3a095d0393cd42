"""F7: commits that come late and a relay that was stopped; F11: clients that hang up, connections that drop."""

import asyncio
import contextlib
import signal
import time

from tests.faults.checker import Verdict, check_samples
from tests.faults.scenarios.base import Run, Stage, samples
from tests.faults.workload import Printers

LEASE_SECONDS = 1.5
SHORT_LEASE = {"REGLAMENT_RELAY_LEASE_SECONDS": str(LEASE_SECONDS)}


async def run(run: Run) -> Verdict:
    """Ids and commits come in different orders; one of four relays sleeps past its lease with rows in its hands."""
    async with samples(run, "F7", presses=4, settings=SHORT_LEASE) as stage:
        writers = Printers(stage.world, stage.history, run.seed, writers=run.scale(12, 50))
        printing = asyncio.create_task(writers.print(run.scale(120, 5000), hold_seconds=run.scale(1, 5)))
        for _ in range(run.scale(1, 10)):
            await asyncio.sleep(stage.schedule.uniform(0.2, 1.0))
            name = f"press-{stage.schedule.randint(1, 4)}"
            stage.history.write("fault", what="SIGSTOP past the lease", process=name)
            process = stage.world.members[name].process
            process.signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(2 * LEASE_SECONDS)
            finally:
                process.signal(signal.SIGCONT)
        since = time.monotonic()
        await printing
        return await check_samples(stage.world, stage.history, since=since)


async def run_dropped(run: Run) -> Verdict:
    """Database connections are cut at random moments, many of them in the middle of a commit."""
    async with samples(run, "F11", plant="hasty_retries") as stage:
        printing = asyncio.create_task(stage.printers.print(run.scale(150, 20_000)))
        cutting = asyncio.create_task(cut_connections(stage))
        try:
            await printing
        finally:
            cutting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await cutting
        verdict = await check_samples(stage.world, stage.history, since=time.monotonic())
        verdict.figures["connections cut"] = sum(line["count"] for line in stage.history.lines("fault"))
        verdict.require(verdict.figures["connections cut"] > 0, "no connection was cut")
        return verdict


async def cut_connections(stage: Stage) -> None:
    """Each time one of those that are doing something at this moment."""
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE"
        " datname = current_database() AND pid <> pg_backend_pid() AND (state LIKE 'idle in transaction%'"
        " OR state = 'active') ORDER BY random() LIMIT 1) AS victims"
    )
    while True:
        service = stage.schedule.choice(["press", "ledger"])
        count = await stage.world.count(service, cut)
        if count:
            stage.history.write("fault", what="connection cut", service=service, count=count)
        await asyncio.sleep(stage.schedule.uniform(0.02, 0.2))
