"""A private PostgreSQL: its own data directory, its own port on 127.0.0.1, nothing of the system's clusters."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from devtools.errors import OperatorError
from devtools.supervisor.processes import GuardedProcess, clean_environment, free_port, wait_until

OLDEST_VERSION = 15
# The metapackage: it depends on the newest version that the distribution offers.
APT_PACKAGE = "postgresql"
INSTALLED = Path("/usr/lib/postgresql")
SERVER_USER = "postgres"
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"

COMMON_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    # Without it the log quotes the values of a refused row: logins, phones.
    "log_error_verbosity": "terse",
}
# A test run's databases live for minutes: a crash of the machine may take them.
TEST_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_binaries(version: int | None = None) -> Path | None:
    """Return the directory that holds `postgres` and `initdb` of that version, or of the newest that is new enough."""
    installed = installed_versions()
    if version is None:
        version = max((each for each in installed if each >= OLDEST_VERSION), default=None)
    return installed.get(version) if version is not None else None


def installed_versions() -> dict[int, Path]:
    """Return the servers' directories by major version; the client alone has a directory without `initdb`."""
    return {
        int(directory.name): directory / "bin"
        for directory in INSTALLED.glob("*")
        if directory.name.isdigit() and (directory / "bin" / "initdb").exists()
    }


def unprivileged() -> list[str]:
    """PostgreSQL refuses root: as root it runs as `postgres`, as anybody else under that name."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--pdeathsig", "INT", "--reuid", SERVER_USER, "--regid", SERVER_USER, "--clear-groups", "--"]


def reachable_by_server(directory: Path) -> bool:
    """Whether the server's user may walk down to the directory (root's own home is usually closed to it)."""
    if os.geteuid() != 0:
        return True
    try:
        pwd.getpwnam(SERVER_USER)
    except KeyError:
        return all(parent.stat().st_mode & 0o001 for parent in directory.parents if parent.exists())
    existing = next(parent for parent in [directory, *directory.parents] if parent.exists())
    return subprocess.run([*unprivileged(), "test", "-x", str(existing)], check=False).returncode == 0


@dataclass(slots=True)
class PostgresServer:
    """`durable` is for data that matters; without it the server skips every fsync."""

    directory: Path
    log: Path
    durable: bool
    password: str
    port: int = field(default_factory=free_port)
    process: GuardedProcess | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{SERVER_USER}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Create the cluster if there is none and launch the server, without waiting. Raises OperatorError."""
        binaries = self._binaries()
        if not (self.directory / "PG_VERSION").exists():
            self._create(binaries)
        options = COMMON_OPTIONS | ({} if self.durable else TEST_OPTIONS)
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        # A postmaster killed with the machine leaves its pid file; PostgreSQL itself checks whether that pid lives.
        self.process = GuardedProcess(
            "PostgreSQL",
            [*unprivileged(), str(binaries / "postgres"), "-D", str(self.directory), "-p", str(self.port), *arguments],
            log=self.log,
            environment=clean_environment() | {"LC_ALL": "C.UTF-8"},
            directory=Path("/"),
            stop_signal="INT",  # a "fast" shutdown: sessions are cut, the data is written
        )
        self.process.start()

    def wait_until_ready(self) -> None:
        """After a crash this includes the recovery. Raises OperatorError."""
        assert self.process is not None, "start() comes first"
        wait_until(self.answers, self.process, seconds=120)

    def answers(self) -> bool:
        """Return whether the server speaks its protocol; until the end of a recovery it closes or refuses."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(SSL_REQUEST)
                if connection.recv(1) not in (b"N", b"S"):
                    return False
            return self._is_ready()
        except OSError:
            return False

    def _is_ready(self) -> bool:
        status = subprocess.run(
            [str(self._binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        )
        return status.returncode == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()

    def _binaries(self) -> Path:
        version_file = self.directory / "PG_VERSION"
        try:
            version = int(version_file.read_text()) if version_file.exists() else None
        except ValueError as error:
            raise OperatorError(f"{version_file} is damaged; start empty with: ./reglament up --fresh") from error
        binaries = find_binaries(version)
        if binaries is None and version is not None:
            found = ", ".join(map(str, sorted(installed_versions()))) or "none"
            raise OperatorError(
                f"{self.directory} was made by PostgreSQL {version}, which is not installed (found: {found}): "
                f"install postgresql-{version}, or start empty with: ./reglament up --fresh"
            )
        if binaries is None:
            raise OperatorError(f"PostgreSQL {OLDEST_VERSION} or newer is not installed: apt-get install {APT_PACKAGE}")
        return binaries

    def _create(self, binaries: Path) -> None:
        if self.directory.exists() and any(self.directory.iterdir()):
            raise OperatorError(
                f"{self.directory} is no PostgreSQL data directory but not empty; "
                "move it away or start empty with: ./reglament up --fresh"
            )
        # Made beside its place: half a cluster, broken off, would be taken for a damaged one at the next start.
        unfinished = self.directory.with_name(f"{self.directory.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(unfinished, SERVER_USER, SERVER_USER)
        with tempfile.NamedTemporaryFile("w", prefix="reglament-") as password_file:
            password_file.write(self.password + "\n")
            password_file.flush()
            if os.geteuid() == 0:
                shutil.chown(password_file.name, SERVER_USER)
            command = [*unprivileged(), str(binaries / "initdb"), "-D", str(unfinished), "-U", SERVER_USER]
            command += ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]
            command += [f"--pwfile={password_file.name}", *([] if self.durable else ["--no-sync"])]
            done = subprocess.run(
                command, capture_output=True, text=True, env=clean_environment(), cwd="/", check=False
            )
        if done.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise OperatorError(f"initdb failed: {' | '.join(done.stderr.strip().splitlines()[-2:])}")
        unfinished.rename(self.directory)
