"""The tables that the migrations make are those of the models."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.notifier.people.models import Base
from shared.persistence.connections import sqlalchemy_url
from shared.persistence.tables import KERNEL
from tests.support.harness import ServiceHarness


async def test_the_migrations_make_the_tables_of_the_models(notifier: ServiceHarness) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, [KERNEL, Base.metadata]))  # type: ignore[arg-type]

    engine = create_async_engine(sqlalchemy_url(notifier.urls.owner))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()
