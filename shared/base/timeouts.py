"""Waiting for the broker without being held up by it."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


async def wait_at_most(seconds: float, work: Awaitable[T]) -> T:
    """What `work` returns or raises; TimeoutError when that takes too long, ConnectionError when it is given up.

    It is a task of its own, which is told to stop and then left to itself: aiormq, cancelled while it closes a channel,
    may wait for ever, and neither a stop of the service nor a broker that hangs may wait with it.
    """
    task = asyncio.ensure_future(work)
    task.add_done_callback(_retrieve_exception)
    try:
        done, _ = await asyncio.wait([task], timeout=seconds)
    finally:
        task.cancel()
    if not done:
        raise TimeoutError(f"no answer from the broker within {seconds:g} s")
    if task.cancelled():
        # By aiormq, whose connection has ended: to our caller it must not look as if somebody had told him to stop.
        raise ConnectionError("the connection to the broker has ended")
    return task.result()


def _retrieve_exception(task: "asyncio.Future[Any]") -> None:
    """Else asyncio complains about the exception of a task that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
