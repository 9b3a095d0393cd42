"""Every run has servers of its own or its own corner of shared ones."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import httpx
import pytest

from devtools.errors import OperatorError
from devtools.supervisor import postgres
from devtools.testing import infrastructure as module
from devtools.testing.infrastructure import (
    BROKER_VARIABLE,
    DATABASE_VARIABLE,
    MANAGEMENT_VARIABLE,
    Infrastructure,
    Servers,
    local_servers,
    servers,
    virtual_host,
)


def _without_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (DATABASE_VARIABLE, BROKER_VARIABLE, MANAGEMENT_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def _virtual_hosts(found: Servers | Infrastructure) -> set[str]:
    parts = urlsplit(found.management_url)
    answer = httpx.get(
        f"http://{parts.hostname}:{parts.port}/api/vhosts", auth=(parts.username or "", parts.password or "")
    )
    return {row["name"] for row in answer.raise_for_status().json()}


async def test_a_run_has_a_database_prefix_and_a_virtual_host_of_its_own(infrastructure: Infrastructure) -> None:
    connection = await asyncpg.connect(infrastructure.database_url)
    try:
        assert await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    finally:
        await connection.close()
    broker = await aio_pika.connect(infrastructure.amqp_url)
    try:
        channel = await broker.channel()
        await channel.declare_queue("here", exclusive=True)
    finally:
        await broker.close()
    assert infrastructure.virtual_host in _virtual_hosts(infrastructure)
    assert urlsplit(infrastructure.amqp_url).path == f"/{infrastructure.virtual_host}"


async def test_the_end_of_a_run_drops_its_databases_roles_and_virtual_host_and_no_others(
    infrastructure: Infrastructure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, infrastructure.database_url)
    monkeypatch.setenv(BROKER_VARIABLE, infrastructure.amqp_url)
    monkeypatch.setenv(MANAGEMENT_VARIABLE, infrastructure.management_url)
    connection = await asyncpg.connect(infrastructure.database_url)
    try:
        with module.infrastructure() as first, module.infrastructure() as second:
            assert first.prefix != second.prefix
            for run in (first, second):
                await connection.execute(f"CREATE ROLE {run.prefix}_owner")
                await connection.execute(f"CREATE DATABASE {run.prefix}_orders OWNER {run.prefix}_owner")
            await module.drop_run_databases(second.database_url, second.prefix)
            left = await connection.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'reglament_test_%'")
            assert f"{first.prefix}_orders" in {row["datname"] for row in left}
            assert f"{second.prefix}_orders" not in {row["datname"] for row in left}
            assert {first.virtual_host, second.virtual_host} <= _virtual_hosts(infrastructure)
        names = [f"{run.prefix}_{suffix}" for run in (first, second) for suffix in ("orders", "owner")]
        assert await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = ANY($1)", names) == 0
        assert await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = ANY($1)", names) == 0
        assert not {first.virtual_host, second.virtual_host} & _virtual_hosts(infrastructure)
    finally:
        await connection.close()


def test_two_local_runs_at_once_get_separate_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    if postgres.find_binaries() is None:
        pytest.skip("PostgreSQL's binaries are not installed here; the run uses other servers.")
    _without_urls(monkeypatch)

    def start_and_look(name: str) -> tuple[Servers, set[str]]:
        with local_servers() as found, virtual_host(found.management_url, name):
            return found, _virtual_hosts(found)

    with ThreadPoolExecutor(2) as pool:
        (first, first_hosts), (second, second_hosts) = pool.map(start_and_look, ("one", "two"))
    assert first.database_url != second.database_url
    assert (first_hosts, second_hosts) == ({"/", "one"}, {"/", "two"})


def test_part_of_the_urls_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_urls(monkeypatch)
    monkeypatch.setenv(DATABASE_VARIABLE, "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(OperatorError, match=f"{BROKER_VARIABLE}, {MANAGEMENT_VARIABLE}"), servers():
        pass


def test_without_servers_docker_and_binaries_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_urls(monkeypatch)
    monkeypatch.setattr(module, "docker_available", lambda: False)
    monkeypatch.setattr(postgres, "find_binaries", lambda version=None: None)
    with (
        pytest.raises(OperatorError, match="apt-get install -y --no-install-recommends postgresql rabbitmq-server"),
        servers(),
    ):
        pass


def test_an_engine_that_does_not_answer_is_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    assert module.docker_available() is False


def test_docker_comes_before_the_local_binaries(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine exists here, so what it would start is replaced; the order is what is tested."""
    _without_urls(monkeypatch)
    started = Servers("postgresql://in-a-container", "amqp://in-a-container", "http://in-a-container", source="docker")
    monkeypatch.setattr(module, "docker_available", lambda: True)
    monkeypatch.setattr(module, "containers", lambda: nullcontext(started))
    with servers() as found:
        assert found is started
