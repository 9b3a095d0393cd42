"""Scratch databases for tests: provisioned and migrated like the real ones, dropped afterwards."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg

from shared.base.settings import DatabaseUrls
from shared.persistence.provision import provision

_PASSWORD = "test"


class ScratchUrls(DatabaseUrls):
    """The three roles of one scratch database; names begin with the run's prefix."""

    def __init__(self, service: str, admin_url: str, prefix: str) -> None:
        super().__init__(service)
        self._server = urlsplit(admin_url)
        self.database = f"{prefix}_{service}"

    def _read(self, role: str) -> str:
        suffix = {"": "app", "WORKER_": "worker", "OWNER_": "owner"}[role]
        address = f"{self._server.hostname}:{self._server.port or 5432}"
        return f"postgresql://{self.database}_{suffix}:{_PASSWORD}@{address}/{self.database}"

    @property
    def admin(self) -> str:
        """The superuser in this database, for tests that bypass every protection."""
        return self._server._replace(path=f"/{self.database}").geturl()

    def environment(self) -> dict[str, str]:
        """Return the variables that a process of the service reads."""
        name = self.service.upper()
        return {
            f"REGLAMENT_{name}_DATABASE_URL": self.app,
            f"REGLAMENT_{name}_WORKER_DATABASE_URL": self.worker,
            f"REGLAMENT_{name}_OWNER_DATABASE_URL": self.owner,
        }


@asynccontextmanager
async def scratch_database(admin_url: str, service: str, purpose: str) -> AsyncIterator[ScratchUrls]:
    """Provide an empty provisioned database of `service`."""
    urls = ScratchUrls(service, admin_url, f"t{os.getpid()}_{purpose}")
    await provision(admin_url, urls)
    try:
        yield urls
    finally:
        await _drop(admin_url, urls)


async def _drop(admin_url: str, urls: ScratchUrls) -> None:
    admin = await asyncpg.connect(admin_url)
    try:
        await admin.execute(f'DROP DATABASE IF EXISTS "{urls.database}" WITH (FORCE)')
        for url in (urls.app, urls.worker, urls.owner):
            await admin.execute(f'DROP ROLE IF EXISTS "{urlsplit(url).username}"')
    finally:
        await admin.close()
