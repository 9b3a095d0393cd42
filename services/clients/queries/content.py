"""Read the texts and figures of head office."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.domain.content import ContentCode
from services.clients.models import Content, Policy


async def content_at(session: AsyncSession, code: ContentCode, at: datetime) -> Content:
    """Return the version in force; the first migration brings version 1 of every text."""
    return (await contents_at(session, [code], at))[code]


async def contents_at(session: AsyncSession, codes: Sequence[ContentCode], at: datetime) -> dict[ContentCode, Content]:
    """Return the versions of several texts in force, by code."""
    in_force = (
        select(Content)
        .where(Content.code.in_(codes), Content.effective_from <= at)
        .ext(distinct_on(Content.code))
        .order_by(Content.code, Content.effective_from.desc(), Content.number.desc())
    )
    return {ContentCode(content.code): content for content in await session.scalars(in_force)}


def versions_of(code: ContentCode | None) -> Select[Content]:
    """Return all versions of one text, or of all."""
    query = select(Content)
    return query.where(Content.code == code) if code is not None else query


def policies() -> Select[Policy]:
    """Return all versions of the figures."""
    return select(Policy)
