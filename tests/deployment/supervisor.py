"""Runs `up` as its user does and looks at what it starts."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil


def eventually(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def alive(pids: set[int]) -> set[int]:
    """Zombies do not count: they hold nothing and wait only for their parent to look at them."""
    found = set()
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.add(pid)
        except psutil.NoSuchProcess:
            continue
    return found


class Supervisor:
    """`./reglament up` in a process group of its own, as under a terminal; what it prints is collected."""

    def __init__(self, command: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.output.extend(self.process.stdout)

    @property
    def text(self) -> str:
        return "".join(self.output)

    def wait_for(self, words: str, seconds: float = 120) -> None:
        """Raises AssertionError with all that it printed."""
        found = eventually(lambda: words in self.text or self.process.poll() is not None, seconds)
        assert found and words in self.text, f"no {words!r} in:\n{self.text}"

    def descendants(self) -> set[int]:
        return {process.pid for process in psutil.Process(self.process.pid).children(recursive=True)}

    def press_ctrl_c(self) -> None:
        """A terminal sends the signal to the whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)

    def ended(self) -> int:
        """The exit status, within the time that an orderly stop may take."""
        status = self.process.wait(90)
        self._reader.join(5)
        return status
