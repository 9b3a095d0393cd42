"""Child processes that cannot outlive us (see guard.py)."""

import contextlib
import fcntl
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from devtools.errors import OperatorError

GUARD = Path(__file__).with_name("guard.py")
# Linux hands out client ports from 32768 upwards; a server port below is never taken by a stray connection.
FIRST_PORT, LAST_PORT = 20000, 32000


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def accepts_connections(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


def preferred_port(port: int) -> int:
    """Return the usual port, so that bookmarks last, or any free one when it is taken."""
    return port if is_free(port) else free_port()


RESERVATIONS = Path(tempfile.gettempdir()) / "reglament-ports"
"""A file per chosen port, locked by the process that chose it."""
_reserved: dict[int, int] = {}
"""Port -> descriptor of its locked file.  A server binds its ports long after they were chosen."""


def free_port() -> int:
    """Return a random free port that no other run on this machine chooses while this process lives."""
    for _ in range(200):
        port = random.randint(FIRST_PORT, LAST_PORT)
        if port not in _reserved and is_free(port) and _reserve(port):
            return port
    raise OperatorError(f"no free port between {FIRST_PORT} and {LAST_PORT}")


def _reserve(port: int) -> bool:
    """Return False for a port that another process has chosen; where nothing can be locked, chance decides."""
    try:
        if not RESERVATIONS.is_dir():
            RESERVATIONS.mkdir(exist_ok=True)
            RESERVATIONS.chmod(0o1777)  # Runs of several users share it.
        descriptor = os.open(RESERVATIONS / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    _reserved[port] = descriptor
    return True


class GuardedProcess:
    """A command under its guard. `stop()` and the death of this process take the same way out: the pipe closes."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        stop_signal: str = "TERM",
        grace: float = 20.0,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.environment = environment
        self.directory = directory
        self.stop_signal = stop_signal
        self.grace = grace
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; the log of the run before is kept as `.1`."""
        arguments = ["--signal", self.stop_signal, "--grace", str(self.grace), "--", *self.command]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        with self.log.open("wb") as output:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARD), *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.directory,
                start_new_session=True,
            )

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        return None if self._guard is None else self._guard.poll()

    @property
    def running(self) -> bool:
        return self._guard is not None and self._guard.poll() is None

    @property
    def pid(self) -> int | None:
        """The command's own process id, not the guard's; None when it has ended.

        The kernel lists children in the order in which they came: the command, then what the guard has inherited from
        it.  Process ids say nothing of that order, for they start again when they are used up.
        """
        while self._guard is not None and self._guard.poll() is None:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                listed = Path(f"/proc/{self._guard.pid}/task/{self._guard.pid}/children").read_text().split()
                if listed:
                    return int(listed[0])
            time.sleep(0.01)  # The guard has just been started and is about to start the command.
        return None

    def request_stop(self) -> None:
        """Begin to stop without waiting, so that several can stop at the same time."""
        if self._guard is not None and self._pipe is not None and not self._pipe.closed:
            with contextlib.suppress(BrokenPipeError):
                self._pipe.close()

    def kill(self) -> None:
        """Stop without the grace time."""
        if self._pipe is not None and not self._pipe.closed:
            with contextlib.suppress(BrokenPipeError):
                self._pipe.write(b"!")
                self._pipe.flush()
        self.stop()

    def stop(self) -> None:
        self.request_stop()
        if self._guard is not None:
            self._guard.wait(self.grace + 15)

    @property
    def _pipe(self) -> IO[bytes] | None:
        return None if self._guard is None else self._guard.stdin

    def log_tail(self, lines: int = 3) -> str:
        """Return the end of its output, for an error message."""
        if not self.log.exists():
            return ""
        text = self.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(line.strip() for line in text[-lines:])


def wait_until(
    ready: Callable[[], bool],
    *processes: GuardedProcess,
    seconds: float,
    interval: float = 0.05,
) -> None:
    """Poll until ready; a process that ends first, or the time-out, is an OperatorError with its last words."""
    deadline = time.monotonic() + seconds
    while not ready():
        for process in processes:
            if not process.running:
                raise OperatorError(f"{process.name} did not start: {process.log_tail()} (log: {process.log})")
        if time.monotonic() > deadline:
            logs = ", ".join(str(process.log) for process in processes)
            names = ", ".join(process.name for process in processes)
            raise OperatorError(f"not ready after {seconds:.0f} s: {names} (log: {logs})")
        time.sleep(interval)


def run_to_completion(process: GuardedProcess) -> None:
    """Run a command that ends by itself. Raises OperatorError with its last words unless it ended well."""
    process.start()
    try:
        while process.running:
            time.sleep(0.02)
    finally:
        process.stop()
    if process.exit_status != 0:
        raise OperatorError(f"{process.name} failed: {process.log_tail()} (log: {process.log})")


def stop_all(processes: Sequence[GuardedProcess]) -> None:
    for process in processes:
        process.request_stop()
    for process in processes:
        process.stop()


def clean_environment() -> dict[str, str]:
    """Return what a server may inherit: nothing that points it at other data (PG*, RABBITMQ_*, ERL_*)."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "RABBITMQ_", "ERL_", "REGLAMENT_"))
    }
