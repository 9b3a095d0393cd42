"""Processes that a scenario starts and kills."""

import asyncio
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from reglament_cli.processes import GuardedProcess, wait_until
from reglament_cli.state import ROOT

GRACE_SECONDS = 30.0


class Process:
    """A forked service; known by a descriptor and not by its number, which another process may get."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log
        self._descriptor = os.pidfd_open(pid)

    @property
    def running(self) -> bool:
        return not select.select([self._descriptor], [], [], 0)[0]

    def signal(self, number: signal.Signals) -> None:
        if self.running:
            signal.pidfd_send_signal(self._descriptor, number)

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self.ended(GRACE_SECONDS)

    async def ended(self, seconds: float) -> None:
        """Raises TimeoutError."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._descriptor, over.set)
        try:
            async with asyncio.timeout(seconds):
                await over.wait()
        finally:
            loop.remove_reader(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)

    def last_words(self) -> str:
        return " | ".join(self.log.read_text(errors="replace").strip().splitlines()[-3:])


class Nursery:
    """Starts services by forking; it and all of them go with this process."""

    def __init__(self, directory: Path, services: Sequence[str]) -> None:
        self._address = directory / f"nursery-{'-'.join(services)}.sock"
        self._process = GuardedProcess(
            "nursery",
            [sys.executable, "-m", "tests.faults.nursery", str(self._address), *services],
            log=self._address.with_suffix(".log"),
            environment={name: value for name, value in os.environ.items() if not name.startswith("REGLAMENT_")},
            directory=ROOT,
            grace=1.0,
        )

    def start(self) -> None:
        self._process.start()
        wait_until(self._address.exists, self._process, seconds=120)

    def bear(self, services: Sequence[str], port: int, environment: Mapping[str, str], log: Path) -> Process:
        order = {"services": list(services), "port": port, "environment": dict(environment), "log": str(log)}
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(30)
            connection.connect(str(self._address))
            connection.sendall(json.dumps(order).encode() + b"\n")
            return Process(int(connection.recv(20)), log)

    def stop(self) -> None:
        self._process.kill()
