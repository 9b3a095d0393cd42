"""Clients that print pages: each command is repeated under its key until there is an answer."""

import asyncio
import itertools
import random
import time
from collections.abc import Sequence

import httpx

from tests.faults.history import History
from tests.faults.world import World

COMMAND_SECONDS = 120.0
"""Seconds after which a command without an answer is given up; the checker reports it."""
WRITERS = 4
REPEATED_SHARE = 0.1
"""Share of answered commands that are sent once more with the same key."""


class Printers:
    """`writers` concurrent clients; numbers continue from run to run, so that a number identifies a command."""

    def __init__(
        self, world: World, history: History, seed: int, writers: int = WRITERS, repeated: float = REPEATED_SHARE
    ) -> None:
        self._world = world
        self._history = history
        self._random = random.Random(seed)
        self._writers = writers
        self._repeated = repeated
        self._numbers = itertools.count(1)
        self._stopping = False

    async def print(
        self, count: int | None = None, *, text: str = "text", hold_seconds: float = 0.0, pause: float = 0.0
    ) -> None:
        """Print `count` pages, or until `stop`; commits are delayed by up to `hold_seconds`."""
        self._stopping = False
        left = iter(range(count)) if count is not None else itertools.count()
        # A connection for each request, so that it may reach any replica, also a new one.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as http:

            async def write() -> None:
                for _ in left:
                    if self._stopping:
                        return
                    body = {"number": next(self._numbers), "text": text}
                    if hold_seconds:
                        body["hold_seconds"] = round(self._random.uniform(0, hold_seconds), 2)
                    await self._command(http, body)
                    if pause:
                        await asyncio.sleep(pause)

            async with asyncio.TaskGroup() as group:
                for _ in range(self._writers):
                    group.create_task(write())

    def stop(self) -> None:
        self._stopping = True

    async def _command(self, http: httpx.AsyncClient, body: dict[str, object]) -> None:
        number = body["number"]
        self._history.write("sent", number=number)
        begun = time.monotonic()
        while time.monotonic() - begun < COMMAND_SECONDS:
            answer = await self._send(http, body)
            if answer is None:
                await asyncio.sleep(self._random.uniform(0.02, 0.1))
                continue
            if answer.status_code != httpx.codes.CREATED:
                self._history.write("refused", number=number, status=answer.status_code, body=answer.text)
                return
            seconds = round(time.monotonic() - begun, 4)
            self._history.write("acknowledged", number=number, id=answer.json()["id"], seconds=seconds)
            if self._random.random() < self._repeated:
                again = await self._send(http, body)
                if again is not None:
                    self._history.write("repeated", number=number, same=again.content == answer.content)
            return
        self._history.write("given_up", number=number)

    async def _send(self, http: httpx.AsyncClient, body: dict[str, object]) -> httpx.Response | None:
        """Send a command; None where the outcome is unknown or the server is unable to answer now."""
        urls: Sequence[str] = self._world.urls("press")
        headers = {"Idempotency-Key": f"page-{body['number']}"}
        begun = time.monotonic()
        try:
            answer = await http.post(f"{self._random.choice(urls)}/pages", json=body, headers=headers)
        except httpx.HTTPError as error:
            self._history.write("unanswered", number=body["number"], error=type(error).__name__)
            return None
        self._history.write(
            "answered", number=body["number"], status=answer.status_code, seconds=round(time.monotonic() - begun, 4)
        )
        in_progress = answer.status_code == httpx.codes.CONFLICT and "retry-after" in answer.headers
        return None if in_progress or answer.is_server_error else answer
