"""Projections: copies of another service's data, which never go back to an older version."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

NO_OFFICE = UUID(int=0)
"""The office of rows that belong to none any more: the row stays, so that no older event brings it back."""


async def project(
    session: AsyncSession,
    model: type[DeclarativeBase],
    key: Mapping[str, Any],
    *,
    version: int,
    values: Mapping[str, Any],
) -> bool:
    """Insert or update a row of `model` (with a `version` column) unless it holds this version or a newer one.

    Return whether the row changed.
    """
    table = model.__table__
    statement = insert(model).values(**key, **values, version=version)
    changed = await session.execute(
        statement.on_conflict_do_update(
            index_elements=list(key), set_={**values, "version": version}, where=table.c.version < version
        ).returning(*(table.c[name] for name in key))
    )
    return changed.first() is not None
