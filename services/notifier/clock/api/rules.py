"""Правила сроков."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response

from services.notifier.clock.commands import rules as commands
from services.notifier.clock.domain.rules import Rule
from services.notifier.clock.models.rules import RuleVersion
from services.notifier.clock.queries import rules as queries
from services.notifier.clock.schemas.rules import CheckRule, PutRule, RuleCheck, RuleList, RuleOut, RuleProblem
from services.notifier.clock.store.rule_book import rule_of
from services.notifier.texts.labels import duration_ru
from shared.base.clock import now
from shared.identity.roles import STAFF, Role
from shared.web import NO_IDEMPOTENCY_KEY, Caller, IfMatch, Session, allow, service_router, set_etag

router = service_router("Правила сроков")

Code = Annotated[str, Path(pattern=r"^[A-Z]{2,6}-[0-9]{2}(-[A-Z0-9]{1,20})*$", max_length=60, examples=["ORD-04"])]


@router.get("/rules", dependencies=[allow(*STAFF)], summary="Правила: действующие и назначенные")
async def list_rules(session: Session) -> RuleList:
    """NTF-03, K5: одно правило — одна обязанность со сроком; у обязанности побеждает самое точное правило."""
    at = now()
    pairs = await queries.rules(session, at)
    return RuleList(items=[_out(row, rule, at) for row, rule in pairs], server_time=at)


@router.get("/rules/{code}", dependencies=[allow(*STAFF)], summary="Все версии правила")
async def show_rule(code: Code, session: Session, response: Response) -> RuleList:
    """Новые версии сверху; открытые обязанности живут по той версии, с которой открыты."""
    at = now()
    rows = await queries.rule_versions(session, code)
    set_etag(response, rows[0].version)
    return RuleList(items=[_out(row, rule_of(row), at) for row in rows], server_time=at)


@router.put("/rules/{code}", dependencies=[allow(Role.HEAD_OFFICE)], summary="Опубликовать новую версию правила")
async def put_rule(
    code: Code, body: PutRule, expected: IfMatch, session: Session, caller: Caller, response: Response
) -> RuleOut:
    """Проверка перед публикацией: неизвестные события, факты и роли, пустая лестница, два правила одного ранга для
    одного случая. `If-Match` — последняя версия, для нового правила `"0"`.
    """
    at = now()
    row = await commands.publish_rule(
        session,
        code,
        body.body,
        office_id=body.office_id,
        effective_from=body.effective_from,
        expected_version=expected,
        caller=caller,
        at=at,
    )
    set_etag(response, row.version)
    return _out(row, rule_of(row), at)


@router.post(
    "/rules/check",
    dependencies=[allow(Role.HEAD_OFFICE), NO_IDEMPOTENCY_KEY],
    summary="Проверить правило, не публикуя",
)
async def check_rule(body: CheckRule, session: Session) -> RuleCheck:
    """Те же проверки, что при публикации."""
    since = body.effective_from or now()
    problems = await commands.check_draft(session, body.code, body.body, body.office_id, since)
    return RuleCheck(
        ok=not problems, problems=[RuleProblem(rule=problem.code, message=problem.text) for problem in problems]
    )


def _out(row: RuleVersion, rule: Rule, at: datetime) -> RuleOut:
    return RuleOut(
        code=row.code,
        version=row.version,
        office_id=row.office_id,
        effective_from=row.effective_from,
        in_force=row.effective_from <= at and rule.active,
        published_at=row.published_at,
        published_by=row.published_by,
        clause=rule.clause,
        title=rule.title,
        duration_label=duration_ru(rule.duration),
        rule=row.body,
    )
