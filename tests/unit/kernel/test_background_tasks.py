"""Tasks that run as long as the process: they outlive their failures, and a stop waits for their end."""

import asyncio

import pytest

from shared.runtime import app
from shared.runtime.app import _BackgroundTasks


async def test_a_stop_cancels_the_last_first_and_waits_for_all() -> None:
    tasks, ended = _BackgroundTasks(), []

    def work(name: str) -> None:
        async def run() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(name)

        tasks.start(name, run)

    for name in ("first", "second"):
        work(name)
    await asyncio.sleep(0)
    await tasks.stop()
    assert ended == ["second", "first"]


async def test_a_task_is_started_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "RESTART_PAUSE", 0)
    tasks, runs = _BackgroundTasks(), 0
    third = asyncio.Event()

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("failed")
        if runs == 2:
            raise asyncio.CancelledError  # What a library gives up is not a stop.
        third.set()
        await asyncio.Event().wait()

    tasks.start("work", run)
    await asyncio.wait_for(third.wait(), 10)
    await tasks.stop()
    assert runs == 3
