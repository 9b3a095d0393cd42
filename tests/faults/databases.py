"""Databases of a scenario: copies of one that was migrated once, because migrating takes longer than most faults."""

import asyncpg

from devtools.testing.databases import ScratchUrls
from shared.base.settings import SERVICES
from shared.persistence import migrate
from shared.persistence.provision import provision
from tests.faults.servers import Servers

TEMPLATE = "faults_template"


class CopiedUrls(ScratchUrls):
    """A copied database under the roles of its original, which own its tables."""

    def __init__(self, service: str, admin_url: str, prefix: str) -> None:
        super().__init__(service, admin_url, prefix)
        self._template = ScratchUrls(service, admin_url, TEMPLATE)

    def _read(self, role: str) -> str:
        before, _, _ = self._template._read(role).rpartition("/")
        return f"{before}/{self.database}"


async def copied_database(servers: Servers, service: str, prefix: str) -> ScratchUrls:
    """Copy the database.  The caller drops it: it knows when the last process has ended."""
    template = ScratchUrls(service, servers.database.url, TEMPLATE)
    if service not in servers.migrated:
        await provision(servers.database.url, template)
        package = f"services.{service}" if service in SERVICES else f"tests.faults.sample.{service}"
        await migrate.upgrade(package, template.owner)
        servers.migrated.add(service)
    urls = CopiedUrls(service, servers.database.url, prefix)
    admin = await asyncpg.connect(servers.database.url, timeout=10)
    try:
        await admin.execute(f'CREATE DATABASE "{urls.database}" TEMPLATE "{template.database}"')
    finally:
        await admin.close()
    return urls
