"""Transactions that the driver begins and ends: what happens to them when something goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import func, select, text
from sqlalchemy.exc import ResourceClosedError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from shared.contracts.orders import OrderProcessed
from shared.identity.roles import Role
from shared.messaging import publish
from shared.persistence import connections
from shared.persistence.connections import TransactionControlRefused, TransactionRolledBack, sqlalchemy_url
from shared.persistence.database import Database, new_id
from shared.persistence.raw_sql import fetch
from shared.persistence.scope import Scope
from tests.integration.kernel.messages import processed
from tests.support.harness import ServiceHarness
from tests.support.sample_service.app import Note

SIZE = 2


@pytest_asyncio.fixture
async def database(sample: ServiceHarness) -> AsyncIterator[Database]:
    made = Database(sample.urls.app, sample.urls.worker, pool=SIZE, name=f"connections {uuid4().hex[:8]}")
    yield made
    await made.dispose()


def a_note() -> Note:
    return Note(id=new_id(), office_id=new_id(), client_id=new_id(), text=str(uuid4()))


async def stored(database: Database, note_text: str) -> int:
    async with database.worker() as session:
        return await session.scalar(select(func.count()).select_from(Note).where(Note.text == note_text)) or 0


async def test_a_lock_reloads_what_was_read_before(database: Database) -> None:
    """Another transaction changes the row between reading and locking.  Unwritten changes are kept."""
    note, again = a_note(), f"again {uuid4()}"
    async with database.worker() as session:
        session.add(note)
    async with database.worker() as session:
        mine = select(Note).where(Note.id == note.id)
        early = (await session.scalars(mine)).one()
        async with database.worker() as other:
            (await other.scalars(mine)).one().text = "changed meanwhile"
        assert (await session.scalars(mine)).one().text == note.text
        assert (await session.scalars(mine.with_for_update())).one() is early
        assert early.text == "changed meanwhile"
        early.text = again
        assert (await session.scalars(mine.with_for_update())).one().text == again
    assert await stored(database, again) == 1


async def open_transactions(sample: ServiceHarness) -> int:
    """Count those of the fixture's database object."""
    admin = await asyncpg.connect(sample.urls.admin)
    try:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        count: int = await admin.fetchval(
            f"{asked} AND application_name LIKE 'connections%' AND xact_start IS NOT NULL"
        )
        return count
    finally:
        await admin.close()


async def test_the_session_and_bare_statements_share_one_transaction(database: Database) -> None:
    note = a_note()
    async with database.worker() as session:
        session.add(note)
        [(seen,)] = await fetch(session, "SELECT count(*) FROM note WHERE text = $1", note.text)
        assert seen == 1
        assert await stored(database, note.text) == 0, "it is invisible before the commit"
    assert await stored(database, note.text) == 1


async def test_what_is_left_to_be_written_is_written_at_the_end(database: Database) -> None:
    note = a_note()
    async with database.worker() as session:
        session.add(note)
    assert await stored(database, note.text) == 1


async def test_an_error_undoes_both(database: Database) -> None:
    first, second = a_note(), str(uuid4())
    with pytest.raises(ZeroDivisionError):
        async with database.worker() as session:
            session.add(first)
            await session.flush()
            copied = "INSERT INTO note (id, office_id, client_id, version, text) SELECT $1, office_id, client_id, 1, $2"
            await fetch(session, f"{copied} FROM note WHERE text = $3", new_id(), second, first.text)
            raise ZeroDivisionError
    assert (await stored(database, first.text), await stored(database, second)) == (0, 0)


async def test_a_savepoint_undoes_its_part_alone(database: Database) -> None:
    kept, undone = a_note(), a_note()
    async with database.worker() as session:
        session.add(kept)
        with suppress(ZeroDivisionError):
            async with session.begin_nested():
                session.add(undone)
                await session.flush()
                raise ZeroDivisionError
    assert (await stored(database, kept.text), await stored(database, undone.text)) == (1, 0)


