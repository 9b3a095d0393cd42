"""Read drafts of rules."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.models.rules import RuleDraft
from shared.base.errors import NotFound


def drafts(state: str) -> Select[RuleDraft]:
    """Select the drafts that are in this state."""
    return select(RuleDraft).where(RuleDraft.state == state)


async def find_draft(session: AsyncSession, draft_id: UUID, *, lock: bool = False) -> RuleDraft:
    """Return the draft, locked where asked for.  Raises NotFound."""
    query = select(RuleDraft).where(RuleDraft.id == draft_id)
    draft = (await session.execute(query.with_for_update() if lock else query)).scalars().one_or_none()
    if draft is None:
        raise NotFound("Такого черновика нет.")
    return draft
