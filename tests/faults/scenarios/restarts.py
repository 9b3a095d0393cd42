"""F1 on the samples, and F2: services, broker and database die at random; the broker loses its disk."""

import asyncio
import time

from tests.faults.checker import DRAIN_SECONDS, Verdict, check_samples
from tests.faults.scenarios.base import Run, Stage, samples
from tests.faults.world import until

FAULT_SECONDS = 120.0


async def run(run: Run) -> Verdict:
    """`kill -9` of services at random, broker and database killed or stopped in order, all under load."""
    async with samples(run, "F1-samples", presses=2, ledgers=2) as stage:
        commands = run.scale(240, 10_000)
        faults = ["service"] * run.pick(4, 20) + ["broker"] * run.pick(1, 5) + ["database"] * run.pick(1, 3)
        stage.schedule.shuffle(faults)
        moments = sorted(stage.schedule.sample(range(commands // 10, commands * 9 // 10), len(faults)))
        printing = asyncio.create_task(stage.printers.print(commands))
        for fault, moment in zip(faults, moments, strict=True):
            await until(lambda moment=moment: reached(stage, moment), f"{moment} answers", FAULT_SECONDS)  # type: ignore[misc]
            await strike(stage, fault)
        since = time.monotonic()
        await printing
        await stage.world.ready()
        verdict = await check_samples(stage.world, stage.history, since=since)
        verdict.figures["faults"] = len(faults)
        return verdict


async def reached(stage: Stage, moment: int) -> bool:
    return stage.history.acknowledged >= moment


async def strike(stage: Stage, fault: str) -> None:
    kill = stage.schedule.random() < 0.7
    if fault == "service":
        name = stage.schedule.choice(sorted(stage.world.members))
        stage.history.write("fault", what="kill -9", process=name)
        await stage.world.kill(name)
        await stage.world.restart(name)
        return
    stage.history.write("fault", what=f"{fault} {'killed' if kill else 'restarted'}")
    if fault == "broker":
        await stage.world.restart_broker(kill=kill)
    else:
        await stage.world.restart_database(kill=kill)


async def run_wiped(run: Run) -> Verdict:
    """The broker comes back empty, twice, while it held unconsumed messages."""
    async with samples(run, "F2", settings=run.check_settings) as stage:
        for _ in range(run.pick(1, 2)):
            await stage.printers.print(run.scale(30, 2000))
            await stage.world.kill("ledger-1")
            await stage.printers.print(run.scale(30, 2000))
            stage.history.write("fault", what="broker wiped")
            printing = asyncio.create_task(stage.printers.print(run.scale(30, 2000)))
            await stage.world.wipe_broker()
            since = time.monotonic()
            await stage.world.restart("ledger-1")
            await printing
            await stage.world.ready()
        # Thousands were printed in a burst, and more is published again than was lost.
        return await check_samples(stage.world, stage.history, since=since, timeout=run.pick(DRAIN_SECONDS, 600))
