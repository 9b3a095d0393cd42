"""The statement counter of the scale tests sees everything that the driver sends."""

from uuid import uuid4

import asyncpg
from sqlalchemy import insert, select, text

from shared.identity.roles import Role
from shared.persistence.database import Database, new_id
from shared.persistence.raw_sql import fetch
from shared.persistence.scope import NETWORK
from shared.persistence.tables import audit_log
from tests.support.harness import ServiceHarness, statements, statements_of
from tests.support.sample_service.app import Note


async def test_raw_sql_counts_as_much_as_sqlalchemys(sample: ServiceHarness) -> None:
    database: Database = sample.app.state.database
    with statements(sample) as seen:
        async with database.app(NETWORK) as session:
            await session.execute(text("SELECT 1"))
            await fetch(session, "SELECT 2 WHERE $1", True)
            await session.scalar(select(Note.id).where(Note.text == "no such text"))
    [first, second, (third, parameters)] = seen
    assert (first, second) == (("SELECT 1", ()), ("SELECT 2 WHERE $1", (True,)))
    assert third.startswith("SELECT note.id")
    assert parameters == ("no such text",)


async def test_a_raw_statement_for_each_item_is_noticed(sample: ServiceHarness) -> None:
    """Whichever method of the driver sends it."""
    counts = []
    for length in (1, 15):
        with statements(sample) as seen:
            async with sample.app.state.database.app(NETWORK) as session:
                driver: asyncpg.Connection = session.info["driver"]
                for _ in range(length):
                    await fetch(session, "SELECT 1")
                    await driver.execute("SELECT 2")
                    await driver.fetchval("SELECT 3 WHERE $1", True)
                    await (await driver.prepare("SELECT 4")).fetch()
                    assert [row[0] async for row in driver.cursor("SELECT 5")] == [5]
        counts.append(len(seen))
    assert counts == [5, 75]


async def test_many_rows_in_one_statement_are_one(sample: ServiceHarness) -> None:
    rows = [
        {"actor_role": "service", "action": "counted", "subject": "x", "details": {}, "correlation_id": ""}
        for _ in range(20)
    ]
    with statements(sample) as seen:
        async with sample.app.state.database.app(NETWORK) as session:
            await session.execute(insert(audit_log), rows)
    assert len(seen) == 1


async def test_a_cold_connection_costs_no_more_than_a_warm_one(sample: ServiceHarness) -> None:
    """The driver looks up array types once per connection; that is no use case's statement."""
    database = Database(sample.urls.app, sample.urls.worker, pool=1)
    counts = []
    for _ in range(2):
        with statements_of(database) as seen:
            async with database.app(NETWORK) as session:
                await fetch(session, "SELECT 1 FROM note WHERE client_id = ANY($1::uuid[])", [new_id()])
        counts.append([sql for sql, _ in seen])
    assert counts == [["SELECT 1 FROM note WHERE client_id = ANY($1::uuid[])"]] * 2
    await database.dispose()


async def test_a_request_is_its_own_statements_and_those_of_the_kernel(sample: ServiceHarness) -> None:
    """Claim of the key, note, event, audit, stored response; no statement of a background loop."""
    async with sample.http(Role.MANAGER, office_id=new_id()) as http:
        with statements(sample) as seen:
            answer = await http.post("/notes", json={"client_id": str(new_id()), "text": str(uuid4())})
        assert answer.status_code == 201
        assert [sql.split(" ")[0] for sql, _ in seen] == ["SELECT", *["INSERT"] * 4]
        await http.get("/notes")
    assert len(seen) == 5, "nothing is recorded after the block"
