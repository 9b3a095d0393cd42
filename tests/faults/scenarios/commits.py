"""F7: commits that come late and a relay that was stopped; F11: cancelled tasks, connections that drop."""

import asyncio
import contextlib
import signal
import time

import httpx

from tests.faults.checker import Verdict, check_samples
from tests.faults.proxy import proxy
from tests.faults.scenarios.base import Run, Stage, samples
from tests.faults.workload import Printers

LEASE_SECONDS = 1.5
CUT_COMMITS = 0.03
STOPPED_SECONDS = 60.0
HELD = "SELECT event_id FROM outbox WHERE confirmed_at IS NULL AND leased_until IS NOT NULL"
SHORT_LEASE = {"REGLAMENT_RELAY_LEASE_SECONDS": str(LEASE_SECONDS)}


async def run(run: Run) -> Verdict:
    """Ids and commits come in different orders; one of four relays sleeps past its lease with rows in its hands."""
    async with samples(run, "F7", presses=4, settings=SHORT_LEASE) as stage:
        writers = Printers(stage.world, stage.history, run.seed, writers=run.pick(12, 50))
        printing = asyncio.create_task(writers.print(run.scale(120, 5000), hold_seconds=run.pick(1, 5)))
        taken_over = 0
        for _ in range(run.scale(1, 10)):
            name = f"press-{stage.schedule.randint(1, 4)}"
            stage.history.write("fault", what="SIGSTOP past the lease", process=name)
            await stage.world.stop(name)
            await stage.world.restart(name, crash_at=f"relay.claimed:{stage.schedule.randint(1, 5)}:stop")
            process = stage.world.members[name].process
            async with asyncio.timeout(STOPPED_SECONDS):
                while not process.stopped:  # noqa: ASYNC110 (asks the kernel)
                    await asyncio.sleep(0.05)
            held = {row[0] for row in await stage.world.rows("press", HELD)}
            try:
                await asyncio.sleep(2 * LEASE_SECONDS)
                taken_over += bool(held - {row[0] for row in await stage.world.rows("press", HELD)})
            finally:
                process.signal(signal.SIGCONT)
        since = time.monotonic()
        await printing
        verdict = await check_samples(stage.world, stage.history, since=since)
        verdict.figures["stopped with rows in hand"] = taken_over
        verdict.require(taken_over > 0, "no relay was stopped with rows in its hands")
        return verdict


async def run_dropped(run: Run) -> Verdict:
    """Tasks are cancelled wherever they await, connections are cut during statements and at commits."""
    database = run.servers.database
    async with proxy(database.port) as way:
        way.random, way.cut_commits = run.random(), CUT_COMMITS
        bugs = "hasty_retries," + run.pick("cancellations", "many_cancellations")
        async with samples(run, "F11", bugs=bugs, ports={database.port: way.port}) as stage:
            writers = Printers(stage.world, stage.history, run.seed, writers=run.pick(4, 16))
            printing = asyncio.create_task(writers.print(run.scale(120, 15_200)))
            cutting = asyncio.create_task(cut_connections(stage))
            try:
                await printing
            finally:
                cutting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await cutting
                way.cut_commits = 0.0
            verdict = await check_samples(stage.world, stage.history, since=time.monotonic())
            undelivered, delivered = way.commits_cut
            hits = {
                "connections cut": sum(line["count"] for line in stage.history.lines("fault")),
                "commits cut before the server received them": undelivered,
                "commits cut after the server received them": delivered,
                "commands cancelled": await cancelled(stage, "press", "command"),
                "deliveries cancelled": await cancelled(stage, "ledger", "delivery"),
            }
            verdict.figures |= hits
            verdict.require_none("faults that did not happen", [what for what, count in hits.items() if not count])
            return verdict


async def cancelled(stage: Stage, service: str, what: str) -> int:
    metric = f'reglament_faults_cancelled_total{{what="{what}"}}'
    async with stage.world.operator(service) as http:
        for _ in range(20):  # The page of metrics is a request too, and may be cancelled.
            with contextlib.suppress(httpx.HTTPError):
                lines = (await http.get("/metrics")).text.splitlines()
                if found := [line for line in lines if line.startswith(metric)]:
                    return int(float(found[0].rpartition(" ")[2]))
    return 0


async def cut_connections(stage: Stage) -> None:
    """Cut one of the connections that are running a statement."""
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
