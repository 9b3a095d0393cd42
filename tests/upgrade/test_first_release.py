"""Databases of the first release, with the data of a whole day, are upgraded to the newest schema and work.

`first_release/<service>.sql.gz` are dumps of a system after `./reglament demo`, without signing keys, refresh tokens
and stored answers.  They are never changed: every later migration has to cope with them.
"""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from devtools.testing.databases import ScratchUrls, scratch_database
from devtools.testing.infrastructure import Infrastructure, isolated_virtual_host
from services.serving import load
from shared.contracts.base import EVENT_TYPES
from shared.identity.roles import Role
from shared.persistence import migrate
from shared.persistence.database import new_id
from tests.support.harness import serving

DUMPS = Path(__file__).parent / "first_release"
RELEASED = sorted(path.name.removesuffix(".sql.gz") for path in DUMPS.glob("*.sql.gz"))
"""Services of the first release; later ones have no databases of it."""
UNCOUNTED = {"alembic_version", "topology_check"}


@asynccontextmanager
async def first_release(service: str, infrastructure: Infrastructure) -> AsyncIterator[ScratchUrls]:
    async with scratch_database(infrastructure.database_url, service, "upgrade") as urls:
        owner = await asyncpg.connect(urls.owner)
        await owner.execute(gzip.decompress((DUMPS / f"{service}.sql.gz").read_bytes()).decode())
        await owner.close()
        yield urls


async def rows_of_every_table(urls: ScratchUrls) -> dict[str, int]:
    admin = await asyncpg.connect(urls.admin)
    try:
        tables = await admin.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        names = [row["tablename"] for row in tables if row["tablename"] not in UNCOUNTED]
        return {name: await admin.fetchval(f'SELECT count(*) FROM "{name}"') for name in names}
    finally:
        await admin.close()


async def badly_estimated(urls: ScratchUrls) -> list[str]:
    """Return tables whose policy makes the planner sort although an index has the order."""
    admin = await asyncpg.connect(urls.admin)
    try:
        policies = await admin.fetch("SELECT tablename, qual FROM pg_policies WHERE policyname = 'office_isolation'")
    finally:
        await admin.close()
    assert policies, "the service has no isolated table"
    return [row["tablename"] for row in policies if "CASE" not in row["qual"]]


def test_every_service_of_the_first_release_has_its_dump() -> None:
    assert RELEASED == ["billing", "clients", "control", "notifier", "orders", "vin"]


@pytest.mark.parametrize("name", RELEASED)
async def test_the_first_release_is_upgraded_with_its_data(name: str, infrastructure: Infrastructure) -> None:
    service = load(name)
    async with first_release(name, infrastructure) as urls:
        before = await rows_of_every_table(urls)
        assert before["outbox"] + before["inbox"] > 0, "the dump holds a day's data"
        await migrate.upgrade(service.import_path, urls.owner)
        await migrate.check(service.import_path, urls.owner)
        after = await rows_of_every_table(urls)
        assert await badly_estimated(urls) == []
        assert {table: after.get(table, 0) >= rows for table, rows in before.items()} == dict.fromkeys(before, True)
        with isolated_virtual_host(infrastructure, f"{name}_upgrade") as own:
            async with serving(service, own, urls) as harness, harness.http(Role.HEAD_OFFICE) as http:
                assert (await http.get("/health/ready")).status_code == 200
                operations = (await http.get("/operations")).json()
                assert operations["parked"] == 0
                key = {"Idempotency-Key": str(new_id())}
                assert (await http.post("/parked/replay", headers=key)).json() == {"replayed": 0}


@pytest.mark.parametrize("name", RELEASED)
async def test_events_of_the_first_release_can_still_be_read(name: str, infrastructure: Infrastructure) -> None:
    async with first_release(name, infrastructure) as urls:
        admin = await asyncpg.connect(urls.admin)
        rows = await admin.fetch("SELECT type, body FROM outbox")
        await admin.close()
    for row in rows:
        EVENT_TYPES[row["type"]].model_validate_json(row["body"])
