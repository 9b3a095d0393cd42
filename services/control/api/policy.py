"""Penalty points and the figures of the regulations."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.control.commands import penalties as commands
from services.control.domain.statistics import check_period
from services.control.models.penalties import PenaltyEntry
from services.control.queries.offices import policies
from services.control.queries.people import penalty_list, shown_penalties
from services.control.schemas.fields import PlannedDay
from services.control.schemas.penalties import ImposePenalty, PenaltyOut, PolicyOut, SetPolicy, WithdrawPenalty
from shared.base.clock import now
from shared.identity.roles import SENIORS, STAFF, Role
from shared.web import Caller, Page, PageRequest, Session, allow, paginate, service_router, set_etag

penalties = service_router("Штрафные баллы", prefix="/penalties")
figures = service_router("Величины регламента", prefix="/policies")


@penalties.get("", dependencies=[allow(*STAFF)], summary="Штрафные баллы")
async def list_penalties(
    session: Session,
    caller: Caller,
    page: PageRequest,
    office_id: Annotated[UUID | None, Query(description="Только этот офис")] = None,
    staff_id: Annotated[UUID | None, Query(description="Только этот сотрудник")] = None,
    first_day: Annotated[PlannedDay | None, Query(description="С этого дня (UTC)")] = None,
    last_day: Annotated[PlannedDay | None, Query(description="По этот день включительно (UTC)")] = None,
) -> Page[PenaltyOut]:
    """HR-03. Менеджер видит свои баллы, старший и управляющий баллы офиса, головной офис все; новые первыми."""
    if first_day and last_day:
        check_period(first_day, last_day)
    query = penalty_list(caller, office_id, staff_id, first_day, last_day)
    rows, after = await paginate(session, query, page, key=(PenaltyEntry.imposed_at.desc(), PenaltyEntry.id.desc()))
    return Page(items=await shown_penalties(session, rows), next=after.next)


@penalties.post(
    "", status_code=201, dependencies=[allow(*SENIORS, Role.HEAD_OFFICE)], summary="Начислить штрафные баллы"
)
async def impose_penalty(body: ImposePenalty, session: Session, caller: Caller, response: Response) -> PenaltyOut:
    """HR-03. Старший менеджер или управляющий за замеченную ошибку; за просрочки начисляет система."""
    entry = await commands.impose_penalty(session, body, caller=caller, at=now())
    set_etag(response, entry.version)
    [shown] = await shown_penalties(session, [entry])
    return shown


@penalties.post(
    "/{penalty_id}/withdrawal", dependencies=[allow(*SENIORS, Role.HEAD_OFFICE)], summary="Снять штрафные баллы"
)
async def withdraw_penalty(
    penalty_id: UUID, body: WithdrawPenalty, session: Session, caller: Caller, response: Response
) -> PenaltyOut:
    """HR-03. Запись остаётся видна вместе с причиной снятия."""
    entry = await commands.withdraw_penalty(session, penalty_id, body, caller=caller, at=now())
    set_etag(response, entry.version)
    [shown] = await shown_penalties(session, [entry])
    return shown


@figures.get("", dependencies=[allow(Role.HEAD_OFFICE)], summary="Величины регламента")
async def list_policies(session: Session) -> list[PolicyOut]:
    """ORG-03, K12. Каждая величина с её действующим значением и всеми прежними."""
    return await policies(session, now().date())


@figures.post("", status_code=201, dependencies=[allow(Role.HEAD_OFFICE)], summary="Задать величину с даты")
async def set_policy(body: SetPolicy, session: Session, caller: Caller) -> PolicyOut:
    """ORG-03, K12. Значение на ту же дату заменяется."""
    await commands.set_policy(session, body, caller=caller, at=now())
    return next(policy for policy in await policies(session, now().date()) if policy.code == body.code)
