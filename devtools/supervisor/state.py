"""The data directory of `up`: data, secrets, logs, and who is running on it."""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from devtools.errors import OperatorError
from devtools.supervisor.postgres import reachable_by_server

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY_VARIABLE = "REGLAMENT_DATA_DIR"
MINIMUM_FREE_BYTES = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """What the state file tells other commands about the system that runs."""

    pid: int
    url: str
    mailbox_url: str | None
    sms_url: str
    management_url: str | None
    head_office_login: str
    head_office_password: str
    logs: str
    processes: dict[str, int]
    """Process ids of the services by name; one entry, `services`, in one-process mode."""
    service_urls: dict[str, str]
    """Where each service itself listens; health and metrics are not published by the gateway."""
    environment: dict[str, str]
    """The REGLAMENT_* variables that the services got."""


@dataclass(frozen=True, slots=True)
class DataDirectory:
    path: Path

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def rabbitmq(self) -> Path:
        return self.path / "rabbitmq"

    @property
    def mail(self) -> Path:
        return self.path / "mail"

    @property
    def gateway(self) -> Path:
        return self.path / "gateway"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def _state(self) -> Path:
        return self.path / "state.json"

    @property
    def _secrets(self) -> Path:
        return self.path / "secrets.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One system per directory. The kernel drops the lock with its holder, so no stale lock can remain."""
        self._create()
        with (self.path / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise OperatorError(self._who_is_running()) from error
            yield

    def wipe(self) -> None:
        """Start empty: the servers' data and the passwords that belong to it."""
        for directory in (self.postgres, self.rabbitmq, self.mail, self.gateway, self.logs):
            shutil.rmtree(directory, ignore_errors=True)
        for file in (self._secrets, self._state):
            file.unlink(missing_ok=True)

    def check_space(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < MINIMUM_FREE_BYTES:
            raise OperatorError(
                f"{free // 1024**2} MB are free at {self.path}, {MINIMUM_FREE_BYTES // 1024**2} MB are needed"
            )

    def secret(self, name: str) -> str:
        """Return a random secret that is made once and kept, readable by the owner only."""
        known: dict[str, str] = {}
        if self._secrets.exists():
            try:
                known = json.loads(self._secrets.read_text())
            except ValueError as error:
                raise OperatorError(f"{self._secrets} is damaged; start empty with: ./reglament up --fresh") from error
        if name not in known:
            known[name] = secrets.token_urlsafe(18)
            _write_private(self._secrets, json.dumps(known, indent=2))
        return known[name]

    def write_state(self, state: RunningSystem) -> None:
        _write_private(self._state, json.dumps(asdict(state), indent=2, ensure_ascii=False))

    def remove_state(self) -> None:
        self._state.unlink(missing_ok=True)

    def running(self) -> RunningSystem | None:
        """None unless a system holds the directory's lock and has finished starting."""
        try:
            with (self.path / "lock").open("r") as handle:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                return RunningSystem(**json.loads(self._state.read_text()))
            except (OSError, ValueError, TypeError):
                return None
        except OSError:
            return None
        return None

    def _create(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o755)  # The server's own user passes through; secrets are files of mode 0600.
            self.logs.mkdir(exist_ok=True)
        except OSError as error:
            raise OperatorError(
                f"cannot use {self.path} ({error.strerror}); name another directory by {DIRECTORY_VARIABLE}"
            ) from error

    def _who_is_running(self) -> str:
        running = self.running()
        if running is None:
            return f"another `./reglament up` is starting or stopping on {self.path}"
        return f"already running at {running.url} (process {running.pid})"


def data_directory() -> DataDirectory:
    """`.reglament/data` in the checkout, unless it is named, or closed to PostgreSQL's user (a checkout in /root)."""
    named = os.environ.get(DIRECTORY_VARIABLE)
    if named:
        return DataDirectory(Path(named).resolve())
    inside = ROOT / ".reglament" / "data"
    if reachable_by_server(inside):
        return DataDirectory(inside)
    return DataDirectory(Path("/var/lib/reglament") / hashlib.sha256(str(ROOT).encode()).hexdigest()[:12])


def _write_private(path: Path, text: str) -> None:
    """Replace the file as a whole, so that a reader never sees half of it."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(path)
