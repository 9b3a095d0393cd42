"""Connections of one database role, and transactions that the driver begins and ends.

SQLAlchemy pools the connections and runs in AUTOCOMMIT: a session joins the driver's transaction.  SQLAlchemy's own
way of beginning and ending a transaction costs as much as four statements.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn

import asyncpg
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import EmulatedDBAPIException
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction

CHECKOUT_TIMEOUT_SECONDS = 10
CONNECT_TIMEOUT_SECONDS = 10
ROLLBACK_TIMEOUT_SECONDS = 2
"""Where the server does not answer in that time, the connection is closed instead."""


class TransactionRolledBack(RuntimeError):
    """PostgreSQL answered COMMIT with ROLLBACK: a statement had failed and the caller continued."""


class TransactionControlRefused(RuntimeError):
    """The caller tried to begin, commit or roll back the transaction that its block ends (ADR 7)."""


class _BoundSession(Session):
    """A session within a transaction that it neither begins nor ends.  Savepoints (`begin_nested`) work as usual."""

    def begin(self, nested: bool = False) -> SessionTransaction:
        """Begin a savepoint.  Raises TransactionControlRefused for anything else."""
        if not nested:
            self._refuse("begin")
        return super().begin(nested=True)

    def commit(self) -> NoReturn:
        """Raise TransactionControlRefused."""
        self._refuse("commit")

    def rollback(self) -> NoReturn:
        """Raise TransactionControlRefused."""
        self._refuse("rollback")

    def _refuse(self, method: str) -> NoReturn:
        raise TransactionControlRefused(
            f"session.{method}() has no effect here: the transaction commits at the end of its block and rolls back on"
            " an error; flush() writes early, begin_nested() sets a savepoint"
        )


class Connections:
    """At most `size` connections of one role."""

    def __init__(self, url: str, size: int, application_name: str, settings: Mapping[str, str] | None = None) -> None:
        """Prepare the pool; nothing is connected yet.  `settings` are PostgreSQL's own, for each connection."""
        self.engine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=size,
            # The semaphore bounds the pool, without a task for each checkout.
            max_overflow=-1,
            isolation_level="AUTOCOMMIT",
            # The values of a failed statement are personal data: they stay out of logs and of parked messages.
            hide_parameters=True,
            connect_args={
                "timeout": CONNECT_TIMEOUT_SECONDS,
                "server_settings": {
                    "application_name": application_name,
                    "timezone": "UTC",
                    "idle_in_transaction_session_timeout": "60s",
                    "jit": "off",
                    **(settings or {}),
                },
            },
        )
        self._size = size
        self._free = asyncio.Semaphore(size)

    async def execute_autocommit(self, statement: str, *arguments: Any) -> list[Any]:
        """Execute one statement as a transaction of its own, without round trips for BEGIN and COMMIT.

        Raises asyncpg's errors, ConnectionError, or sqlalchemy.exc.TimeoutError when no connection is free in time.
        """
        connection, driver = await self._checkout()
        is_idle = False
        try:
            rows: list[Any] = await driver.fetch(statement, *arguments)
            is_idle = True
            return rows
        except Exception:
            is_idle = True  # The statement has failed.  After a cancellation it may still be running.
            raise
        finally:
            self._checkin(connection, driver, is_idle)

    @asynccontextmanager
    async def transaction(self, begin_statement: str, info: Mapping[str, Any]) -> AsyncIterator[AsyncSession]:
        """Yield a session within one transaction, which commits at the end of the block and rolls back on an error.

        `begin_statement` is the script that begins it.  Raises asyncpg's errors, SQLAlchemy's from the session,
        TransactionRolledBack, ConnectionError, or sqlalchemy.exc.TimeoutError when no connection is free in time.
        """
        connection, driver = await self._checkout()
        session = AsyncSession(
            AsyncConnection(self.engine, connection),
            sync_session_class=_BoundSession,
            expire_on_commit=False,
            info={**info, "driver": driver},
        )
        is_idle = False
        try:
            await driver.execute(begin_statement)
            yield session
            await flush_changes(session)
            if await driver.execute("COMMIT") != "COMMIT":
                raise TransactionRolledBack("the transaction had failed")
            is_idle = True
        except BaseException:
            with suppress(Exception):
                async with asyncio.timeout(ROLLBACK_TIMEOUT_SECONDS):
                    await driver.execute("ROLLBACK")
                is_idle = True
            raise
        finally:
            # A session kept past the block must not reach the next transaction on this connection.
            session.info.pop("driver")
            try:
                session.sync_session.close()
            finally:
                self._checkin(connection, driver, is_idle)

    async def _checkout(self) -> tuple[Connection, asyncpg.Connection]:
        """Check out a connection that the server has not closed while it was idle."""
        if self._free.locked():
            try:
                async with asyncio.timeout(CHECKOUT_TIMEOUT_SECONDS):
                    await self._free.acquire()
            except TimeoutError:
                raise PoolTimeout(f"{self._size} connections are in use for {CHECKOUT_TIMEOUT_SECONDS} s") from None
        else:
            await self._free.acquire()
        try:
            while True:
                pooled: Any = await self.engine.raw_connection()
                driver = pooled.driver_connection
                if not driver.is_closed():
                    return Connection(self.engine.sync_engine, pooled), driver
                pooled.invalidate()
        except BaseException as error:
            self._free.release()
            if isinstance(error, EmulatedDBAPIException):
                raise error.driver_exception from None  # SQLAlchemy would wrap it only for its own statements.
            if isinstance(error, TimeoutError):
                raise PoolTimeout(f"no connection within {CONNECT_TIMEOUT_SECONDS} s") from None
            raise

    def _checkin(self, connection: Connection, driver: asyncpg.Connection, is_idle: bool) -> None:
        """Return the connection to the pool, or invalidate it if a statement or transaction may still be running."""
        try:
            busy = not is_idle or driver.is_closed() or driver.is_in_transaction()
            if busy and not connection.invalidated:
                connection.invalidate()
            connection.close()
        finally:
            self._free.release()

    async def dispose(self) -> None:
        """Close the idle connections."""
        await self.engine.dispose()


async def flush_changes(session: AsyncSession) -> None:
    """Write what the session has changed so far; costs nothing when nothing has changed."""
    if session.new or session.dirty or session.deleted:
        await session.flush()


def sqlalchemy_url(url: str) -> str:
    """Return the asyncpg dialect's URL for a plain `postgresql://` one; libpq's `sslmode` is `ssl` there."""
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    if "sslmode" in parsed.query:
        parsed = parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": parsed.query["sslmode"]})
    return parsed.render_as_string(hide_password=False)