async def test_continuing_after_a_failed_statement_is_an_error(database: Database) -> None:
    """PostgreSQL answers such a COMMIT with ROLLBACK and no error."""
    note = a_note()
    with pytest.raises(TransactionRolledBack):
        async with database.worker() as session:
            session.add(note)
            await session.flush()
            with suppress(asyncpg.DivisionByZeroError):
                await fetch(session, "SELECT 1 / 0")
    assert await stored(database, note.text) == 0


CONTROL = ("begin", "commit", "rollback")
"""Methods of a session that its transaction refuses."""


async def control(session: AsyncSession, method: str, synchronous: bool) -> None:
    """Call a method of CONTROL, also through the synchronous session beneath."""
    if synchronous:
        await session.run_sync(lambda beneath: getattr(beneath, method)())
    elif method == "begin":
        async with session.begin():
            pytest.fail("it began")
    else:
        await getattr(session, method)()


@pytest.mark.parametrize("synchronous", [False, True])
@pytest.mark.parametrize("method", CONTROL)
@pytest.mark.parametrize("flushed", [False, True])
async def test_a_session_cannot_end_its_transaction_and_nothing_is_half_done(
    database: Database, sample: ServiceHarness, method: str, synchronous: bool, flushed: bool
) -> None:
    """The error undoes the row, the event and what raw SQL has written."""
    note, copy, event = a_note(), str(uuid4()), processed()
    with pytest.raises(TransactionControlRefused, match=rf"session\.{method}\(\)"):
        async with database.worker() as session:
            session.add(note)
            await publish(session, event)
            if flushed:
                await fetch(
                    session,
                    "INSERT INTO note (id, office_id, client_id, version, text) VALUES ($1, $1, $1, 1, $2)",
                    new_id(),
                    copy,
                )
            await control(session, method, synchronous)
    assert (await stored(database, note.text), await stored(database, copy)) == (0, 0)
    assert await sample.published(OrderProcessed, order_id=event.order_id) == []
    assert await database.execute_autocommit("SELECT 1"), "the connection is usable"


@pytest.mark.parametrize("method", CONTROL)
async def test_a_suppressed_refusal_has_ended_nothing(database: Database, method: str) -> None:
    """Nothing is visible before the end of the block; at its end everything is."""
    before, after = a_note(), a_note()
    async with database.worker() as session:
        session.add(before)
        await session.flush()
        with suppress(TransactionControlRefused):
            await control(session, method, synchronous=False)
        assert await stored(database, before.text) == 0
        session.add(after)
    assert (await stored(database, before.text), await stored(database, after.text)) == (1, 1)


@pytest.mark.parametrize("execute_autocommit", [True, False])
async def test_a_cancelled_statement_leaves_no_transaction_behind(
    database: Database, sample: ServiceHarness, execute_autocommit: bool
) -> None:
    async def sleep() -> None:
        if execute_autocommit:
            await database.execute_autocommit("SELECT pg_sleep(2)")
        else:
            async with database.worker() as session:
                await fetch(session, "SELECT pg_sleep(60)")

    tasks = [asyncio.create_task(sleep()) for _ in range(SIZE)]
    while await open_transactions(sample) < SIZE:  # noqa: ASYNC110 (asks the database)
        await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(done, asyncio.CancelledError) for done in await asyncio.gather(*tasks, return_exceptions=True)
    )
    async with asyncio.timeout(10):
        for _ in range(2 * SIZE):
            assert [tuple(row) for row in await database.execute_autocommit("SELECT 1")] == [(1,)]
        while await open_transactions(sample):  # noqa: ASYNC110 (asks the database)
            await asyncio.sleep(0.01)


