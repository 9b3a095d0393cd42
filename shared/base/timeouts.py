"""Time limits for calls to the broker that hold even when the call ignores its cancellation."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


async def wait_at_most(seconds: float, work: Awaitable[T]) -> T:
    """Return what `work` returns.

    `work` runs as a task of its own that is cancelled and then abandoned: aiormq, cancelled while it closes a channel,
    may wait forever, and neither a stop of the service nor a hanging broker may make the caller wait with it.

    Raises the error of `work`, TimeoutError after `seconds`, or ConnectionError when aiormq cancels it.
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
        # aiormq cancelled it because its connection ended; to the caller it must not look like its own cancellation.
        raise ConnectionError("the connection to the broker has ended")
    return task.result()


def _retrieve_exception(task: "asyncio.Future[Any]") -> None:
    """Retrieve the exception, so that asyncio does not log it as never retrieved."""
    if not task.cancelled():
        task.exception()
