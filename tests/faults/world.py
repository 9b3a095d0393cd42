"""Services as processes on their own databases and virtual host, and every way to damage them."""

import asyncio
import itertools
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx

from devtools.supervisor.processes import free_port
from devtools.testing.databases import ScratchUrls
from shared.base import fault_points
from shared.base.clock import now
from shared.base.settings import SERVICES
from shared.identity.roles import Principal, Role
from shared.identity.tokens import generate_key, issue
from shared.persistence.database import new_id
from tests.faults import child, injected_bugs
from tests.faults.databases import copied_database
from tests.faults.processes import GRACE_SECONDS, Process
from tests.faults.servers import Servers
from tests.support.harness import NO_MAIL_SERVER

START_SECONDS = 90.0
QUICK = {"REGLAMENT_TOPOLOGY_CHECK_SECONDS": "2", "REGLAMENT_RELAY_LEASE_SECONDS": "3", "REGLAMENT_DATABASE_POOL": "6"}
"""Settings of small runs: repairs and lost leases are noticed in seconds."""
_numbers = itertools.count(1)
_key = generate_key()


@dataclass(slots=True)
class Member:
    """One process, which serves one service or several."""

    name: str
    services: tuple[str, ...]
    port: int
    process: Process

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.port}" + (f"/api/{service}" if service in SERVICES else "")


@dataclass(slots=True)
class World:
    servers: Servers
    prefix: str
    databases: dict[str, ScratchUrls]
    settings: dict[str, str]
    ports: Mapping[int, int] = field(default_factory=dict)
    """Server port -> port that the services use, where a proxy is in between."""
    members: dict[str, Member] = field(default_factory=dict)
    _connections: dict[str, asyncpg.Connection] = field(default_factory=dict)
    """One connection to each database: polling over new ones would cost more than what is polled."""
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def start(
        self,
        *services: str,
        name: str = "",
        port: int = 0,
        crash_at: str = "",
        bugs: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> Member:
        """A process for these services, not yet ready.  A name that was there before is started anew on its port."""
        name = name or services[0]
        before = self.members.get(name)
        port = before.port if before else port or free_port()
        if before:
            before.process.close()
        process = self.servers.fork_server(tuple(self.databases)).fork(
            services,
            port,
            self._environment(services)
            | dict(settings or {})
            | {fault_points.VARIABLE: crash_at, injected_bugs.VARIABLE: bugs},
            self.servers.directory / f"{self.prefix}-{name}.log",
        )
        self.members[name] = Member(name, services, port, process)
        return self.members[name]

    async def restart(self, name: str, **options: Any) -> None:
        await self.start(*self.members[name].services, name=name, **options)

    async def ready(self, *names: str) -> None:
        """Wait until HTTP answers and the consumers consume.  Raises ProcessEnded when a process ends first."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            for member in [self.members[name] for name in names or self.members]:
                for service in member.services:
                    for path in ("health/ready", "health/consumers"):
                        await self._answers(http, member, f"{member.url(service)}/{path}")

    async def _answers(self, http: httpx.AsyncClient, member: Member, url: str) -> None:
        async def ok() -> bool:
            if not member.process.running:
                raise RuntimeError(f"{member.name} did not start: {member.process.log_tail()}")
            try:
                return (await http.get(url)).status_code == httpx.codes.OK
            except httpx.HTTPError:
                return False

        await until(ok, f"{url} answers", START_SECONDS)

    async def kill(self, name: str) -> None:
        await self.members[name].process.kill()

    async def stop(self, name: str) -> float:
        """Send SIGTERM; return how many seconds the process took to end."""
        begun = time.monotonic()
        process = self.members[name].process
        process.signal(signal.SIGTERM)
        await process.ended(GRACE_SECONDS + 10)
        return time.monotonic() - begun

    async def died(self, name: str, seconds: float = 60) -> None:
        """Wait until the process died at its point.  Raises RuntimeError where it ended in another way."""
        process = self.members[name].process
        await process.ended(seconds)
        assert process.killed

    def urls(self, service: str) -> list[str]:
        return [member.url(service) for member in self.members.values() if service in member.services]

    async def rows(self, service: str, query: str, *values: Any) -> list[asyncpg.Record]:
        """Return rows of the service's database, past every protection."""
        async with self._locks.setdefault(service, asyncio.Lock()):
            connection = self._connections.get(service)
            if connection is None or connection.is_closed():
                connection = self._connections[service] = await asyncpg.connect(
                    self.databases[service].admin, timeout=10
                )
            found: list[asyncpg.Record] = await connection.fetch(query, *values)
            return found

    def close_connections(self) -> None:
        for connection in self._connections.values():
            connection.terminate()

    async def count(self, service: str, query: str, *values: Any) -> int:
        [row] = await self.rows(service, query, *values)
        return int(row[0] or 0)

    def operator(self, service: str) -> httpx.AsyncClient:
        """Return a client of a sample, signed in as head office."""
        person = Principal(new_id(), Role.HEAD_OFFICE, None, "Оператор")
        token = issue(_key, "control", person, session_id=new_id(), at=now())
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=self.urls(service)[0], headers=headers, timeout=30, trust_env=False)

    @property
    def amqp_url(self) -> str:
        return f"{self.servers.broker.url}{self.prefix}"

    async def restart_broker(self, *, kill: bool = True) -> None:
        await asyncio.to_thread(self.servers.restart_broker, kill=kill)

    async def wipe_broker(self) -> None:
        await asyncio.to_thread(self.servers.wipe_broker, self.prefix)

    async def restart_database(self, *, kill: bool = True) -> None:
        await asyncio.to_thread(self.servers.restart_database, kill=kill)

    def _environment(self, services: Iterable[str]) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("REGLAMENT_")}
        ours |= {
            "PYTHONUNBUFFERED": "1",
            "REGLAMENT_AMQP_URL": self.amqp_url,
            "REGLAMENT_AMQP_MANAGEMENT_URL": self.servers.broker.management_url,
            "REGLAMENT_LOG_LEVEL": "WARNING",
            "REGLAMENT_SMTP_URL": NO_MAIL_SERVER,
            child.KEY: json.dumps(_key.as_dict(private=True)),
            **self.settings,
        }
        for service in services:
            ours |= self.databases[service].environment()
        for real, shown in self.ports.items():
            ours = {name: value.replace(f"127.0.0.1:{real}/", f"127.0.0.1:{shown}/") for name, value in ours.items()}
        return ours


