"""F3: kill at each named point."""

import asyncio
import contextlib
import time

from shared.base.fault_points import POINTS
from tests.faults.checker import Verdict, check_samples
from tests.faults.scenarios.base import Run, Stage, samples

PAUSE = 0.4
"""Between two pages of a client.  A consumer that dies after a dozen messages each time does not keep up with more."""
FAILING_PAUSE = 1.0
PATIENT_LEASE = {"REGLAMENT_RELAY_LEASE_SECONDS": "10"}
"""Crashes make backlogs; on a busy machine a batch of them takes longer to publish than three seconds."""
EARLY = (1, 4)
LATE = (10, 14)
"""Consumers die later: a message in progress at three crashes in a row would rightly be parked as their cause."""
RETRY = (2, 3)
"""The loop runs once a second; the first run comes before anything is consumed."""
SAMPLE_POINTS = {
    point: "press-1" if point.startswith(("command", "relay")) else "ledger-1"
    for point in POINTS
    if point.startswith(("command", "relay", "consumer", "retry"))
}


async def run(run: Run) -> Verdict:
    """Print pages while one process after the other dies at its point and is started with the next one."""
    async with samples(run, "F3", bugs="hasty_retries", settings=PATIENT_LEASE) as stage:
        plans: dict[str, list[str]] = {"press-1": [], "ledger-1": []}
        for _ in range(run.scale(1, 50)):
            points = [*SAMPLE_POINTS]
            stage.schedule.shuffle(points)
            for point in points:
                first, last = {"consumer": LATE, "retry": RETRY}.get(point.partition(".")[0], EARLY)
                plans[SAMPLE_POINTS[point]].append(f"{point}:{stage.schedule.randint(first, last)}")
        printing = asyncio.gather(
            stage.printers.print(pause=PAUSE), stage.printers.print(text="failing at first", pause=FAILING_PAUSE)
        )
        try:
            async with asyncio.TaskGroup() as group:
                for name, plan in plans.items():
                    group.create_task(die_at_each(stage, name, plan))
        finally:
            stage.printers.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await printing
        verdict = await check_samples(stage.world, stage.history, since=time.monotonic())
        verdict.figures["kills"] = sum(len(plan) for plan in plans.values())
        return verdict


async def die_at_each(stage: Stage, name: str, plan: list[str]) -> None:
    await stage.world.kill(name)
    for point in plan:
        stage.history.write("fault", what="kill at a point", process=name, point=point)
        await stage.world.restart(name, crash_at=point, bugs="hasty_retries")
        await stage.world.died(name)
    await stage.world.restart(name, bugs="hasty_retries")
    await stage.world.ready(name)
