"""PostgreSQL and RabbitMQ that belong to one run and may be killed, frozen and wiped."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from devtools.supervisor.packages import ensure_servers
from devtools.supervisor.postgres import PostgresServer
from devtools.supervisor.processes import GuardedProcess, wait_until
from devtools.supervisor.rabbitmq import PASSWORD, USER, RabbitServer
from tests.faults.processes import ForkServer


@dataclass(slots=True)
class Servers:
    directory: Path
    database: PostgresServer
    broker: RabbitServer
    fork_servers: dict[tuple[str, ...], ForkServer] = field(default_factory=dict)
    migrated: set[str] = field(default_factory=set)
    """Services whose template database exists."""

    def fork_server(self, services: tuple[str, ...]) -> ForkServer:
        """Return the fork server of these services, started with their first process."""
        if services not in self.fork_servers:
            self.fork_servers[services] = ForkServer(self.directory, services)
            self.fork_servers[services].start()
        return self.fork_servers[services]

    def make_virtual_host(self, name: str) -> None:
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        with self.management() as client:
            client.put(f"/api/vhosts/{name}", json={}).raise_for_status()
            client.put(f"/api/permissions/{name}/{USER}", json=rights).raise_for_status()

    def drop_virtual_host(self, name: str) -> None:
        with self.management() as client:
            client.delete(f"/api/vhosts/{name}").raise_for_status()

    def management(self) -> httpx.Client:
        base = f"http://127.0.0.1:{self.broker.management_port}"
        transport = httpx.HTTPTransport(retries=3)
        return httpx.Client(base_url=base, auth=(USER, PASSWORD), timeout=30, trust_env=False, transport=transport)

    def control_broker(self, *command: str) -> None:
        """`rabbitmqctl`, with the broker's own environment: its cookie, its port mapper."""
        pid = running(self.broker.process).pid
        assert pid is not None
        subprocess.run(
            ["/usr/lib/rabbitmq/bin/rabbitmqctl", "--quiet", *command],
            env=psutil.Process(pid).environ(),
            cwd=self.broker.directory,
            check=True,
            timeout=120,
            stdout=subprocess.DEVNULL,
        )

    def broker_alarmed(self) -> bool:
        with self.management() as client:
            return client.get("/api/health/checks/alarms").status_code == httpx.codes.SERVICE_UNAVAILABLE

    def restart_broker(self, *, kill: bool) -> None:
        self._stop_broker(kill=kill)
        self._start_broker()

    def wipe_broker(self, *virtual_hosts: str) -> None:
        """Wipe the broker's data, as after the loss of its disk, and restore the virtual hosts like an operator."""
        self._stop_broker(kill=True)
        shutil.rmtree(self.broker.directory / "mnesia")
        self._start_broker()
        for name in virtual_hosts:
            self.make_virtual_host(name)

    def restart_database(self, *, kill: bool) -> None:
        process = running(self.database.process)
        if kill:
            process.kill()
        else:
            process.stop()
        self.database.start()
        self.database.wait_until_ready()

    def _stop_broker(self, *, kill: bool) -> None:
        process = running(self.broker.process)
        if kill:
            process.kill()
        else:
            process.stop()

    def _start_broker(self) -> None:
        self.broker.start()
        self.broker.wait_until_ready()


def running(process: GuardedProcess | None) -> GuardedProcess:
    assert process is not None, "the server was never started"
    return process


@contextmanager
def frozen(process: GuardedProcess | None) -> Iterator[None]:
    """Freeze the process and its descendants (SIGSTOP); resume them at the end (SIGCONT)."""
    pid = running(process).pid
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for member in family:
        os.kill(member.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for member in family:
            if member.is_running():
                os.kill(member.pid, signal.SIGCONT)


@contextmanager
def alarmed(servers: Servers, limit: Sequence[str], value: str, usual: str) -> Iterator[None]:
    """Raise a resource alarm: the broker blocks publishers and stops reading from their connections."""
    servers.control_broker(*limit, value)
    wait_until(servers.broker_alarmed, running(servers.broker.process), seconds=30)
    try:
        yield
    finally:
        servers.control_broker(*limit, usual)


MEMORY = (("set_vm_memory_high_watermark", "absolute"), "1", "768MiB")
DISK = (("set_disk_free_limit",), "1000000GB", "200MB")


@contextmanager
def private_servers() -> Iterator[Servers]:
    """Start durable servers: committed data survives a `kill -9`, as in an installation."""
    directory = Path(tempfile.mkdtemp(prefix="reglament-faults-"))
    directory.chmod(0o755)  # The server's own user has to pass through when the tests run as root.
    ensure_servers(lambda _: None, directory / "apt.log", database=True, broker=True)
    database = PostgresServer(directory / "postgres", directory / "postgres.log", durable=True, password="test")
    broker = RabbitServer(directory / "rabbitmq", directory / "rabbitmq.log", durable=True)
    servers = Servers(directory, database, broker)
    try:
        database.start()
        broker.start()
        database.wait_until_ready()
        broker.wait_until_ready()
        yield servers
    finally:
        for fork_server in servers.fork_servers.values():
            fork_server.stop()
        for server in (database.process, broker.process):
            if server is not None:
                server.kill()
        shutil.rmtree(directory, ignore_errors=True)
