"""Find the text in force: the office's own, else the network's, else the system's (K11)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.texts.models import TemplateDraft, TemplateVersion
from services.notifier.texts.rendering import Rendered, TemplateRefused, render, render_source, render_text

log = structlog.get_logger(__name__)


async def text_in_force(session: AsyncSession, name: str, office_id: UUID | None) -> TemplateVersion | None:
    """Return the version in force; one without a text lets the next more general text hold again."""
    mine = or_(TemplateVersion.for_office_id.is_(None), TemplateVersion.for_office_id == office_id)
    query = select(TemplateVersion).where(TemplateVersion.name == name, mine)
    newest: dict[UUID | None, TemplateVersion] = {}
    for row in (await session.execute(query.order_by(TemplateVersion.version))).scalars():
        newest[row.for_office_id] = row
    candidates = [newest[key] for key in (office_id, None) if key in newest]
    return next((row for row in candidates if row.text is not None), None)


def versions(name: str) -> Select[TemplateVersion]:
    """Select the published versions of a text."""
    return select(TemplateVersion).where(TemplateVersion.name == name)


async def find_draft(session: AsyncSession, name: str, office_id: UUID | None) -> TemplateDraft | None:
    """Return the draft of the office's text, or of the network's where `office_id` is None."""
    mine = TemplateDraft.for_office_id.is_not_distinct_from(office_id)
    query = select(TemplateDraft).where(TemplateDraft.name == name, mine)
    return (await session.execute(query)).scalars().one_or_none()


async def render_letter(
    session: AsyncSession, name: str, context: Mapping[str, Any], office_id: UUID | None
) -> tuple[Rendered, int | None]:
    """Return the letter and the version of its text (None: the system's).

    A text that does not fit these data gives way to the system's own: the letter goes out in any case.
    """
    version = await text_in_force(session, name, office_id)
    if version is not None and version.text is not None:
        try:
            return render_source(version.title, version.text, version.html, context), version.version
        except TemplateRefused as error:
            log.error("a published template failed", template=name, version=version.version, error=str(error))
    return render(name, context), None


async def render_sms(
    session: AsyncSession, name: str, context: Mapping[str, Any], office_id: UUID | None
) -> tuple[str, int | None]:
    """Return the SMS and the version of its text (None: the system's), like `render_letter`."""
    version = await text_in_force(session, name, office_id)
    if version is not None and version.text is not None:
        try:
            return render_source(None, version.text, None, context).text, version.version
        except TemplateRefused as error:
            log.error("a published template failed", template=name, version=version.version, error=str(error))
    return render_text(name, context), None
