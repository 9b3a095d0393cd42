"""Projections: what a service knows of another's data, never older than what it knew before."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

NO_OFFICE = UUID(int=0)
"""In place of an office, for what has left all of them: its row stays, so that no older event brings it back."""


async def project(
    session: AsyncSession,
    model: type[DeclarativeBase],
    key: Mapping[str, Any],
    *,
    version: int,
    values: Mapping[str, Any],
) -> bool:
    """Insert or update a row of `model` (with a `version` column) unless it knows this version or a newer one.

    Returns whether it changed anything.
    """
    table = model.__table__
    statement = insert(model).values(**key, **values, version=version)
    changed = await session.execute(
        statement.on_conflict_do_update(
            index_elements=list(key), set_={**values, "version": version}, where=table.c.version < version
        ).returning(*(table.c[name] for name in key))
    )
    return changed.first() is not None
