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

from devtools.supervisor.processes import GuardedProcess, wait_until
from devtools.supervisor.state import ROOT

GRACE_SECONDS = 30.0
EXIT_MARKER = "ended by itself"
"""Begins the last line of a process that was not killed; its exit status follows."""


class Process:
    """A forked service, known by a pidfd: its process id may be reused."""

    def __init__(self, pid: int, log: Path, begin: int) -> None:
        """`begin` is the offset of its part of the log."""
        self.pid = pid
        self.log = log
        self._begin = begin
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

    @property
    def stopped(self) -> bool:
        """Return whether a signal has stopped the process, until another one resumes it."""
        return self.running and Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0] == "T"

    @property
    def killed(self) -> bool:
        """Return whether the process was killed.  Raises RuntimeError where it ended by itself."""
        if self.running:
            return False
        with self.log.open("rb") as log:
            log.seek(self._begin)
            if EXIT_MARKER.encode() in log.read():
                raise RuntimeError(f"it did not get to its point: {self.log_tail()}")
        return True

    def close(self) -> None:
        os.close(self._descriptor)

    def log_tail(self) -> str:
        return " | ".join(self.log.read_text(errors="replace").strip().splitlines()[-3:])


class ForkServer:
    """A server that starts services by forking; it and they end with this process."""

    def __init__(self, directory: Path, services: Sequence[str]) -> None:
        self._address = directory / f"fork-{'-'.join(services)}.sock"
        self._process = GuardedProcess(
            "fork-server",
            [sys.executable, "-m", "tests.faults.fork_server", str(self._address), *services],
            log=self._address.with_suffix(".log"),
            environment={name: value for name, value in os.environ.items() if not name.startswith("REGLAMENT_")},
            directory=ROOT,
            grace=1.0,
        )

    def start(self) -> None:
        self._process.start()
        wait_until(self._address.exists, self._process, seconds=120)

    def fork(self, services: Sequence[str], port: int, environment: Mapping[str, str], log: Path) -> Process:
        order = {"services": list(services), "port": port, "environment": dict(environment), "log": str(log)}
        begin = log.stat().st_size if log.exists() else 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(30)
            connection.connect(str(self._address))
            connection.sendall(json.dumps(order).encode() + b"\n")
            return Process(int(connection.recv(20)), log, begin)

    def stop(self) -> None:
        self._process.kill()
