"""Statements of the hot paths, past SQLAlchemy: its part of a statement costs several times what the driver needs.

They run in the session's transaction like all others.  No filter by scope is added to them: they are for the kernel's
own tables, for inserts, for workers, and where the caller's scope is in the statement or was in the one before it.
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

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


async def fetch(session: AsyncSession, statement: str, *arguments: Any) -> Sequence[Any]:
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
    statement = _insert(tuple((table, tuple(rows[0]), len(rows) == 1) for table, rows in filled))
    arguments: list[Any] = []
    for table, rows in filled:
        arrays = _arrays(table, rows)
        arguments += arrays if len(rows) > 1 else (value for (value,) in arrays)
    await fetch(session, statement, *arguments)


async def update_rows(session: AsyncSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change rows that have the same columns, `id` among them, with one statement, however many there are.

    The caller has locked them, or else what others write meanwhile is overwritten.
    """
    if rows:
        await fetch(session, _update(table, tuple(rows[0])), *_arrays(table, rows))


@cache
def _insert(shape: tuple[tuple[Table, tuple[str, ...], bool], ...]) -> str:
    """Of each table its columns, and whether there is one row: that one costs less without arrays."""
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
    """The values column by column; JSON as text."""
    for name in rows[0]:
        values = [row[name] for row in rows]
        if isinstance(table.c[name].type, JSONB):
            values = [None if value is None else json.dumps(value) for value in values]
        yield values


def _type(table: Table, column: str) -> str:
    kind = table.c[column].type
    # A cast to a type with a length would cut silently what the column refuses.
    return "text" if isinstance(kind, String) else kind.compile(_DIALECT)
