"""SQL for the hot paths, sent past SQLAlchemy, whose part of a statement costs several times what the driver needs.

The statements run in the session's transaction.  No scope filter is added to them.  So they serve the kernel's own
tables, inserts and workers; elsewhere the statement, or the one before it, must restrict the rows to the caller's
scope.  Only the kernel and `services/*/store.py` may import this module (`.importlinter`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import asyncpg
from sqlalchemy import String, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from shared.persistence.connections import flush_changes

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


async def fetch(session: AsyncSession, statement: str, *arguments: Any) -> Sequence[Any]:
    """Execute the statement and return its rows, readable by name or position.

    Arguments are `$1`, `$2`, …; JSON goes in as text.  The session's changes are flushed first, as before a statement
    of SQLAlchemy.  Raises asyncpg's errors.
    """
    if session.autoflush:
        await flush_changes(session)
    driver: asyncpg.Connection = session.info["driver"]
    rows: list[Any] = await driver.fetch(statement, *arguments)
    return rows


async def insert_rows(session: AsyncSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns with one statement, however many there are."""
    await insert_all(session, {table: rows})


async def insert_all(session: AsyncSession, rows_of: Mapping[Table, Sequence[Mapping[str, Any]]]) -> None:
    """Insert rows of several tables with one statement.  Foreign keys are checked after all rows are inserted."""
    filled = [(table, rows) for table, rows in rows_of.items() if rows]
    if not filled:
        return
    statement = _insert(tuple((table, tuple(rows[0]), len(rows) == 1) for table, rows in filled))
    arguments: list[Any] = []
    for table, rows in filled:
        arrays = _arrays(table, rows)
        arguments += arrays if len(rows) > 1 else (value for (value,) in arrays)
    await fetch(session, statement, *arguments)


async def update_rows(session: AsyncSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update rows that have the same columns, `id` among them, with one statement, however many there are.

    The caller must hold their locks; otherwise concurrent changes are overwritten.
    """
    if rows:
        await fetch(session, _update(table, tuple(rows[0])), *_arrays(table, rows))


@cache
def _insert(shape: tuple[tuple[Table, tuple[str, ...], bool], ...]) -> str:
    """Return the statement for tables, their columns, and whether each gets a single row (cheaper without arrays)."""
    inserts, number = [], 1
    for table, names, single in shape:
        rows = _values(table, names, number) if single else f"SELECT * FROM {_unnest(table, names, number)}"
        inserts.append(f"INSERT INTO {table.name} ({', '.join(names)}) {rows}")
        number += len(names)
    *others, last = inserts
    others = [f"filled_{place} AS ({insert})" for place, insert in enumerate(others)]
    return f"WITH {', '.join(others)} {last}" if others else last


@cache
def _update(table: Table, names: tuple[str, ...]) -> str:
    changes = ", ".join(f"{name} = changed.{name}" for name in names if name != "id")
    rows = f"{_unnest(table, names)} AS changed ({', '.join(names)})"
    return f"UPDATE {table.name} SET {changes} FROM {rows} WHERE {table.name}.id = changed.id"


def _values(table: Table, names: Sequence[str], first: int) -> str:
    parameters = (f"${place}::{_type(table, name)}" for place, name in enumerate(names, start=first))
    return f"VALUES ({', '.join(parameters)})"


def _unnest(table: Table, names: Sequence[str], first: int = 1) -> str:
    arrays = (f"${place}::{_type(table, name)}[]" for place, name in enumerate(names, start=first))
    return f"unnest({', '.join(arrays)})"


def _arrays(table: Table, rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Any]]:
    """Yield the values column by column; JSON as text."""
    for name in rows[0]:
        values = [row[name] for row in rows]
        if isinstance(table.c[name].type, JSONB):
            values = [None if value is None else json.dumps(value) for value in values]
        yield values


def _type(table: Table, column: str) -> str:
    kind = table.c[column].type
    # A cast to varchar(n) would silently truncate what the column would refuse.
    return "text" if isinstance(kind, String) else kind.compile(_DIALECT)
