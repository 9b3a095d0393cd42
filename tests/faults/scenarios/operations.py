"""F9: rolling restarts under load; F4: a broker that does not answer."""

import asyncio
import contextlib
import time

from tests.faults.checker import Verdict, check_samples
from tests.faults.scenarios.base import Run, samples
from tests.faults.servers import frozen

EXIT_SECONDS = 30.0


async def run_rolling(run: Run) -> Verdict:
    """SIGTERM for one replica after another; the client connects again when it is refused, and only then."""
    async with samples(run, "F9", presses=2, ledgers=2) as stage:
        printing = asyncio.create_task(stage.printers.print(pause=0.01))
        slowest = 0.0
        names = sorted(stage.world.members)
        rounds = run.scale(4, 50)
        try:
            for number in range(rounds):
                name = names[number % len(names)]
                stage.history.write("fault", what="SIGTERM", process=name)
                slowest = max(slowest, await stage.world.stop(name))
                await stage.world.restart(name)
                await stage.world.ready(name)
        finally:
            stage.printers.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await printing
        verdict = await check_samples(stage.world, stage.history, since=time.monotonic())
        verdict.figures["restarts"] = rounds
        verdict.most("slowest exit, s", slowest, EXIT_SECONDS)
        lost = [line for line in stage.history.lines("unanswered") if line["error"] != "ConnectError"]
        verdict.none("requests broken off", [f"{line['number']} {line['error']}" for line in lost])
        failed = [line for line in stage.history.lines("answered") if line["status"] >= 500]
        verdict.none("requests failed", [f"{line['number']} {line['status']}" for line in failed])
        return verdict


async def run_frozen(run: Run) -> Verdict:
    """The broker hangs; HTTP must not notice."""
    async with samples(run, "F4") as stage:
        await stage.printers.print(20)
        seconds = run.scale(6, 60)
        stage.history.write("fault", what=f"broker SIGSTOP for {seconds} s")
        with frozen(stage.world.servers.broker.process):
            printing = asyncio.create_task(stage.printers.print(pause=0.01))
            await asyncio.sleep(seconds)
            stage.printers.stop()
            await printing
        stage.history.write("over")
        answered = list(stage.history.lines("answered"))
        verdict = await check_samples(stage.world, stage.history, since=time.monotonic())
        verdict.none("answers that are no 2xx", [line["status"] for line in answered if line["status"] != 201])
        verdict.none("requests without an answer", [line["number"] for line in stage.history.lines("unanswered")])
        times = sorted(line["seconds"] for line in answered)
        # A small run shares the machine with other tests: it only shows that nobody waited for the broker.
        verdict.most("p99, s", times[int(len(times) * 0.99)], run.scale(5, 1))
        return verdict
