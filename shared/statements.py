"""Statements of the hot paths, past SQLAlchemy: its part of a statement costs several times what the driver needs.

They run in the session's transaction like all others.  No filter by scope is added to them: they are for the kernel's
own tables, for inserts, for workers, and where the caller's scope is in the statement or was in the one before it.
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
    """Rows, to be read by name or position.  Arguments are `$1`, `$2`, …; JSON goes in as text.

    Like others, they see what the session has changed so far.  Raises asyncpg's errors.
    """
    if session.autoflush and (session.new or session.dirty or session.deleted):
        await session.flush()
    driver: asyncpg.Connection = session.info["driver"]
    rows: list[Any] = await driver.fetch(statement, *arguments)
    return rows


async def insert_rows(session: AsyncSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns with one statement, however many there are."""
    await insert_all(session, {table: rows})


async def insert_all(session: AsyncSession, rows_of: Mapping[Table, Sequence[Mapping[str, Any]]]) -> None:
    """Insert rows of several tables with one statement.  Foreign keys are checked when all of them are there."""
    filled = [(table, rows) for table, rows in rows_of.items() if rows]
    if not filled:
        return
    statement, columns = _insert(tuple((table, tuple(rows[0])) for table, rows in filled))
    arguments: list[list[Any]] = []
    for (_, rows), names in zip(filled, columns, strict=True):
        for name, is_json in names:
            values = [row[name] for row in rows]
            arguments.append([None if value is None else json.dumps(value) for value in values] if is_json else values)
    await run(session, statement, *arguments)


@cache
def _insert(shape: tuple[tuple[Table, tuple[str, ...]], ...]) -> tuple[str, list[list[tuple[str, bool]]]]:
    """The statement, and the columns of each table with whether they hold JSON."""
    inserts, number = [], 0
    for table, names in shape:
        arrays = ", ".join(f"${number + place}::{_type(table, name)}[]" for place, name in enumerate(names, start=1))
        inserts.append(f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM unnest({arrays})")
        number += len(names)
    *others, last = inserts
    others = [f"filled_{place} AS ({insert})" for place, insert in enumerate(others)]
    statement = f"WITH {', '.join(others)} {last}" if others else last
    return statement, [[(name, isinstance(table.c[name].type, JSONB)) for name in names] for table, names in shape]


def _type(table: Table, column: str) -> str:
    kind = table.c[column].type
    # A cast to a type with a length would cut silently what the column refuses.
    return "text" if isinstance(kind, String) else kind.compile(_DIALECT)
