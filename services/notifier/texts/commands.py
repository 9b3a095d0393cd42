"""Edit the texts of letters and SMS: draft → preview → publish.  A published version never changes (K11)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.people.models.projections import Office
from services.notifier.texts.models import TemplateDraft, TemplateVersion
from services.notifier.texts.queries import find_draft
from services.notifier.texts.rendering import Rendered, TemplateRefused, render_source
from services.notifier.texts.samples import SAMPLES, SMS_SAMPLES
from shared.base.errors import BusinessError, Invalid, NotFound
from shared.identity.roles import Principal
from shared.persistence.locks import lock_until_commit
from shared.runtime.audit import audit
from shared.web import check_version

_PUBLISHING = "notifier templates"


class TextRefused(BusinessError):
    """The text has constructs that are not allowed, or does not fit the data."""

    status = 422
    code = "template-refused"
    title = "Шаблон не прошёл проверку"


def sample_of(name: str) -> dict[str, Any]:
    """Return the sample data of a template.  Raises NotFound."""
    if name in SMS_SAMPLES:
        return SMS_SAMPLES[name]
    if name in SAMPLES:
        return SAMPLES[name]
    raise NotFound("Такого шаблона нет.")


def render_sample(name: str, title: str | None, body: str, html: str | None) -> Rendered:
    """Return the text with sample data.  Raises TextRefused, NotFound, Invalid."""
    sample = sample_of(name)
    if (name in SMS_SAMPLES) != (title is None and html is None):
        raise Invalid("У письма есть тема и HTML, у SMS — только текст.", field="body.title")
    if name not in SMS_SAMPLES and (title is None or html is None):
        raise Invalid("У письма есть тема, текст и HTML.", field="body.html")
    try:
        return render_source(title, body, html, sample)
    except TemplateRefused as refused:
        raise TextRefused(" ".join(refused.problems), problems=refused.problems) from refused


async def save_draft(
    session: AsyncSession, name: str, office_id: UUID | None, values: dict[str, Any], *, expected: int, **by: Any
) -> TemplateDraft:
    """Check and store the draft.  Raises TextRefused, NotFound, Invalid, PreconditionFailed."""
    render_sample(name, values["title"], values["text"], values["html"])
    if office_id is not None and await session.get(Office, office_id) is None:
        raise NotFound("Такого офиса нет.")
    caller, at = by["caller"], by["at"]
    await lock_until_commit(session, _PUBLISHING)
    draft = await find_draft(session, name, office_id)
    check_version(draft.version if draft else 0, expected)
    if draft is None:
        draft = TemplateDraft(name=name, for_office_id=office_id, edited_by=caller.id, edited_at=at, **values)
        session.add(draft)
    else:
        for field, value in {**values, "edited_by": caller.id, "edited_at": at}.items():
            setattr(draft, field, value)
    await session.flush()
    return draft


async def publish_draft(
    session: AsyncSession, name: str, office_id: UUID | None, *, caller: Principal, at: datetime
) -> TemplateVersion:
    """Publish the draft for letters made from now on; former ones keep their text.  Raises NotFound, TextRefused."""
    await lock_until_commit(session, _PUBLISHING)
    draft = await find_draft(session, name, office_id)
    if draft is None:
        raise NotFound("Черновика нет.")
    render_sample(name, draft.title, draft.text, draft.html)
    values = {"title": draft.title, "text": draft.text, "html": draft.html}
    published = await _publish(session, name, office_id, values, caller=caller, at=at)
    await session.execute(delete(TemplateDraft).where(TemplateDraft.id == draft.id))
    return published


async def reset(
    session: AsyncSession, name: str, office_id: UUID | None, *, caller: Principal, at: datetime
) -> TemplateVersion:
    """Put the network's text in force for the office again, or the system's for the network.  Raises NotFound."""
    sample_of(name)
    await lock_until_commit(session, _PUBLISHING)
    nothing = {"title": None, "text": None, "html": None}
    return await _publish(session, name, office_id, nothing, caller=caller, at=at)


async def _publish(
    session: AsyncSession, name: str, office_id: UUID | None, values: dict[str, Any], *, caller: Principal, at: datetime
) -> TemplateVersion:
    latest = select(func.coalesce(func.max(TemplateVersion.version), 0)).where(TemplateVersion.name == name)
    number = (await session.execute(latest)).scalar_one() + 1
    by = {"published_by": caller.id, "published_at": at}
    row = TemplateVersion(name=name, version=number, for_office_id=office_id, **values, **by)
    session.add(row)
    details = {"version": number}
    await audit(session, "template.published", subject=f"template/{name}", office_id=office_id, details=details)
    await session.flush()
    return row
