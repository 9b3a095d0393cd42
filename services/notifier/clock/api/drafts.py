"""Черновики правил: проверить, прогнать на прошедшем, опубликовать."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Response

from services.notifier.clock.commands import drafts
from services.notifier.clock.commands.dry_run import dry_run
from services.notifier.clock.domain.labels import SUBJECTS
from services.notifier.clock.domain.replay import Difference
from services.notifier.clock.domain.replayed_obligation import ReplayedObligation
from services.notifier.clock.models.rules import RuleDraft
from services.notifier.clock.queries import drafts as queries
from services.notifier.clock.schemas.drafts import (
    DifferenceOut,
    DraftOut,
    DryRunOut,
    DryRunRequest,
    OutcomeOut,
    PersonOut,
)
from services.notifier.clock.schemas.rules import CheckRule, DraftCheck, PutRule, RuleProblem
from services.notifier.people import queries as people
from shared.base.clock import now
from shared.identity.roles import Role
from shared.web import (
    NO_IDEMPOTENCY_KEY,
    Caller,
    IfMatch,
    Page,
    PageRequest,
    Session,
    allow,
    check_version,
    paginate,
    service_router,
    set_etag,
)

router = service_router("Черновики правил", prefix="/rule-drafts")

DraftId = Annotated[UUID, Path(description="Черновик")]
HEAD_OFFICE = [allow(Role.HEAD_OFFICE)]
SHOWN = 200
"""Differences of a dry run in the answer; the counts are of all."""


_WHAT = {
    "added": "появилась бы",
    "dropped": "не появилась бы",
    "breached_now": "была бы нарушена",
    "kept_now": "была бы выполнена в срок",
    "deadline_moved": "другой срок",
    "rule_changed": "другое правило",
}


@router.post("", status_code=201, dependencies=HEAD_OFFICE, summary="Начать черновик")
async def create_draft(body: CheckRule, session: Session, caller: Caller, response: Response) -> DraftOut:
    """Черновик ничего не меняет, пока не опубликован; проверяется отдельно, так что сохранить можно и незаконченный."""
    draft = await drafts.create(
        session, body.code, body.body, office_id=body.office_id, effective_from=body.effective_from, caller=caller
    )
    return _out(draft, response)


@router.get("", dependencies=HEAD_OFFICE, summary="Черновики")
async def list_drafts(
    session: Session, page: PageRequest, state: Annotated[Literal["draft", "published", "dropped"], Query()] = "draft"
) -> Page[DraftOut]:
    """Новые сверху."""
    rows, after = await paginate(session, queries.drafts(state), page, key=(RuleDraft.id.desc(),))
    return Page(items=[DraftOut.model_validate(row) for row in rows], next=after.next)


@router.get("/{draft_id}", dependencies=HEAD_OFFICE, summary="Черновик")
async def show_draft(draft_id: DraftId, session: Session, response: Response) -> DraftOut:
    """С версией для `If-Match`."""
    return _out(await queries.find_draft(session, draft_id), response)


@router.put("/{draft_id}", dependencies=HEAD_OFFICE, summary="Изменить черновик")
async def change_draft(
    draft_id: DraftId, body: PutRule, expected: IfMatch, session: Session, response: Response
) -> DraftOut:
    """Правило целиком."""
    draft = await queries.find_draft(session, draft_id, lock=True)
    check_version(draft.version, expected)
    await drafts.change(session, draft, body.body, body.office_id, body.effective_from)
    return _out(draft, response)


@router.delete("/{draft_id}", dependencies=HEAD_OFFICE, summary="Отбросить черновик")
async def drop_draft(draft_id: DraftId, expected: IfMatch, session: Session, response: Response) -> DraftOut:
    """Остаётся в списке отброшенных."""
    draft = await queries.find_draft(session, draft_id, lock=True)
    check_version(draft.version, expected)
    await drafts.drop(session, draft)
    return _out(draft, response)


@router.post("/{draft_id}/check", dependencies=[*HEAD_OFFICE, NO_IDEMPOTENCY_KEY], summary="Проверить черновик")
async def check_draft(draft_id: DraftId, session: Session) -> DraftCheck:
    """Ошибки не дают опубликовать; предупреждения — о случаях, оставшихся без правила, и лестницах в никуда."""
    problems, warnings = await drafts.check(session, await queries.find_draft(session, draft_id), now())
    return DraftCheck(
        ok=not problems,
        problems=[RuleProblem(rule=problem.code, message=problem.text) for problem in problems],
        warnings=[RuleProblem(rule=problem.code, message=problem.text) for problem in warnings],
    )


@router.post("/{draft_id}/dry-run", dependencies=[*HEAD_OFFICE, NO_IDEMPOTENCY_KEY], summary="Прогнать на прошедшем")
async def try_draft(draft_id: DraftId, body: DryRunRequest, session: Session) -> DryRunOut:
    """События периода и то, что люди сделали с обязанностями, проигрываются дважды: по правилам, как они были, и с
    черновиком. Ничего не меняет.
    """
    draft = await queries.find_draft(session, draft_id)
    until = body.until or now()
    run = await dry_run(session, draft, body.since, until)
    shown = run.differences[:SHOWN]
    ids = {change.staff_id for change in run.people} | {found.either.responsible_id for found in shown}
    names = await people.staff_names(session, {staff_id for staff_id in ids if staff_id is not None})
    return DryRunOut(
        since=body.since,
        until=until,
        events=run.events,
        deeds=run.actions,
        duties_before=len(run.before),
        duties_after=len(run.after),
        breaches_before=sum(obligation.breached(until) for obligation in run.before),
        breaches_after=sum(obligation.breached(until) for obligation in run.after),
        changed=len(run.differences),
        differences=[_difference(found, names, until) for found in shown],
        people=[
            PersonOut(
                staff_id=change.staff_id,
                name=names.get(str(change.staff_id)),
                duties_before=change.obligations_before,
                duties_after=change.obligations_after,
                breaches_before=change.breaches_before,
                breaches_after=change.breaches_after,
            )
            for change in run.people
        ],
        cannot_know=list(run.limitations),
    )


@router.post("/{draft_id}/publication", dependencies=HEAD_OFFICE, summary="Опубликовать черновик")
async def publish_draft(draft_id: DraftId, session: Session, caller: Caller, response: Response) -> DraftOut:
    """Новая версия правила; открытые обязанности живут по прежней."""
    draft = await queries.find_draft(session, draft_id, lock=True)
    await drafts.publish(session, draft, caller=caller, at=now())
    return _out(draft, response)


def _out(draft: RuleDraft, response: Response) -> DraftOut:
    set_etag(response, draft.version)
    return DraftOut.model_validate(draft)


def _difference(found: Difference, names: dict[str, str], at: datetime) -> DifferenceOut:
    obligation = found.either
    return DifferenceOut(
        what=found.what,
        what_label=_WHAT[found.what],
        title=obligation.rule.title,
        subject_kind=obligation.rule.subject,
        subject_label=SUBJECTS[obligation.rule.subject],
        subject_id=obligation.subject_id,
        office_id=obligation.office_id,
        responsible_staff_id=obligation.responsible_id,
        responsible_name=names.get(str(obligation.responsible_id)),
        opened_at=obligation.opened_at,
        before=_outcome(found.before, at),
        after=_outcome(found.after, at),
    )


def _outcome(obligation: ReplayedObligation | None, at: datetime) -> OutcomeOut | None:
    if obligation is None:
        return None
    return OutcomeOut(
        rule_code=obligation.rule.code,
        due_at=obligation.due_at,
        closed_at=obligation.closed_at,
        outcome=obligation.outcome,
        breached=obligation.breached(at),
    )
