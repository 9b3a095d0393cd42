"""A real PostgreSQL and a real RabbitMQ for one test run.

In this order: the servers named by the environment, Docker (testcontainers), the machine's own binaries as children of
the test run. In each case the run gets its own databases (by a prefix) and its own virtual host, so parallel runs
on one server do not disturb each other.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import httpx

from devtools.errors import OperatorError
from devtools.supervisor import postgres, rabbitmq
from devtools.supervisor.postgres import PostgresServer
from devtools.supervisor.rabbitmq import RabbitServer

DATABASE_VARIABLE = "REGLAMENT_DATABASE_URL"
BROKER_VARIABLE = "REGLAMENT_AMQP_URL"
MANAGEMENT_VARIABLE = "REGLAMENT_AMQP_MANAGEMENT_URL"
POSTGRES_IMAGE = "postgres:18"
RABBITMQ_IMAGE = "rabbitmq:4.3-management"


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """The servers as one run sees them; `prefix` begins the name of every database and role that the run makes."""

    database_url: str
    amqp_url: str
    management_url: str
    prefix: str
    virtual_host: str
    source: str


@dataclass(frozen=True, slots=True)
class Servers:
    """Shared servers: a superuser's database URL, the broker's URL without a virtual host."""

    database_url: str
    amqp_url: str
    management_url: str
    source: str


@contextmanager
def infrastructure() -> Iterator[Infrastructure]:
    """Provide servers for a run; its virtual host is made before, everything of the run is dropped after."""
    with servers() as found:
        prefix = f"reglament_test_{secrets.token_hex(4)}"
        with virtual_host(found.management_url, prefix):
            try:
                yield Infrastructure(
                    database_url=found.database_url,
                    amqp_url=urlunsplit(urlsplit(found.amqp_url)._replace(path=f"/{prefix}")),
                    management_url=found.management_url,
                    prefix=prefix,
                    virtual_host=prefix,
                    source=found.source,
                )
            finally:
                run_in_thread(lambda: drop_run_databases(found.database_url, prefix))


@contextmanager
def servers() -> Iterator[Servers]:
    """Provide servers.  Raises OperatorError, with the command that helps, when there are none."""
    given = servers_from_environment()
    if given is not None:
        yield given
    elif docker_available():
        with containers() as started:
            yield started
    elif postgres.find_binaries() is not None and rabbitmq.is_installed():
        with local_servers() as started:
            yield started
    else:
        raise OperatorError(
            "the tests need PostgreSQL and RabbitMQ: "
            f"apt-get install -y --no-install-recommends {postgres.APT_PACKAGE} {rabbitmq.APT_PACKAGE}, "
            f"or a running Docker, or servers named by {DATABASE_VARIABLE}, {BROKER_VARIABLE}, {MANAGEMENT_VARIABLE}"
        )


def servers_from_environment() -> Servers | None:
    values = {name: os.environ.get(name) for name in (DATABASE_VARIABLE, BROKER_VARIABLE, MANAGEMENT_VARIABLE)}
    if not any(values.values()):
        return None
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise OperatorError(f"all three URLs are needed, missing: {', '.join(missing)}")
    return Servers(
        database_url=str(values[DATABASE_VARIABLE]),
        amqp_url=str(values[BROKER_VARIABLE]),
        management_url=str(values[MANAGEMENT_VARIABLE]).rstrip("/"),
        source="environment",
    )


def docker_available() -> bool:
    """Return whether an engine answers; testcontainers would raise from a constructor where there is none."""
    import docker
    from docker.errors import DockerException

    try:
        return bool(docker.from_env(timeout=2).ping())
    except DockerException:
        return False


@contextmanager
def containers() -> Iterator[Servers]:
    from testcontainers.postgres import PostgresContainer
    from testcontainers.rabbitmq import RabbitMqContainer

    with ExitStack() as stack:
        database = stack.enter_context(PostgresContainer(POSTGRES_IMAGE, driver=None))
        broker = stack.enter_context(RabbitMqContainer(RABBITMQ_IMAGE).with_exposed_ports(5672, 15672))
        host = broker.get_container_host_ip()
        yield Servers(
            database_url=database.get_connection_url(),
            amqp_url=f"amqp://guest:guest@{host}:{broker.get_exposed_port(5672)}/",
            management_url=f"http://guest:guest@{host}:{broker.get_exposed_port(15672)}",
            source="docker",
        )


@contextmanager
def local_servers() -> Iterator[Servers]:
    """Start servers as children of this process; they end with it, even when it is killed."""
    directory = Path(tempfile.mkdtemp(prefix="reglament-test-"))
    directory.chmod(0o755)  # The server's own user has to pass through when the tests run as root.
    database = PostgresServer(directory / "postgres", directory / "postgres.log", durable=False, password="test")
    broker = RabbitServer(directory / "rabbitmq", directory / "rabbitmq.log", durable=False)
    try:
        database.start()
        broker.start()
        database.wait_until_ready()
        broker.wait_until_ready()
        yield Servers(database.url, broker.url, broker.management_url, source="local")
    finally:
        database.stop()
        broker.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def virtual_host(management_url: str, name: str) -> Iterator[str]:
    """Provide a virtual host; dropping it at the end drops its queues and closes its connections."""
    parts = urlsplit(management_url)
    base = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    user = parts.username or "guest"
    with httpx.Client(base_url=base, auth=(user, parts.password or "guest"), timeout=30, trust_env=False) as client:
        path = f"/api/vhosts/{quote(name, safe='')}"
        client.put(path, json={}).raise_for_status()
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        client.put(f"/api/permissions/{quote(name, safe='')}/{user}", json=rights).raise_for_status()
        try:
            yield name
        finally:
            client.delete(path).raise_for_status()


@contextmanager
def isolated_virtual_host(infrastructure: Infrastructure, name: str) -> Iterator[Infrastructure]:
    """Provide the same servers with another virtual host: services under test must not receive each other's events."""
    isolated_name = f"{infrastructure.virtual_host}_{name}"
    amqp_url = urlunsplit(urlsplit(infrastructure.amqp_url)._replace(path=f"/{isolated_name}"))
    with virtual_host(infrastructure.management_url, isolated_name):
        yield replace(infrastructure, amqp_url=amqp_url, virtual_host=isolated_name)


async def drop_run_databases(database_url: str, prefix: str) -> None:
    """Drop the databases and roles whose name begins with the prefix."""
    connection = await asyncpg.connect(database_url)
    try:
        pattern = prefix.replace("_", r"\_") + "%"
        for row in await connection.fetch("SELECT datname FROM pg_database WHERE datname LIKE $1", pattern):
            await connection.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
        for row in await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname LIKE $1", pattern):
            await connection.execute(f'DROP ROLE "{row["rolname"]}"')
    finally:
        await connection.close()


def run_in_thread(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine from synchronous code in its own thread; the test runner's event loop stays untouched."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(work())).result()
