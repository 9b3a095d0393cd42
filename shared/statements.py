"""Statements of the hot paths, past SQLAlchemy: its part of a statement costs several times what the driver needs.

They run in the session's transaction like all others.  No filter by scope is added to them: they are for the kernel's
own tables, for inserts, and for rows that a filtered query has found to be the caller's.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import asyncpg
from sqlalchemy import String, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


async def run(session: AsyncSession, statement: str, *arguments: Any) -> Sequence[Any]:
    """Rows, to be read by position.  Arguments are `$1`, `$2`, …; JSON goes in as text.

    Like others, they see what the session has changed so far.  Raises asyncpg's errors or SQLAlchemy's around them.
    """
    if session.autoflush and (session.new or session.dirty or session.deleted):
        await session.flush()
    driver: asyncpg.Connection | None = session.info.get("driver")
    if driver is None:
        await session.connection()
        driver = session.info["driver"]
    if driver.is_in_transaction():
        rows: list[Any] = await driver.fetch(statement, *arguments)
        return rows
    # SQLAlchemy begins a transaction with its first statement.
    result = await (await session.connection()).exec_driver_sql(statement, arguments)
    return result.all() if result.returns_rows else []


async def insert_rows(session: AsyncSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns with one statement, however many there are."""
    if not rows:
        return
    statement, columns = _insert(table, tuple(rows[0]))
    arguments = [
        [None if row[name] is None else json.dumps(row[name]) for row in rows]
        if is_json
        else [row[name] for row in rows]
        for name, is_json in columns
    ]
    await run(session, statement, *arguments)


@cache
def _insert(table: Table, columns: tuple[str, ...]) -> tuple[str, tuple[tuple[str, bool], ...]]:
    """The statement, and the columns with whether they hold JSON."""
    arrays = ", ".join(f"${number}::{_type(table, name)}[]" for number, name in enumerate(columns, start=1))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({arrays})"
    return statement, tuple((name, isinstance(table.c[name].type, JSONB)) for name in columns)


def _type(table: Table, column: str) -> str:
    kind = table.c[column].type
    # A cast to a type with a length would cut silently what the column refuses.
    return "text" if isinstance(kind, String) else kind.compile(_DIALECT)
