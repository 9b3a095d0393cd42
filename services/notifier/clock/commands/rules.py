"""Publish rules (NTF-03).  A published version never changes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.defaults import default_rules
from services.notifier.clock.domain.check import Problem, check
from services.notifier.clock.domain.rules import Rule, RuleBody
from services.notifier.clock.models.rules import RuleVersion
from services.notifier.clock.store.rule_book import rule_book
from services.notifier.delivery.domain.publishing import PUBLISHING, effective_since
from services.notifier.delivery.models.policy import DeliveryPolicy
from services.notifier.people.models.projections import Office
from services.notifier.settings import NotifierSettings
from shared.base.errors import BusinessError, NotFound
from shared.identity.roles import Principal
from shared.persistence.database import new_id
from shared.persistence.locks import lock_until_commit
from shared.runtime.audit import audit
from shared.runtime.service import ServiceContext
from shared.web import check_version


class RuleRefused(BusinessError):
    """The rule contradicts itself, the contracts, or other rules."""

    status = 422
    code = "rule-refused"
    title = "Правило не прошло проверку"


async def publish_defaults(context: ServiceContext) -> None:
    """Publish version 1 of every rule and of the delivery policy where there is none yet."""
    settings: NotifierSettings = context.settings
    rows = []
    for rule in default_rules():
        body = rule.model_dump(mode="json", by_alias=True, include=set(RuleBody.model_fields))
        row = {"id": new_id(), "code": rule.code, "version": 1, "office_id": None, "body": body}
        rows.append(row | {"effective_from": rule.effective_from})
    async with context.database.worker() as session:
        await lock_until_commit(session, PUBLISHING)
        await session.execute(insert(RuleVersion).values(rows).on_conflict_do_nothing())
        policy = insert(DeliveryPolicy).values(
            version=1,
            effective_from=datetime.fromisoformat("2015-01-01T00:00:00+00:00"),
            quiet_hours=not settings.demo,
            quiet_from="21:00",
            quiet_until="08:00",
            only_russian_numbers=True,
        )
        await session.execute(policy.on_conflict_do_nothing())


async def check_draft(
    session: AsyncSession, code: str, body: RuleBody, office_id: UUID | None, effective_from: datetime
) -> list[Problem]:
    """Return the problems of the draft itself and beside the other rules in force from then on."""
    draft = _rule(code, body, office_id, effective_from, version=1)
    book = await rule_book(session)
    others = [rule for rule in book.all_in_force(effective_from) if (rule.code, rule.office_id) != (code, office_id)]
    known = set(others and check(others))
    return [problem for problem in check([*others, draft] if draft.active else [draft]) if problem not in known]


async def publish_rule(
    session: AsyncSession,
    code: str,
    body: RuleBody,
    *,
    office_id: UUID | None,
    effective_from: datetime | None,
    expected_version: int,
    caller: Principal,
    at: datetime,
) -> RuleVersion:
    """Publish the version after the expected one, 0 for a new rule; running obligations keep theirs.

    Raises RuleRefused, NotFound, Invalid, PreconditionFailed.
    """
    since = effective_since(effective_from, at)
    if office_id is not None and await session.get(Office, office_id) is None:
        raise NotFound("Такого офиса нет.")
    await lock_until_commit(session, PUBLISHING)
    latest = select(func.coalesce(func.max(RuleVersion.version), 0)).where(RuleVersion.code == code)
    version = (await session.execute(latest)).scalar_one()
    check_version(version, expected_version)
    problems = await check_draft(session, code, body, office_id, since)
    if problems:
        listed = [{"rule": problem.code, "message": problem.text} for problem in problems]
        raise RuleRefused("; ".join(problem.text for problem in problems[:5]), problems=listed)
    version += 1
    row = RuleVersion(
        id=new_id(),
        code=code,
        version=version,
        office_id=office_id,
        effective_from=since,
        body=body.model_dump(mode="json", by_alias=True),
        published_by=caller.id,
        published_at=at,
    )
    session.add(row)
    await audit(session, "rule.published", subject=f"rule/{code}", office_id=office_id, details={"version": version})
    await session.flush()
    return row


def _rule(code: str, body: RuleBody, office_id: UUID | None, effective_from: datetime, version: int) -> Rule:
    fields = body.model_dump(by_alias=True)
    return Rule.model_validate(
        {**fields, "code": code, "office_id": office_id, "effective_from": effective_from, "version": version}
    )
