"""Raw SQL is part of the session's transaction."""

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from sqlalchemy import func, select, text

from shared.persistence.database import Database, new_id
from shared.persistence.raw_sql import fetch, insert_rows, update_rows
from shared.persistence.tables import audit_log, failed_message, outbox
from tests.support.harness import ServiceHarness
from tests.support.sample_service.app import Note


async def test_they_roll_back_with_the_transaction_they_began(sample: ServiceHarness) -> None:
    subject = f"order/{new_id()}"
    row = {"event_id": new_id(), "type": "t", "subject": subject, "office_id": None, "body": b"{}", "headers": {}}
    with pytest.raises(ZeroDivisionError):
        async with sample.session() as session:
            await insert_rows(session, outbox, [row, row | {"event_id": new_id()}])
            assert await session.scalar(select(func.count()).where(outbox.c.subject == subject)) == 2
            raise ZeroDivisionError
    async with sample.session() as session:
        assert await session.scalar(select(func.count()).where(outbox.c.subject == subject)) == 0


async def test_they_see_what_the_session_has_changed(sample: ServiceHarness) -> None:
    note = Note(id=new_id(), office_id=new_id(), client_id=new_id(), text=f"seen {new_id()}")
    async with sample.session() as session:
        session.add(note)
        assert [row[0] for row in await fetch(session, "SELECT text FROM note WHERE id = $1", note.id)] == [note.text]
        note.text = f"changed {new_id()}"
        assert [row[0] for row in await fetch(session, "SELECT text FROM note WHERE id = $1", note.id)] == [note.text]
        assert note.version == 2


async def test_json_comes_back_as_it_went_in(sample: ServiceHarness) -> None:
    row = {"actor_role": "service", "action": "tried", "subject": f"x/{new_id()}", "correlation_id": ""}
    async with sample.session() as session:
        await insert_rows(session, audit_log, [row | {"details": {"текст": ["«ё»", 1, None]}}])
        stored = select(audit_log.c.details).where(audit_log.c.subject == row["subject"])
        assert await session.scalar(stored) == {"текст": ["«ё»", 1, None]}


async def test_one_statement_updates_many_rows_and_no_others(sample: ServiceHarness) -> None:
    queue = f"many-{new_id()}"
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "consumer": queue,
            "event_id": new_id(),
            "type": "t",
            "body": b"",
            "headers": {},
            "state": state,
        }
        for state in ("retrying", "parked", "retrying")
    ]
    moment = datetime(2026, 11, 20, 9, tzinfo=UTC)
    async with sample.session() as session:
        await insert_rows(session, failed_message, rows)
        changes: list[dict[str, Any]] = [
            {"id": rows[0]["id"], "attempts": 3, "headers": {"ключ": ["«ё»", None]}, "parked_at": moment, "state": "x"},
            {"id": rows[2]["id"], "attempts": 0, "headers": {}, "parked_at": None, "state": "parked"},
            {"id": new_id(), "attempts": 9, "headers": {}, "parked_at": None, "state": "nobody's"},
        ]
        await update_rows(session, failed_message, changes)
        await update_rows(session, failed_message, [])
        mine = select(failed_message).where(failed_message.c.consumer == queue)
        found = {row.id: row for row in (await session.execute(mine)).all()}
    seen = [(found[row["id"]].attempts, found[row["id"]].state, found[row["id"]].parked_at) for row in rows]
    assert seen == [(3, "x", moment), (0, "parked", None), (0, "parked", None)]
    assert found[rows[0]["id"]].headers == {"ключ": ["«ё»", None]}


async def test_an_autocommit_statement_leaves_no_transaction_on_its_connection(sample: ServiceHarness) -> None:
    database = Database(sample.urls.app, sample.urls.worker, pool=1)
    subject = f"x/{new_id()}"
    insert = (
        "INSERT INTO audit_log (actor_role, action, subject, details, correlation_id) VALUES ('', '', $1, '{}', '')"
    )
    await database.execute_autocommit(insert, subject)
    with pytest.raises(ZeroDivisionError):
        async with database.worker() as session:
            await session.execute(text(insert.replace("$1", ":subject")), {"subject": subject})
            raise ZeroDivisionError
    async with database.worker() as session:
        assert await session.scalar(select(func.count()).where(audit_log.c.subject == subject)) == 1
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.execute_autocommit("SELECT 1 FROM nowhere")
    assert [row[0] for row in await database.execute_autocommit("SELECT 1")] == [1]
    await database.dispose()
