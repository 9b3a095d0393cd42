"""Wait for asynchronous effects: events, letters, clocks."""

import time
from collections.abc import Callable
from typing import TypeVar

from devtools.demo.failure import DemoFailed

T = TypeVar("T")

TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.15


def until(what: str, find: Callable[[], T | None], *, seconds: float = TIMEOUT_SECONDS) -> T:
    """Poll `find` and return its first true result.  Raises DemoFailed, which names what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        found = find()
        if found:
            return found
        if time.monotonic() > deadline:
            raise DemoFailed(f"не дождались за {seconds:.0f} с: {what}")
        time.sleep(POLL_SECONDS)
