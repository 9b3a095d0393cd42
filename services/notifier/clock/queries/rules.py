"""Read published rules."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.domain.rules import Rule
from services.notifier.clock.models.rules import RuleVersion
from services.notifier.clock.store.rule_book import rule_book, rule_of
from shared.base.errors import NotFound


async def rule_versions(session: AsyncSession, code: str) -> list[RuleVersion]:
    """Return all versions of a rule, the newest first.  Raises NotFound."""
    query = select(RuleVersion).where(RuleVersion.code == code).order_by(RuleVersion.version.desc())
    rows = list((await session.execute(query)).scalars())
    if not rows:
        raise NotFound("Такого правила нет.")
    return rows


async def rules(session: AsyncSession, at: datetime) -> list[tuple[RuleVersion, Rule]]:
    """Return the rules in force now or later, by code."""
    book = await rule_book(session)
    now_in_force = {book.id_of(rule) for rule in book.all_in_force(at)}
    wanted = or_(RuleVersion.id.in_(now_in_force), RuleVersion.effective_from > at)
    rows = (await session.execute(select(RuleVersion).where(wanted))).scalars().all()
    pairs = [(row, rule_of(row)) for row in rows]
    return sorted(pairs, key=lambda pair: (pair[1].code, str(pair[1].office_id or ""), pair[1].version))
