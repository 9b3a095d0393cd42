"""Connections of one database role, and transactions that the driver begins and ends.

SQLAlchemy pools the connections and runs in AUTOCOMMIT: a session joins the driver's transaction when something needs
one.  Its own way of beginning and ending a transaction costs as much as four statements.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import EmulatedDBAPIException
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

CHECKOUT_TIMEOUT_SECONDS = 10
CONNECT_TIMEOUT_SECONDS = 10
ROLLBACK_TIMEOUT_SECONDS = 2
"""Where the server does not answer in that time, the connection is closed instead."""


class TransactionRolledBack(RuntimeError):
    """PostgreSQL answered a COMMIT with ROLLBACK: a statement had failed and somebody went on."""


class Connections:
    """At most `size` connections of one role."""

    def __init__(self, url: str, size: int, application_name: str, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are PostgreSQL's own, for each connection."""
        self.engine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=size,
            # It is bounded here, without a task for each connection that is lent.
            max_overflow=-1,
            isolation_level="AUTOCOMMIT",
            # The values of a failed statement are people's data: they stay out of logs and of parked messages.
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
        """One statement that is a transaction of its own: no round trips for its beginning and end.

        Raises asyncpg's errors, ConnectionError, or sqlalchemy.exc.TimeoutError when there is no connection in time.
        """
        connection, driver = await self._checkout()
        is_idle = False
        try:
            rows: list[Any] = await driver.fetch(statement, *arguments)
            is_idle = True
            return rows
        except Exception:
            is_idle = True  # Refused; after a cancellation the statement may still be running.
            raise
        finally:
            self._checkin(connection, driver, is_idle)

    @asynccontextmanager
    async def transaction(self, begin_statement: str, info: Mapping[str, Any]) -> AsyncIterator[AsyncSession]:
        """A session within one transaction, which commits at the end of the block.

        `begin_statement` is the script that begins it.  Raises asyncpg's errors, SQLAlchemy's from the session, Undone,
        ConnectionError, or sqlalchemy.exc.TimeoutError when there is no connection in time.
        """
        connection, driver = await self._checkout()
        session = AsyncSession(
            AsyncConnection(self.engine, connection), expire_on_commit=False, info={**info, "driver": driver}
        )
        is_idle = False
        try:
            await driver.execute(begin_statement)
            yield session
            if session.in_transaction():
                await session.commit()  # What is left to be written; it ends nothing.
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
            session.info.pop("driver")  # Whoever keeps the session must not get at the next one's transaction.
            try:
                session.sync_session.close()
            finally:
                self._checkin(connection, driver, is_idle)

    async def _checkout(self) -> tuple[Connection, asyncpg.Connection]:
        """One that the server has not closed while nobody used it."""
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
                raise error.driver_exception from None  # SQLAlchemy's own wrapping comes later than here.
            if isinstance(error, TimeoutError):
                raise PoolTimeout(f"no connection within {CONNECT_TIMEOUT_SECONDS} s") from None
            raise

    def _checkin(self, connection: Connection, driver: asyncpg.Connection, is_idle: bool) -> None:
        """One that is in the midst of something is nobody's any more."""
        try:
            busy = not is_idle or driver.is_closed() or driver.is_in_transaction()
            if busy and not connection.invalidated:
                connection.invalidate()
            connection.close()
        finally:
            self._free.release()

    async def dispose(self) -> None:
        await self.engine.dispose()


def sqlalchemy_url(url: str) -> str:
    """The asyncpg dialect's URL of a plain `postgresql://` one; what libpq calls `sslmode` is `ssl` there."""
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    if "sslmode" in parsed.query:
        parsed = parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": parsed.query["sslmode"]})
    return parsed.render_as_string(hide_password=False)
