"""F9: rolling restarts under load; F4: a broker that does not answer, or takes nothing."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager

import httpx

from tests.faults.checker import Verdict, check_drained, check_pages, check_samples
from tests.faults.scenarios.base import Run, Stage, samples
from tests.faults.servers import DISK, MEMORY, alarmed, frozen
from tests.faults.workload import WRITERS
from tests.faults.world import until

EXIT_SECONDS = 30.0
HELD_SECONDS = 1.0
LOCKED = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND ((classid::bigint << 32) | objid::bigint) = hashtextextended($1, 0)"
)
"""Whether a request with this idempotency key is running."""
UNPUBLISHED = "SELECT count(*) FROM outbox WHERE confirmed_at IS NULL"


async def run_rolling(run: Run) -> Verdict:
    """Restart one replica after another by SIGTERM; clients reconnect only when a connection is refused."""
    async with samples(run, "F9", presses=2, ledgers=2) as stage:
        printing = asyncio.create_task(stage.printers.print(pause=0.01))
        slowest, statuses = 0.0, list[int | str]()
        names = sorted(stage.world.members)
        rounds = run.scale(4, 50)
        try:
            for number in range(rounds):
                name = names[number % len(names)]
                stage.history.write("fault", what="SIGTERM", process=name)
                held = await hold_a_request(stage, name, number) if name.startswith("press") else None
                slowest = max(slowest, await stage.world.stop(name))
                if held is not None:
                    statuses.append(await held)
                await stage.world.restart(name)
                await stage.world.ready(name)
        finally:
            stage.printers.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await printing
        verdict = await check_samples(stage.world, stage.history, since=time.monotonic())
        verdict.figures["restarts"] = rounds
        verdict.require_at_most("slowest exit, s", slowest, EXIT_SECONDS)
        check_held(verdict, statuses)
        # A connection that is accepted but not read when its process stops is closed; the client connects again.
        unread = [line for line in stage.history.lines("unanswered") if line["error"] != "ConnectError"]
        verdict.figures["requests in hand at a stop"] = len(statuses)
        verdict.figures["connections closed unread"] = len(unread)
        failed = [line for line in stage.history.lines("answered") if line["status"] >= 500]
        verdict.require_none("requests failed", [f"{line['number']} {line['status']}" for line in failed])
        return verdict


def check_held(verdict: Verdict, statuses: Sequence[int | str]) -> None:
    verdict.require_none("requests in hand not answered", [status for status in statuses if status != 201])


async def hold_a_request(stage: Stage, name: str, number: int) -> "asyncio.Task[int | str]":
    """Send a command and return while the process is surely executing it."""
    key = f"held-{number}"

    async def send() -> int | str:
        body = {"number": -number, "text": "text", "hold_seconds": HELD_SECONDS}
        stage.history.write("sent", number=-number)
        async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
            try:
                url = f"{stage.world.members[name].url('press')}/pages"
                answer = await http.post(url, json=body, headers={"Idempotency-Key": key})
            except httpx.HTTPError as error:
                return repr(error)
        stage.history.write("acknowledged", number=-number, id=answer.json()["id"])
        return answer.status_code

    async def begun() -> bool:
        return await stage.world.count("press", LOCKED, f"public POST /pages{key}") > 0

    task = asyncio.create_task(send())
    await until(begun, "the request is in hand", 30)
    return task


async def run_broker_unresponsive(run: Run) -> Verdict:
    """The broker hangs, or takes nothing because of its memory or its disk; HTTP must not notice."""
    async with samples(run, "F4") as stage:
        await stage.printers.print(20)
        servers, verdict = run.servers, Verdict()
        faults = {
            "SIGSTOP": frozen(servers.broker.process),
            "memory alarm": alarmed(servers, *MEMORY),
            "disk alarm": alarmed(servers, *DISK),
        }
        seconds = run.pick(2, 60)
        for what, fault in faults.items():
            await print_while_broker_unresponsive(stage, what, fault, seconds, verdict)
            since = time.monotonic()
            # After a minute without the broker thousands of events wait: nothing may be stuck, but it takes its time.
            await check_drained(stage.world, verdict, since, timeout=run.pick(60, 600))
        await check_pages(stage.world, stage.history, verdict)
        # A small run shares the machine with other tests: it only shows that no request waited for the broker.
        check_answers(stage, verdict, run.pick(5, 1))
        return verdict


async def print_while_broker_unresponsive(
    stage: Stage, what: str, fault: AbstractContextManager[None], seconds: float, verdict: Verdict
) -> None:
    before = answers(stage)
    printing = asyncio.create_task(stage.printers.print(pause=0.01))
    while answers(stage) == before:  # noqa: ASYNC110 (the clients are at work when the fault comes)
        await asyncio.sleep(0.01)
    stage.history.write("fault", what=f"broker: {what} for {seconds} s")
    async with elsewhere(fault):
        served = -answers(stage)
        await asyncio.sleep(seconds)
        served += answers(stage)
        stage.printers.stop()
        waiting = await stage.world.count("press", UNPUBLISHED)
    await printing
    # Each client that waited for the broker would get one answer at most, and that at the end.
    verdict.require(served > 2 * WRITERS, f"{what}: {served} answers meanwhile")
    verdict.require(waiting > 0, f"{what}: the broker took everything")
    verdict.figures[f"waited, {what}"] = waiting


def answers(stage: Stage) -> int:
    return sum(1 for _ in stage.history.lines("answered"))


def check_answers(stage: Stage, verdict: Verdict, slowest: float) -> None:
    answered = list(stage.history.lines("answered"))
    verdict.require_none("answers that are no 2xx", [line["status"] for line in answered if line["status"] != 201])
    verdict.require_none("requests without an answer", [line["number"] for line in stage.history.lines("unanswered")])
    times = sorted(line["seconds"] for line in answered)
    verdict.require_at_most("p99, s", times[int(len(times) * 0.99)], slowest)


@asynccontextmanager
async def elsewhere(fault: AbstractContextManager[None]) -> AsyncIterator[None]:
    """Make the fault in a thread while the clients work on."""
    await asyncio.to_thread(fault.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(fault.__exit__, None, None, None)
