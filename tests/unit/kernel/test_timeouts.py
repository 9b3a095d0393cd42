"""Neither a stop nor a timeout waits for work that ignores its cancellation."""

import asyncio
import contextlib

import pytest

from shared.base.timeouts import wait_at_most


async def ignore_cancellation(release: asyncio.Event) -> None:
    while not release.is_set():
        with contextlib.suppress(asyncio.CancelledError):
            await release.wait()


async def test_a_time_out_does_not_wait_for_work_that_ignores_its_cancellation() -> None:
    release = asyncio.Event()
    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            await wait_at_most(0.01, ignore_cancellation(release))
    release.set()


async def test_a_stop_does_not_wait_for_work_that_ignores_its_cancellation() -> None:
    release = asyncio.Event()
    stopped = asyncio.create_task(wait_at_most(60, ignore_cancellation(release)))
    await asyncio.sleep(0)
    stopped.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await stopped
    release.set()


async def test_what_the_work_returns_or_raises_comes_through() -> None:
    async def answer() -> int:
        return 42

    async def failure() -> int:
        raise ValueError("no")

    assert await wait_at_most(5, answer()) == 42
    with pytest.raises(ValueError, match="no"):
        await wait_at_most(5, failure())


async def test_work_cancelled_by_its_library_is_a_failure_and_not_a_stop() -> None:
    """A connection of aiormq that ends cancels its pending calls."""

    async def cancelled_internally() -> None:
        raise asyncio.CancelledError

    with pytest.raises(ConnectionError):
        await wait_at_most(5, cancelled_internally())
