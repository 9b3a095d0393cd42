"""Lateness and rate of firing: the engine, and a bare asyncpg loop with the same writes."""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import uvloop

from benchmarks.clock.bare import fire_bare
from benchmarks.clock.seed_data import SeedData
from services.notifier.clock.loops import engine
from services.notifier.clock.store.unit_of_work import WAKE_CHANNEL, WORKER_SETTINGS
from services.notifier.settings import NotifierSettings
from shared.persistence.database import Database
from shared.persistence.listener import Listener
from shared.runtime.service import ServiceContext

Loop = Callable[[ServiceContext], Coroutine[Any, Any, None]]

RATE = 100
BURST = 5_000


@dataclass(frozen=True, slots=True)
class Lateness:
    """Milliseconds from the planned moment to the end of the commit."""

    p50: float
    p99: float


class Commits:
    """Moments of the batches' commits; a step belongs to the first commit after the start of its transaction."""

    def __init__(self) -> None:
        self.ended: list[datetime] = []

    def note(self) -> None:
        self.ended.append(datetime.now(UTC))

    def lateness(self, steps: Sequence[asyncpg.Record]) -> Lateness:
        late = sorted(
            (self.ended[bisect_left(self.ended, step["fired_at"])] - step["planned_at"]) / timedelta(milliseconds=1)
            for step in steps
        )
        return Lateness(statistics.median(late), late[int(len(late) * 0.99)])


@asynccontextmanager
async def running(seed_data: SeedData, loop: Loop) -> AsyncIterator[None]:
    listener = Listener(seed_data.urls.worker)
    context = ServiceContext(seed_data.context.settings, seed_data.database, listener)
    firing = asyncio.create_task(loop(context))
    await asyncio.sleep(0)  # The loop asks for its wake-up before the listener starts.
    listening = asyncio.create_task(listener.run())
    try:
        await asyncio.sleep(0.3)
        yield
    finally:
        for task in (firing, listening):
            task.cancel()
        await asyncio.gather(firing, listening, return_exceptions=True)


def ours(commits: Commits) -> Loop:
    """Run the engine itself and note every commit."""

    async def loop(context: ServiceContext) -> None:
        original = engine.fire

        async def noted(database: Database, limit: int, window: timedelta) -> tuple[int, float]:
            fired, seconds = await original(database, limit, window)
            if fired:
                commits.note()
            return fired, seconds

        engine.fire = noted
        try:
            await engine.run(context)
        finally:
            engine.fire = original

    return loop


def bare(seed_data: SeedData, commits: Commits) -> Loop:
    async def loop(context: ServiceContext) -> None:
        wakeup = context.listen(WAKE_CHANNEL)
        connection = await asyncpg.connect(seed_data.urls.worker, server_settings={"app.scope": "network"})
        while True:
            if await fire_bare(connection):
                commits.note()
                continue
            seconds = await connection.fetchval(
                "SELECT extract(epoch FROM min(next_at) - clock_timestamp())::float8 FROM obligations"
            )
            await wakeup.wait(60.0 if seconds is None else min(max(seconds, 0.001), 60.0))

    return loop


async def lateness(seed_data: SeedData, make: Callable[[Commits], Loop], *, seconds: float) -> Lateness:
    """Measure the lateness of `RATE` steps a second, evenly spread, the first a second after they were written."""
    commits = Commits()
    number = int(RATE * seconds)
    async with running(seed_data, make(commits)):
        due = f"clock_timestamp() + interval '1 second' * (1 + number / {RATE}.0)"
        await seed_data.insert(number, due.replace("clock_timestamp()", "now()"), steps=1)
        await seed_data.wake()
        await _all_fired(seed_data, number, seconds + 60)
    steps = await seed_data.admin.fetch("SELECT fired_at, planned_at FROM obligation_levels")
    await seed_data.delete_fired_steps()
    assert all(step["fired_at"] >= step["planned_at"] for step in steps), "a step fired early"
    return commits.lateness(steps)


async def burst(seed_data: SeedData, make: Callable[[Commits], Loop], number: int = BURST) -> float:
    """Return seconds from the common due moment to the commit of the last step."""
    commits = Commits()
    async with running(seed_data, make(commits)):
        due = datetime.now(UTC) + timedelta(seconds=2)
        await seed_data.insert(number, "$4::timestamptz", steps=1, start=due)
        await seed_data.wake()
        await _all_fired(seed_data, number, 120)
    rows = await seed_data.admin.fetchrow(
        "SELECT (SELECT count(*) FROM obligation_history) AS history, (SELECT count(*) FROM outbox) AS events"
    )
    assert (rows["history"], rows["events"]) == (number, number)
    await seed_data.delete_fired_steps()
    return (commits.ended[-1] - due).total_seconds()


@dataclass(frozen=True, slots=True)
class Restart:
    seconds: float
    lost: int
    twice: int


async def killed(seed_data: SeedData, number: int = BURST) -> Restart:
    """Kill the engine in the middle of a burst; return seconds from the second engine's start until all have fired."""
    due = datetime.now(UTC) + timedelta(seconds=3)
    await seed_data.insert(number, "$4::timestamptz", steps=1, start=due)
    first = await _process(seed_data)
    while await _fired(seed_data) == 0:  # noqa: ASYNC110 (polls another process)
        await asyncio.sleep(0.002)
    first.send_signal(signal.SIGKILL)
    await first.wait()
    second = await _process(seed_data)
    begun = time.perf_counter()
    await _all_fired(seed_data, number, 120)
    seconds = time.perf_counter() - begun
    second.terminate()
    await second.wait()
    row = await seed_data.admin.fetchrow(
        "SELECT count(*) AS events, count(DISTINCT subject) AS subjects FROM outbox WHERE type LIKE '%breached%'"
    )
    await seed_data.delete_fired_steps()
    return Restart(seconds, number - row["subjects"], row["events"] - row["subjects"])


async def _process(seed_data: SeedData) -> asyncio.subprocess.Process:
    """Start an engine in its own process; return when it is about to look for work."""
    command = [sys.executable, "-m", "benchmarks.clock.firing", seed_data.urls.app, seed_data.urls.worker]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=dict(os.environ))
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def _fired(seed_data: SeedData) -> int:
    count: int = await seed_data.admin.fetchval("SELECT count(*) FROM obligation_levels")
    return count


async def _all_fired(seed_data: SeedData, number: int, timeout: float) -> None:
    async with asyncio.timeout(timeout):
        while await _fired(seed_data) < number:  # noqa: ASYNC110 (polls the running engine)
            await asyncio.sleep(0.05)


async def _engine(app_url: str, worker_url: str) -> None:
    database, listener = (
        Database(app_url, worker_url, name="benchmark", worker_settings=WORKER_SETTINGS),
        Listener(worker_url),
    )
    async with database.worker():
        pass  # Connected: the engine can work from here on.
    context = ServiceContext(NotifierSettings(demo=True), database, listener)
    firing = asyncio.create_task(engine.run(context))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.sleep(0)
    await asyncio.gather(firing, listener.run())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_engine(*sys.argv[1:]))
