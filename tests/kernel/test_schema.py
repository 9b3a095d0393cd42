"""The frozen SQL of the kernel's migrations makes the tables that the code uses."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.connections import sqlalchemy_url
from shared.messaging.tables import IDENTITY, KERNEL
from tests.harness import ServiceHarness
from tests.kernel.sample.app import Base


async def test_the_kernels_migrations_and_tables_agree(sample: ServiceHarness) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, [KERNEL, IDENTITY, Base.metadata]))  # type: ignore[arg-type]

    engine = create_async_engine(sqlalchemy_url(sample.urls.owner))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()
