"""Serve an application in its own process, and ask it over cheap connections."""

import asyncio
import json
import multiprocessing
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from fastapi import FastAPI

from devtools.supervisor.processes import free_port
from devtools.testing.databases import ScratchUrls
from services import serving
from shared.identity.roles import Role
from shared.runtime import logging
from shared.runtime.app import build_app
from tests.support.harness import TestVerifier, token

START_TIMEOUT = 60


@asynccontextmanager
async def served(serve: Callable[..., None], *arguments: Any) -> AsyncIterator[int]:
    """Run `serve(port, *arguments)` in a child process; yield its port when it answers."""
    port = free_port()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(port, *arguments), daemon=True)
    process.start()
    try:
        await _until_open(port)
        yield port
    finally:
        process.terminate()
        await asyncio.to_thread(process.join, 10)
        if process.is_alive():
            process.kill()


def serve_orders(port: int, urls: ScratchUrls, amqp_url: str) -> None:
    """Serve the real orders service, with relay and consumers."""
    # Logs are written to /dev/null: the terminal is not measured.
    sys.stderr = Path("/dev/null").open("w")  # noqa: SIM115 (as long as the process)
    logging.configure("json", "INFO")
    service = serving.load("orders")
    serve(build_app(service, service.settings(amqp_url=amqp_url), urls, TestVerifier()), port)


def serve(app: FastAPI, port: int) -> None:
    serving.serve(app, "127.0.0.1", port, log_level="error", timeout_keep_alive=3600)


async def _until_open(port: int) -> None:
    async with asyncio.timeout(START_TIMEOUT):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return


class Connection:
    """One kept connection, one request after another; a client library costs more than the bare route.

    The access token lives ten minutes: make the connection shortly before it is used.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, access: str) -> None:
        self._reader = reader
        self._writer = writer
        self._access = access

    @classmethod
    async def to(cls, port: int, role: Role, office_id: UUID | None = None) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port), token(role, office_id=office_id))

    async def get(self, path: str) -> Any:
        return json.loads(await self._ask(f"GET {path} HTTP/1.1\r\n", b"", 200))

    async def post(self, path: str, body: Any, *, key: object, status: int = 200) -> bytes:
        sent = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n"
        return await self._ask(head, sent, status)

    async def _ask(self, head: str, body: bytes, status: int) -> bytes:
        head += f"Host: x\r\nAuthorization: Bearer {self._access}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        content = await self._reader.readexactly(length)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), (answer, content)
        return content

    def close(self) -> None:
        self._writer.close()


def percentile(values: list[float], share: float) -> float:
    """Return the value that the given share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
