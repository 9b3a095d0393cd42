"""The whole system in `--processes` mode on databases and a virtual host of its own."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import httpx

from devtools.supervisor import environment as variables
from devtools.supervisor.processes import free_port, wait_until
from devtools.supervisor.state import DataDirectory
from devtools.supervisor.system import START_SECONDS, System, running_system
from devtools.testing.infrastructure import Infrastructure, virtual_host

WEBHOOK_SECRET, MANGO_KEY, MANGO_SALT = "ключ входящих SMS", "mango", "соль"


@dataclass(frozen=True, slots=True)
class World:
    """A running system, and the ways to look behind its HTTP interface."""

    system: System
    infrastructure: Infrastructure
    prefix: str
    port: int

    @property
    def virtual_host(self) -> str:
        return self.prefix

    def rows(self, service: str, query: str, *values: Any) -> list[asyncpg.Record]:
        """Return rows of the service's database, past every protection."""
        url = urlunsplit(urlsplit(self.infrastructure.database_url)._replace(path=f"/{self.prefix}_{service}"))

        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(url)
            try:
                found: list[asyncpg.Record] = await connection.fetch(query, *values)
                return found
            finally:
                await connection.close()

        # In its own thread: the event loop belongs to the test runner.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(ask())).result()

    def queues(self, service: str) -> list[Mapping[str, Any]]:
        """Return the service's queues as the broker reports them."""
        parts = urlsplit(self.infrastructure.management_url)
        base = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        auth = (parts.username or "guest", parts.password or "guest")
        found = httpx.get(f"{base}/api/queues/{quote(self.virtual_host)}", auth=auth, trust_env=False, timeout=10)
        found.raise_for_status()
        return [queue for queue in found.json() if queue["name"].startswith(f"{service}.")]

    def start(self, service: str) -> None:
        """Start a service that has ended, and wait until the whole system is ready again."""
        process = self.system.services[service]
        process.start()
        wait_until(self.system.is_ready, process, seconds=START_SECONDS)


@contextmanager
def running_world(infrastructure: Infrastructure, directory: Path) -> Iterator[World]:
    """Start the system on its own databases and virtual host: services of other tests would share its queues."""
    prefix = f"{infrastructure.prefix}_day"
    data = DataDirectory(directory)
    servers = {
        variables.SUPERUSER: infrastructure.database_url,
        variables.BROKER: urlunsplit(urlsplit(infrastructure.amqp_url)._replace(path=f"/{prefix}")),
        variables.BROKER_MANAGEMENT: infrastructure.management_url,
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("REGLAMENT_")} | servers
    ours |= variables.database_urls(infrastructure.database_url, lambda _: "test", prefix=prefix)
    ours |= {
        "REGLAMENT_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "REGLAMENT_MANGO_KEY": MANGO_KEY,
        "REGLAMENT_MANGO_SALT": MANGO_SALT,
        "REGLAMENT_SECRETS_KEY": "ключ почтовых ящиков",
    }
    port = free_port()
    with (
        virtual_host(infrastructure.management_url, prefix),
        patch.dict(os.environ, ours, clear=True),
        running_system(data, port=port, separate=True, report_progress=lambda _: None) as system,
    ):
        yield World(system, infrastructure, prefix, port)
