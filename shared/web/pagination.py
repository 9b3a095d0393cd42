"""Keyset pagination: a page costs the same at any depth; rows added meanwhile neither repeat nor hide others."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import Select, and_, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from shared.base.errors import BusinessError

T = TypeVar("T")


class BadCursor(BusinessError):
    """The cursor was not issued by this list."""

    status = 400
    code = "bad-cursor"
    title = "Неверный указатель страницы"


class Page(BaseModel, Generic[T]):
    """Страница списка; `next` — указатель следующей или null."""

    items: list[T]
    next: str | None = None


@dataclass(frozen=True)
class _PageRequest:
    limit: int
    cursor: str | None


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=200, description="Строк на странице")] = 50,
    cursor: Annotated[str | None, Query(max_length=1000, description="Значение `next` прошлой страницы")] = None,
) -> _PageRequest:
    return _PageRequest(limit, cursor)


PageRequest = Annotated[_PageRequest, Depends(_page_request)]


@dataclass(frozen=True)
class Next:
    """The cursor of the next page; None on the last one."""

    next: str | None


async def paginate(
    session: AsyncSession, query: Select[*tuple[Any, ...]], page: _PageRequest, *, key: Sequence[Any]
) -> tuple[list[Any], Next]:
    """Return one page of `query` and the cursor of the next.

    `key` are columns or `.desc()` of columns, not null, the last one unique; an index must serve them.  A query of
    one entity yields entities, of several columns rows; the key columns are read from the entity or the row.
    Raises BadCursor.
    """
    columns = [_column(part) for part in key]
    descending = [_is_descending(part) for part in key]
    if page.cursor is not None:
        query = query.where(_after(columns, descending, _decode(page.cursor, columns)))
    query = query.order_by(None).order_by(*key).limit(page.limit + 1)
    result = await session.execute(query)
    rows: list[Any] = list(result.scalars() if len(query.column_descriptions) == 1 else result)
    if len(rows) <= page.limit:
        return rows, Next(None)
    rows = rows[: page.limit]
    return rows, Next(_encode([_value(rows[-1], column) for column in columns]))


def _column(part: Any) -> ColumnElement[Any]:
    return part.element if isinstance(part, UnaryExpression) else part


def _is_descending(part: Any) -> bool:
    return isinstance(part, UnaryExpression) and part.modifier is operators.desc_op


def _value(row: Any, column: Any) -> Any:
    if hasattr(row, column.key):
        return getattr(row, column.key)
    # A row of several entities: the column belongs to one of them.
    return next(getattr(entity, column.key) for entity in row if hasattr(entity, column.key))


def _after(columns: Sequence[Any], descending: Sequence[bool], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition (a, b) > (x, y), written out because directions may differ.

    The bound on the first column lets PostgreSQL start in the index.
    """
    alternatives = []
    for index, (column, down) in enumerate(zip(columns, descending, strict=True)):
        beyond = column < values[index] if down else column > values[index]
        equal = [columns[i] == values[i] for i in range(index)]
        alternatives.append(and_(*equal, beyond))
    first = columns[0] <= values[0] if descending[0] else columns[0] >= values[0]
    return and_(first, or_(*alternatives))


def _encode(values: Sequence[Any]) -> str:
    text = json.dumps([value.isoformat() if isinstance(value, date) else str(value) for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, columns: Sequence[Any]) -> list[Any]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise TypeError("a cursor is a list of strings")
        return [_parse(part, column.type.python_type) for part, column in zip(parts, columns, strict=True)]
    except (ValueError, TypeError, ArithmeticError) as error:
        raise BadCursor("Указатель страницы не читается. Начните список сначала.") from error


def _parse(text: str, kind: type) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("a moment has a zone")
        return moment.astimezone(UTC)  # OverflowError for a moment that the database could not represent.
    if kind is date:
        return date.fromisoformat(text)
    if kind in (UUID, Decimal):
        return kind(text)
    if kind is int:
        number = int(text)
        if abs(number) > 2**63 - 1:
            raise ValueError("too large")
        return number
    if "\x00" in text:
        raise ValueError("not storable")
    text.encode()
    return text