@asynccontextmanager
async def new_world(
    servers: Servers,
    *services: str,
    settings: Mapping[str, str] | None = None,
    ports: Mapping[int, int] | None = None,
) -> AsyncIterator[World]:
    """Create databases of these services and a virtual host; the scenario starts the processes."""
    prefix = f"faults{os.getpid()}_{next(_numbers)}"
    # The fork server imports the services meanwhile.
    importing = asyncio.create_task(asyncio.to_thread(servers.fork_server, services))
    making = asyncio.create_task(asyncio.to_thread(servers.make_virtual_host, prefix))
    databases = {service: await copied_database(servers, service, prefix) for service in services}
    await making
    await importing
    world = World(servers, prefix, databases, QUICK | dict(settings or {}), ports or {})
    try:
        yield world
    finally:
        for member in world.members.values():
            member.process.signal(signal.SIGKILL)
        for member in world.members.values():
            await member.process.ended(GRACE_SECONDS)
            member.process.close()
        world.close_connections()
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(servers.drop_virtual_host, prefix))
            for urls in databases.values():
                group.create_task(drop_database(servers, urls))


async def drop_database(servers: Servers, urls: ScratchUrls) -> None:
    admin = await asyncpg.connect(servers.database.url, timeout=10)
    try:
        await admin.execute(f'DROP DATABASE IF EXISTS "{urls.database}" WITH (FORCE)')
    finally:
        await admin.close()


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float) -> float:
    """Poll a condition; return the seconds it took.  Raises TimeoutError naming what did not come.

    A slow condition, such as counting many rows, is polled less often.
    """
    begun = time.monotonic()
    while True:
        asked = time.monotonic()
        if await condition():
            return time.monotonic() - begun
        if time.monotonic() - begun > seconds:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        left = begun + seconds - time.monotonic()
        await asyncio.sleep(max(0.05, min(left, 2 * (time.monotonic() - asked))))
