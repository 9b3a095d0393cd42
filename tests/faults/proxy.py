"""A TCP proxy between services and a server that can hold data back, be slow, or cut connections."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devtools.supervisor.processes import free_port

CHUNK = 65536
COMMIT = b"COMMIT\x00"
"""The commit as `shared.persistence.connections` sends it."""


class Proxy:
    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self.latency_seconds = 0.0
        self.cut_commits = 0.0
        """Share of commits at which the connection is cut: one half before the server receives it, one after."""
        self.commits_cut = [0, 0]
        self.random = random.Random()
        self._target_port = target_port
        self._open = asyncio.Event()
        self._open.set()
        self._connections: set[asyncio.Task[None]] = set()

    def hold(self) -> None:
        """Drop everything in both directions without closing."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def cut(self) -> None:
        """Reset every connection."""
        for connection in self._connections:
            connection.cancel()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        beyond: asyncio.StreamWriter | None = None
        try:
            await self._open.wait()
            far, beyond = await asyncio.open_connection("127.0.0.1", self._target_port)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward(reader, beyond, commits=True))
                group.create_task(self._forward(far, writer))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass  # One side has gone, or `cut` was called; the other side is reset below.
        finally:
            self._connections.discard(task)
            for side in (writer, beyond):
                if side is not None:
                    side.transport.abort()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, commits: bool = False
    ) -> None:
        while data := await reader.read(CHUNK):
            if self.latency_seconds:
                await asyncio.sleep(self.latency_seconds)
            await self._open.wait()
            cut = commits and COMMIT in data and self.random.random() < self.cut_commits
            delivered = cut and self.random.random() < 0.5
            if cut:
                self.commits_cut[delivered] += 1
            if delivered or not cut:
                writer.write(data)
                await writer.drain()
            if delivered:
                await asyncio.sleep(0.01)  # The bytes are on their way, and would else be dropped with the connection.
            if cut:
                break
        raise ConnectionResetError


@asynccontextmanager
async def proxy(target_port: int) -> AsyncIterator[Proxy]:
    it = Proxy(target_port)
    server = await asyncio.start_server(it.accept, "127.0.0.1", it.port)
    try:
        yield it
    finally:
        server.close()
        it.release()
        it.cut()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await server.wait_closed()
