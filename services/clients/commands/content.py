"""Publish texts and figures of head office (CL-06, CL-19, CALL-04, K11)."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.models import Content, Policy
from services.clients.schemas.work import PublishContent, PublishPolicy
from shared.base.errors import Invalid
from shared.identity.roles import Principal
from shared.persistence.locks import lock_until_commit
from shared.runtime.audit import audit


async def publish_content(session: AsyncSession, body: PublishContent, *, caller: Principal, at: datetime) -> Content:
    """Add a version of a text; earlier ones stay, since consents refer to them.  Raises Invalid for a past date."""
    effective_from = _not_past(body.effective_from, at)
    # Two editors of one text get two numbers, one after the other.
    await lock_until_commit(session, body.code.value)
    number = await session.scalar(select(func.max(Content.number)).where(Content.code == body.code)) or 0
    content = Content(
        code=body.code,
        number=number + 1,
        title=body.title,
        body=body.body,
        effective_from=effective_from,
        published_at=at,
        published_by=caller.id,
    )
    session.add(content)
    await session.flush()
    await audit(
        session,
        "content.published",
        subject=f"content/{content.id}",
        office_id=None,
        details={"code": body.code.value, "number": content.number},
    )
    return content


async def publish_policy(session: AsyncSession, body: PublishPolicy, *, caller: Principal, at: datetime) -> Policy:
    """Add a version of the figures; open requests keep the date that their letter named.  Raises Invalid."""
    if body.cold_from_days > body.cold_until_days:
        raise Invalid("Начало интервала больше его конца.", field="cold_until_days")
    policy = Policy(
        answer_within=body.answer_within,
        unit=body.unit,
        cards_per_phone=body.cards_per_phone,
        cold_from_days=body.cold_from_days,
        cold_until_days=body.cold_until_days,
        effective_from=_not_past(body.effective_from, at),
        published_at=at,
        published_by=caller.id,
    )
    session.add(policy)
    await session.flush()
    await audit(session, "policy.published", subject=f"policy/{policy.id}", office_id=None)
    return policy


def _not_past(moment: datetime | None, at: datetime) -> datetime:
    if moment is not None and moment < at:
        raise Invalid("Новая редакция не может действовать задним числом.", field="effective_from")
    return moment or at
