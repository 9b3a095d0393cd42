"""Expired rows are deleted in batches; rows that may still be needed stay."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from shared.base.clock import now
from shared.persistence.database import Database, new_id
from shared.persistence.tables import failed_message, idempotency_key, inbox, outbox, refresh_token
from shared.runtime import retention
from tests.support.harness import ServiceHarness

MESSAGE = {"type": "kernel.retention.tried.v1", "body": b"{}", "headers": {}}
HOUR = timedelta(hours=1)

Row = dict[str, Any]


def event(at: datetime | None) -> Row:
    leased = {"leased_until": now() + 100 * HOUR} if at is None else {}  # No relay takes what waits here.
    return {
        "event_id": new_id(),
        "subject": "x",
        "confirmed_at": at,
        "created_at": now() - 1000 * HOUR,
        **MESSAGE,
    } | leased


def applied(at: datetime) -> Row:
    return {"consumer": "sample", "event_id": new_id(), "type": MESSAGE["type"], "processed_at": at}


def key(at: datetime) -> Row:
    return {
        "scope": "nobody POST /retention",
        "key": str(new_id()),
        "request_hash": b"",
        "status": 201,
        "headers": "{}",
        "body": b"",
        "created_at": at,
    }


def failure(at: datetime, state: str = "resolved") -> Row:
    found = {"id": new_id(), "consumer": "sample", "event_id": new_id(), "state": state, **MESSAGE}
    return found | {"first_failed_at": at, "resolved_at": at if state == "resolved" else None, "parked_at": at}


def token(at: datetime) -> Row:
    return {"token_hash": new_id().bytes, "family_id": new_id(), "account_id": new_id(), "expires_at": at}


@pytest.mark.parametrize(
    ("table", "row", "kept_for"),
    [
        (outbox, event, retention.OUTBOX),
        (inbox, applied, retention.INBOX),
        (idempotency_key, key, retention.IDEMPOTENCY_KEYS),
        (failed_message, failure, retention.RESOLVED_FAILURES),
        (refresh_token, token, retention.REFRESH_TOKENS),
    ],
    ids=lambda value: value.name if isinstance(value, Table) else "",
)
async def test_what_has_served_its_time_goes(
    sample: ServiceHarness,
    monkeypatch: pytest.MonkeyPatch,
    table: Table,
    row: Callable[[datetime], Row],
    kept_for: timedelta,
) -> None:
    database: Database = sample.app.state.database
    old = [row(now() - kept_for - HOUR) for _ in range(5)]
    young = [row(now() - kept_for + HOUR) for _ in range(3)]
    await put(database, table, old + young)
    monkeypatch.setattr(retention, "BATCH", 2)
    await retention.clean_up(database, signs_in=True)
    assert await there(database, table, old) == 0
    assert await there(database, table, young) == 3


async def test_what_is_not_done_stays_however_old(sample: ServiceHarness) -> None:
    """An event that the broker has not confirmed, and a message that waits for a person."""
    database: Database = sample.app.state.database
    long_ago = now() - timedelta(days=1000)
    waiting, parked = [event(None)], [failure(long_ago, "parked")]
    await put(database, outbox, waiting)
    await put(database, failed_message, parked)
    await retention.clean_up(database, signs_in=True)
    assert await there(database, outbox, waiting) == 1
    assert await there(database, failed_message, parked) == 1
    async with database.worker() as session:
        await session.execute(outbox.delete().where(outbox.c.event_id == waiting[0]["event_id"]))
        await session.execute(failed_message.delete().where(failed_message.c.id == parked[0]["id"]))


async def put(database: Database, table: Table, rows: list[Row]) -> None:
    async with database.worker() as session:
        await session.execute(insert(table), rows)


async def there(database: Database, table: Table, rows: list[Row]) -> int:
    """How many of them."""
    own = next(name for name in ("event_id", "token_hash", "key") if name in table.c)
    async with database.worker() as session:
        found = await session.execute(select(table.c[own]).where(table.c[own].in_([row[own] for row in rows])))
        return len(found.all())
