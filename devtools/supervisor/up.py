"""`./reglament up`: start, say where everything is, keep it alive, stop it in order."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from devtools.supervisor.processes import GuardedProcess
from devtools.supervisor.state import DataDirectory, RunningSystem
from devtools.supervisor.system import ReportProgress, System, running_system

POLL_SECONDS = 0.3
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 30.0
# Whoever ran that long starts with a short pause again.
STABLE_AFTER_SECONDS = 60.0


class StopRequested(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception, so that nothing on the way mistakes it for an error."""


def up(console: Console, directory: DataDirectory, *, port: int, separate: bool, fresh: bool) -> None:
    """Return when asked to stop. Raises OperatorError when it cannot start."""
    begun = time.monotonic()

    def report_progress(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - begun:5.1f} s[/]  {what}", soft_wrap=True, highlight=False)

    try:
        with stop_signals():
            report_progress("starting PostgreSQL, RabbitMQ and the services …")
            with running_system(
                directory, port=port, separate=separate, fresh=fresh, report_progress=report_progress
            ) as system:
                report_progress("[bold green]ready[/]")
                show_addresses(console, system.state)
                report_progress("Ctrl-C stops everything")
                restart_dead_processes(system, report_progress)
    except StopRequested:
        # The context managers have stopped everything on the way here, under the handler that ignores repetitions.
        report_progress("stopped")


@contextmanager
def stop_signals() -> Iterator[None]:
    """Begin the stop at the first Ctrl-C or SIGTERM; a second one does not disturb it."""

    def request_stop(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise StopRequested

    previous = {each: signal.signal(each, request_stop) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def restart_dead_processes(system: System, report_progress: ReportProgress) -> None:
    """Start again whatever dies, after a pause that doubles while it keeps dying. Returns never."""
    monitors = [ProcessMonitor(process) for process in system.processes]
    while True:
        time.sleep(POLL_SECONDS)
        for monitor in monitors:
            if monitor.check(time.monotonic(), report_progress):
                system.refresh_state()


class ProcessMonitor:
    """Watches one process."""

    def __init__(self, process: GuardedProcess) -> None:
        self.process = process
        self.started_at = time.monotonic()
        self.pause = FIRST_PAUSE_SECONDS
        self.restart_at: float | None = None

    def check(self, now: float, report_progress: ReportProgress) -> bool:
        """Return whether the process has just been started again."""
        if self.process.running:
            return False
        if self.restart_at is None:
            if now - self.started_at > STABLE_AFTER_SECONDS:
                self.pause = FIRST_PAUSE_SECONDS
            self.restart_at = now + self.pause
            ended = f"{self.process.name} ended with status {self.process.exit_status}"
            report_progress(f"[yellow]{ended}; starting it again in {self.pause:.0f} s[/] (log: {self.process.log})")
            return False
        if now < self.restart_at:
            return False
        self.process.start()
        report_progress(f"{self.process.name} was started again")
        self.started_at, self.restart_at = now, None
        self.pause = min(self.pause * 2, MAX_PAUSE_SECONDS)
        return True


def show_addresses(console: Console, state: RunningSystem) -> None:
    """Where everything is, for a person."""
    rows = {"API": f"{state.url}/api/<service>/docs", "services": ", ".join(services_of(state))}
    if state.management_url:
        # The console asks for the user itself, and a URL with credentials is opened badly by most terminals.
        scheme, _, rest = state.management_url.partition("://")
        user, _, host = rest.rpartition("@")
        rows["RabbitMQ"] = f"{scheme}://{host}   sign in: {user.replace(':', ' / ')}"
    if state.mailbox_url:
        rows["mailbox"] = state.mailbox_url
    rows["SMS gateway"] = state.sms_url
    rows["head office"] = f"{state.url}   sign in: {state.head_office_login} / {state.head_office_password}"
    rows["logs"] = state.logs
    for name, value in rows.items():
        console.print(f"         [bold]{name:<12}[/] {value}", soft_wrap=True, highlight=False)


def services_of(state: RunningSystem) -> list[str]:
    suffix = "_OWNER_DATABASE_URL"
    names = [name for name in state.environment if name.endswith(suffix)]
    return [name.removeprefix("REGLAMENT_").removesuffix(suffix).lower() for name in names]
