"""Prepare rules for publication: draft → check → dry run → publish."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.commands.rules import check_draft, publish_rule
from services.notifier.clock.domain.check import Problem, gaps
from services.notifier.clock.domain.ladder import Person, resolve_recipients
from services.notifier.clock.domain.rules import Rule, RuleBody
from services.notifier.clock.models.rules import RuleDraft, RuleVersion
from services.notifier.clock.store.rule_book import rule_book
from services.notifier.people.models.projections import Office, StaffMember
from shared.base.errors import Conflict, PreconditionFailed
from shared.identity.roles import Principal
from shared.persistence.database import new_id
from shared.runtime.audit import audit


async def create(
    session: AsyncSession,
    code: str,
    body: RuleBody,
    *,
    office_id: UUID | None,
    effective_from: datetime | None,
    caller: Principal,
) -> RuleDraft:
    """Store a new draft, based on the rule's last published version."""
    draft = RuleDraft(
        id=new_id(),
        code=code,
        office_id=office_id,
        effective_from=effective_from,
        body=body.model_dump(mode="json", by_alias=True),
        state="draft",
        based_on=await _published_version(session, code),
        created_by=caller.id,
    )
    session.add(draft)
    await session.flush()
    return draft


async def change(
    session: AsyncSession, draft: RuleDraft, body: RuleBody, office_id: UUID | None, effective_from: datetime | None
) -> None:
    """Replace the draft's rule and base it on the last published version.  Raises Conflict."""
    _still_draft(draft)
    draft.body, draft.office_id = body.model_dump(mode="json", by_alias=True), office_id
    draft.effective_from = effective_from
    draft.based_on = await _published_version(session, draft.code)
    await session.flush()


async def check(session: AsyncSession, draft: RuleDraft, at: datetime) -> tuple[list[Problem], list[Problem]]:
    """Return the problems that forbid publishing the draft, and the warnings that its author should see."""
    body = RuleBody.model_validate(draft.body)
    since = max(draft.effective_from or at, at)
    problems = await check_draft(session, draft.code, body, draft.office_id, since)
    return problems, await warnings(session, rule_of_draft(draft, since), since)


async def warnings(session: AsyncSession, draft: Rule, since: datetime) -> list[Problem]:
    """Return the cases that lose their rule, and the offices where the ladder reaches nobody."""
    book = await rule_book(session)
    before = book.all_in_force(since)
    after = [rule for rule in before if (rule.code, rule.office_id) != (draft.code, draft.office_id)]
    after += [draft] if draft.active else []
    return [*gaps(before, after, draft), *await _unreached(session, draft)]


async def _unreached(session: AsyncSession, draft: Rule) -> list[Problem]:
    offices = select(Office).where(Office.active)
    if draft.office_id is not None:
        offices = offices.where(Office.office_id == draft.office_id)
    staff = (await session.execute(select(StaffMember).where(StaffMember.active))).scalars().all()
    people = [Person(row.staff_id, row.office_id, row.role, row.full_name, row.email) for row in staff]
    rows = (await session.execute(offices.order_by(Office.name).limit(1_000))).scalars()
    return [
        Problem(draft.code, f"В офисе «{office.name}» лестница не достигает никого.")
        for office in rows
        if not any(resolve_recipients(level.role, office.office_id, None, people)[1] for level in draft.ladder)
    ]


async def publish(session: AsyncSession, draft: RuleDraft, *, caller: Principal, at: datetime) -> RuleVersion:
    """Publish the draft's rule.  Raises Conflict for a version published meanwhile, and what `publish_rule` raises."""
    _still_draft(draft)
    try:
        row = await publish_rule(
            session,
            draft.code,
            RuleBody.model_validate(draft.body),
            office_id=draft.office_id,
            effective_from=draft.effective_from if draft.effective_from and draft.effective_from > at else None,
            expected_version=draft.based_on,
            caller=caller,
            at=at,
        )
    except PreconditionFailed as error:
        raise Conflict(
            "Пока черновик готовился, опубликована другая версия этого правила. Сверьте и сохраните заново."
        ) from error
    draft.state, draft.published_version = "published", row.version
    await session.flush()
    return row


async def drop(session: AsyncSession, draft: RuleDraft) -> None:
    """Set the draft aside.  Raises Conflict."""
    _still_draft(draft)
    draft.state = "dropped"
    await audit(session, "rule_draft.dropped", subject=f"rule_draft/{draft.id}", office_id=draft.office_id)
    await session.flush()


def _still_draft(draft: RuleDraft) -> None:
    if draft.state != "draft":
        raise Conflict("Черновик уже опубликован или отброшен.")


async def _published_version(session: AsyncSession, code: str) -> int:
    latest = select(func.coalesce(func.max(RuleVersion.version), 0)).where(RuleVersion.code == code)
    return (await session.execute(latest)).scalar_one()


def rule_of_draft(draft: RuleDraft, since: datetime) -> Rule:
    """Return the rule as it would be published with effect from `since`."""
    fields = RuleBody.model_validate(draft.body).model_dump(by_alias=True)
    known = {"code": draft.code, "office_id": draft.office_id, "effective_from": since, "version": draft.based_on + 1}
    return Rule.model_validate({**fields, **known})