async def test_twice_cancelled_at_its_beginning_a_connection_is_not_given_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is unknown whether PostgreSQL has begun a transaction."""
    [(before,)] = await database.execute_autocommit("SELECT pg_backend_pid()")

    async def cancelled(*_: object) -> str:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched, pytest.raises(asyncio.CancelledError):
        patched.setattr(asyncpg.Connection, "execute", cancelled)
        async with database.worker():
            pytest.fail("it never began")
    [(after,)] = await database.execute_autocommit("SELECT pg_backend_pid()")
    assert after != before


async def test_a_session_is_of_no_use_after_its_block(database: Database) -> None:
    async with database.worker() as session:
        pass
    with pytest.raises(KeyError):
        await fetch(session, "SELECT 1")
    with pytest.raises(ResourceClosedError):
        await session.execute(text("SELECT 1"))


async def test_a_connection_that_cannot_be_made_is_the_drivers_error(sample: ServiceHarness) -> None:
    """No handler knows the wrapper of SQLAlchemy: the caller would get an internal error."""
    missing = Database(f"{sample.urls.app}_missing", f"{sample.urls.worker}_missing")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await missing.execute_autocommit("SELECT 1")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        async with missing.worker():
            pytest.fail("there is no such database")
    assert missing._worker._free._value == missing._worker._size
    await missing.dispose()


async def test_connections_cut_while_idle_are_not_checked_out(database: Database, sample: ServiceHarness) -> None:
    """As after a restart of the database: none of the pool fails a command."""

    async def busy() -> None:
        async with database.worker() as session:
            await fetch(session, "SELECT pg_sleep(0.05)")

    await asyncio.gather(*(busy() for _ in range(SIZE)))
    admin = await asyncpg.connect(sample.urls.admin)
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'connections%'"
    assert await admin.fetchval(cut) == SIZE
    await admin.close()
    await asyncio.sleep(0.2)
    for _ in range(SIZE):
        async with database.worker() as session:
            assert await session.scalar(text("SELECT 1")) == 1


async def test_a_connection_cut_in_a_transaction_is_replaced(database: Database) -> None:
    for statement in ("SELECT pg_terminate_backend(pg_backend_pid())",) * (SIZE + 1):
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            async with database.worker() as session:
                await fetch(session, statement)
    async with database.worker() as session:
        assert await session.scalar(text("SELECT 1")) == 1


async def test_waiting_for_a_connection_ends_with_a_timeout(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CHECKOUT_TIMEOUT_SECONDS", 0.1)
    async with database.worker(), database.worker():
        with pytest.raises(PoolTimeout):
            await database.execute_autocommit("SELECT 1")
    assert await database.execute_autocommit("SELECT 1")


async def test_the_next_scope_is_not_that_of_the_last(database: Database) -> None:
    note = a_note()
    async with database.worker() as session:
        session.add(note)
    seen = []
    for scope in (Scope("office", note.office_id), Scope("office", new_id()), Scope("client", None, note.client_id)):
        async with database.app(scope) as session:
            seen.append(await fetch(session, "SELECT 1 FROM note WHERE id = $1", note.id) != [])
    assert seen == [True, False, True]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_slow_body_holds_no_connection(sample: ServiceHarness, method: str) -> None:
    free = sample.app.state.database._app._free
    seen: list[int] = []

    async def trickle() -> AsyncIterator[bytes]:
        yield b'{"text"'
        for _ in range(5):
            await asyncio.sleep(0.01)
            seen.append(free._value)
        yield b': "x"}'

    async with sample.http(Role.MANAGER, office_id=new_id()) as http:
        answer = await http.request(
            method,
            "/notes" if method == "POST" else f"/notes/{new_id()}",
            content=trickle(),
            headers={"Content-Type": "application/json", "If-Match": '"1"'},
        )
    assert answer.status_code in (404, 422), answer.text
    assert seen == [sample.app.state.database._app._size] * 5


async def test_how_a_database_is_to_be_encrypted_can_stand_in_its_url(sample: ServiceHarness) -> None:
    """As libpq and asyncpg spell it; SQLAlchemy would pass the word to the driver, which expects another."""
    engine = create_async_engine(sqlalchemy_url(f"{sample.urls.app}?sslmode=disable"))
    try:
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
    finally:
        await engine.dispose()
    required = create_async_engine(sqlalchemy_url(f"{sample.urls.app}?sslmode=require"))
    with pytest.raises(ConnectionError, match="SSL"):  # The test's server has no SSL.
        async with required.connect():
            pass
