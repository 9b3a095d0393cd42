"""The frozen SQL of the kernel's migrations creates the tables that the code uses."""

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.persistence import migrate
from shared.persistence.connections import sqlalchemy_url
from shared.persistence.tables import IDENTITY, KERNEL
from tests.support.harness import ServiceHarness
from tests.support.sample_service.app import Base


async def test_the_kernels_migrations_and_tables_agree(sample: ServiceHarness) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, [KERNEL, IDENTITY, Base.metadata]))  # type: ignore[arg-type]

    engine = create_async_engine(sqlalchemy_url(sample.urls.owner))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_a_rolled_back_release_works_with_the_newer_schema(sample: ServiceHarness) -> None:
    """So does old code while new code starts.  A schema older than the code is not ready."""
    owner = await asyncpg.connect(sample.urls.owner)
    known = await owner.fetchval("SELECT version_num FROM alembic_version")
    try:
        async with sample.http() as http:
            for revision, status in (("0001", 503), ("9999", 200)):
                await owner.execute("UPDATE alembic_version SET version_num = $1", revision)
                assert (await http.get("/health/ready")).status_code == status
        await migrate.upgrade(sample.service.import_path, sample.urls.owner)
        assert await owner.fetchval("SELECT version_num FROM alembic_version") == "9999"
    finally:
        await owner.execute("UPDATE alembic_version SET version_num = $1", known)
        await owner.close()
