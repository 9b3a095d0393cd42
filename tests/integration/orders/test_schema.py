"""The migrated database equals the models."""

from sqlalchemy import text

from services.orders.models import Base
from shared.persistence import migrate
from tests.support.harness import ServiceHarness


async def test_migrations_make_what_the_models_declare(orders: ServiceHarness) -> None:
    await migrate.check("services.orders", orders.urls.owner)


async def test_every_table_of_an_office_is_isolated_underneath(orders: ServiceHarness) -> None:
    owned = {table.name for table in Base.metadata.sorted_tables if "office_id" in table.columns} - {"office"}
    async with orders.session() as session:
        rows = await session.execute(text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"))
        isolated = set(rows.scalars())
    assert owned <= isolated
    assert len(owned) == 16
