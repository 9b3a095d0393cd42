"""The lower bound: the same writes by asyncpg with prepared statements, without framework and rules."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg

_HEADERS = json.dumps({"correlation-id": "", "causation-id": "", "traceparent": "", "time": ""})


async def fire_bare(connection: asyncpg.Connection, limit: int = 500) -> int:
    """Write one batch of breaches: step, history row, event."""
    async with connection.transaction():
        rows = await connection.fetch(
            "SELECT id, office_id, next_at, now() AS at FROM obligations WHERE next_at <= now()"
            " ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED",
            limit,
        )
        if not rows:
            return 0
        at: datetime = rows[0]["at"]
        await connection.executemany(
            "UPDATE obligations SET breached_at = $2, version = version + 1, next_step = NULL, next_at = NULL"
            " WHERE id = $1",
            [(row["id"], at) for row in rows],
        )
        await connection.executemany(
            "INSERT INTO obligation_levels (obligation_id, generation, level, office_id, kind, told, planned_at,"
            " fired_at) VALUES ($1, 1, 1, $2, 'breach', '[]', $3, $4)",
            [(row["id"], row["office_id"], row["next_at"], at) for row in rows],
        )
        await connection.executemany(
            "INSERT INTO obligation_history (id, obligation_id, office_id, generation, event, at, details)"
            " VALUES ($1, $2, $3, 1, 'breached', $4, '{}')",
            [(uuid4(), row["id"], row["office_id"], at) for row in rows],
        )
        await _events(connection, "notifier.obligation.breached.v1", [row["id"] for row in rows])
    return len(rows)


async def open_bare(connection: asyncpg.Connection, pattern: UUID, subject_id: UUID) -> None:
    """Write one opening: inbox row, obligation, history row, event."""
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO inbox (consumer, event_id, type) VALUES ('bare', $1, 'bare') ON CONFLICT DO NOTHING", uuid4()
        )
        row = await connection.fetchrow(
            "INSERT INTO obligations (id, office_id, version, generation, duty, rule_id, rule_code, rule_version,"
            " clause, title, penalty_points, subject_kind, subject_id, client_id, calendar_digest, opened_at, soon_at,"
            " due_at, state, schedule, next_step, next_at) SELECT $2, office_id, 1, 1, duty, rule_id, rule_code,"
            " rule_version, clause, title, penalty_points, subject_kind, $3, $3, calendar_digest, opened_at, soon_at,"
            " due_at, state, schedule, next_step, next_at FROM obligations WHERE id = $1 RETURNING id, office_id",
            pattern,
            uuid4(),
            subject_id,
        )
        await _history(connection, row["id"], row["office_id"], "opened")
        await _events(connection, "notifier.obligation.opened.v1", [row["id"]])


async def close_bare(connection: asyncpg.Connection, obligation_id: UUID, office_id: UUID) -> None:
    """Write one closing in the caller's transaction: row, history row, event."""
    await connection.execute(
        "UPDATE obligations SET state = 'done', closed_at = now(), next_step = NULL, next_at = NULL,"
        " version = version + 1 WHERE id = $1",
        obligation_id,
    )
    await _history(connection, obligation_id, office_id, "done")
    await _events(connection, "notifier.obligation.closed.v1", [obligation_id])


async def _history(connection: asyncpg.Connection, obligation_id: UUID, office_id: UUID, event: str) -> None:
    await connection.execute(
        "INSERT INTO obligation_history (id, obligation_id, office_id, generation, event, at, details)"
        " VALUES ($1, $2, $3, 1, $4, now(), '{}')",
        uuid4(),
        obligation_id,
        office_id,
        event,
    )


async def _events(connection: asyncpg.Connection, event_type: str, ids: list[UUID]) -> None:
    body = json.dumps({"occurred_at": datetime.now(UTC).isoformat(), "padding": "x" * 500}).encode()
    await connection.executemany(
        "INSERT INTO outbox (event_id, type, subject, office_id, body, headers) VALUES ($1, $2, $3, NULL, $4, $5)",
        [(uuid4(), event_type, f"obligation/{obligation_id}", body, _HEADERS) for obligation_id in ids],
    )
