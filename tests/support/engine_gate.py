"""Holds back the engine of a service that runs in the test's process, while a test fires obligations itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import timedelta

from services.notifier.clock.loops import engine
from shared.persistence.database import Database

_by_test: ContextVar[bool] = ContextVar("by_test", default=False)


class EngineGate:
    """Counts the batches that the running engine fires, and lets no further one begin while it is closed."""

    def __init__(self) -> None:
        self._open, self._idle, self._running = asyncio.Event(), asyncio.Event(), 0
        self._open.set()
        self._idle.set()
        self._fire = engine.fire

    @contextmanager
    def installed(self) -> Iterator[None]:
        engine.fire = self._guarded
        try:
            yield
        finally:
            engine.fire = self._fire

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """Inside, only the test and the tasks that it starts fire anything."""
        self._open.clear()
        await self._idle.wait()
        mark = _by_test.set(True)
        try:
            yield
        finally:
            _by_test.reset(mark)
            self._open.set()

    async def _guarded(self, database: Database, limit: int, window: timedelta) -> tuple[int, float]:
        if _by_test.get():
            return await self._fire(database, limit, window)
        await self._open.wait()
        self._running += 1
        self._idle.clear()
        try:
            return await self._fire(database, limit, window)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()


engine_gate = EngineGate()
