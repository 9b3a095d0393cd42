"""Create a service's database and its three roles on an existing server; repeating it changes nothing."""

from urllib.parse import SplitResult, unquote, urlsplit

import asyncpg

from shared.base.settings import DatabaseUrls


async def provision(admin_url: str, urls: DatabaseUrls) -> None:
    """Create the database, its roles and their privileges, with the names and passwords of the service's URLs.

    The owner migrates, `app` serves HTTP, `worker` consumes.
    """
    owner, app, worker = (urlsplit(url) for url in (urls.owner, urls.app, urls.worker))
    database = owner.path.lstrip("/")
    admin = await asyncpg.connect(admin_url, timeout=10)
    try:
        # Several one-shot containers may do this at the same time.
        await admin.execute("SELECT pg_advisory_lock(7350003)")
        for role in (owner, app, worker):
            await _role(admin, unquote(role.username or ""), unquote(role.password or ""))
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            await admin.execute(
                f"CREATE DATABASE {_name(database)} OWNER {_name(owner.username)} ENCODING 'UTF8' TEMPLATE template0"
            )
        await admin.execute(f"REVOKE ALL ON DATABASE {_name(database)} FROM PUBLIC")
        for role in (app, worker):
            await admin.execute(f"GRANT CONNECT ON DATABASE {_name(database)} TO {_name(role.username)}")
    finally:
        await admin.close()
    await _privileges(urlsplit(admin_url)._replace(path=f"/{database}").geturl(), owner.username, app, worker)


async def _role(admin: asyncpg.Connection, name: str, password: str) -> None:
    if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
        await admin.execute(f"CREATE ROLE {_name(name)} LOGIN NOSUPERUSER NOBYPASSRLS")
    if password:
        await admin.execute(f"ALTER ROLE {_name(name)} PASSWORD {_literal(password)}")


async def _privileges(url: str, owner: str | None, *roles: SplitResult) -> None:
    admin = await asyncpg.connect(url, timeout=10)
    try:
        names = ", ".join(_name(role.username) for role in roles)
        await admin.execute(f"ALTER SCHEMA public OWNER TO {_name(owner)}")
        await admin.execute(f"GRANT USAGE ON SCHEMA public TO {names}")
        for_owner = f"ALTER DEFAULT PRIVILEGES FOR ROLE {_name(owner)} IN SCHEMA public"
        await admin.execute(f"{for_owner} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {names}")
        await admin.execute(f"{for_owner} GRANT USAGE, SELECT ON SEQUENCES TO {names}")
    finally:
        await admin.close()


def _name(value: str | None) -> str:
    return '"' + unquote(value or "").replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
