"""`./reglament revision`: a migration from the difference between a service's models and its migrations."""

import asyncio

from devtools.testing.databases import scratch_database
from devtools.testing.infrastructure import servers
from shared.persistence import migrate


def write_revision(service: str, message: str) -> None:
    """Migrate a scratch database, compare it with the models and write the next file of `migrations/versions`.

    Raises OperatorError without a PostgreSQL to compare with.
    """
    with servers() as found:
        asyncio.run(_write(found.database_url, service, message))


async def _write(database_url: str, service: str, message: str) -> None:
    async with scratch_database(database_url, service, "revision") as urls:
        package = f"services.{service}"
        versions = migrate.location(package) / "versions"
        if versions.is_dir() and any(versions.glob("*.py")):
            await migrate.upgrade(package, urls.owner)
        await migrate.revise(package, urls.owner, message)
