"""Alternatives at their defaults: procrastinate and pgqueuer, installed only for this comparison.

Their jobs do less than a step of the clock does: they note the time and write nothing.
"""

import asyncio
import importlib
import os
import statistics
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg

RATE = 100
TIMEOUT_SECONDS = 60.0

Baseline = Callable[[str, Sequence[datetime], list[datetime]], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class BaselineFigures:
    name: str
    burst_seconds: float
    p50_ms: float
    p99_ms: float


def installed(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


async def measure(admin_url: str, *, burst: int, seconds: float) -> AsyncIterator[BaselineFigures | str]:
    """Measure every alternative that is installed; name those that are not."""
    for name, baseline in (("pgqueuer", _pgqueuer), ("procrastinate", _procrastinate)):
        if not installed(name):
            yield name
            continue
        soon = datetime.now(UTC) + timedelta(seconds=4)
        fired = await _fired(admin_url, baseline, [soon] * burst)
        took = (fired[-1] - soon).total_seconds() if len(fired) == burst else TIMEOUT_SECONDS
        soon = datetime.now(UTC) + timedelta(seconds=4)
        planned = [soon + timedelta(seconds=number / RATE) for number in range(int(RATE * seconds))]
        fired = await _fired(admin_url, baseline, planned)
        late = sorted((at - due) / timedelta(milliseconds=1) for due, at in zip(planned, sorted(fired), strict=False))
        yield BaselineFigures(name, took, statistics.median(late), late[int(len(late) * 0.99)])


async def _fired(admin_url: str, baseline: Baseline, planned: Sequence[datetime]) -> list[datetime]:
    """Return the moments at which the jobs ran, within the time limit."""
    fired: list[datetime] = []
    async with _database(admin_url) as url:
        running = asyncio.create_task(baseline(url, planned, fired))
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while len(fired) < len(planned) and not running.done():  # noqa: ASYNC110 (polls the alternative)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pass
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return fired


@asynccontextmanager
async def _database(admin_url: str) -> AsyncIterator[str]:
    name = f"t{os.getpid()}_alternative"
    admin = await asyncpg.connect(admin_url)
    await admin.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlsplit(admin_url)._replace(path=f"/{name}").geturl()
    finally:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.close()


async def _pgqueuer(url: str, planned: Sequence[datetime], fired: list[datetime]) -> None:
    baseline: Any = importlib.import_module("pgqueuer")
    connection = await asyncpg.connect(url)
    queuer = baseline.PgQueuer.from_asyncpg_connection(connection)
    await queuer.queries.install()

    @queuer.entrypoint("fire")  # type: ignore[untyped-decorator, unused-ignore]
    async def fire(_job: object) -> None:
        fired.append(datetime.now(UTC))

    after = [due - datetime.now(UTC) for due in planned]
    number = len(planned)
    await queuer.queries.enqueue(["fire"] * number, [None] * number, [0] * number, after)
    await queuer.run()


async def _procrastinate(url: str, planned: Sequence[datetime], fired: list[datetime]) -> None:
    baseline: Any = importlib.import_module("procrastinate")
    app = baseline.App(connector=baseline.PsycopgConnector(conninfo=url))

    @app.task(name="fire")  # type: ignore[untyped-decorator, unused-ignore]
    async def fire(_number: int) -> None:
        fired.append(datetime.now(UTC))

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for number, due in enumerate(planned):
            await fire.configure(schedule_at=due).defer_async(_number=number)
        await app.run_worker_async(install_signal_handlers=False, concurrency=50)
