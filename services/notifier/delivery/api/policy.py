"""Порядок отправки и расход SMS."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy import select

from services.notifier.delivery.commands.policy import publish_policy
from services.notifier.delivery.domain.publishing import PUBLISHING
from services.notifier.delivery.models.sms import SmsUsage
from services.notifier.delivery.queries.policy import current_policy
from services.notifier.delivery.schemas.policy import PolicyOut, PutPolicy, SmsUsageOut
from services.notifier.people.models.projections import Office
from shared.base.clock import now
from shared.base.errors import NotFound
from shared.identity.roles import OFFICE_STAFF, STAFF, Role
from shared.persistence.locks import lock_until_commit
from shared.web import (
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

router = service_router("Порядок отправки")


@router.get("/delivery-policy", dependencies=[allow(*STAFF)], summary="Порядок отправки SMS")
async def show_policy(session: Session, response: Response) -> PolicyOut:
    """Тихие часы по местному времени получателя, лимиты; действующая версия."""
    policy = await current_policy(session, now())
    if policy is None:
        raise NotFound("Порядок отправки ещё не задан.")
    set_etag(response, policy.version)
    return PolicyOut.model_validate(policy)


@router.put("/delivery-policy", dependencies=[allow(Role.HEAD_OFFICE)], summary="Изменить порядок отправки SMS")
async def put_policy(
    body: PutPolicy, expected: IfMatch, session: Session, caller: Caller, response: Response
) -> PolicyOut:
    """Новая версия с даты; проверяется снова перед отправкой каждого SMS."""
    await lock_until_commit(session, PUBLISHING)
    at = now()  # Not before it is our turn: what was published last is in force by then.
    policy = await current_policy(session, at)
    check_version(policy.version if policy else 0, expected)
    values = body.model_dump(exclude={"effective_from"})
    values["sms_office_limits"] = {str(office_id): limit for office_id, limit in body.sms_office_limits.items()}
    published = await publish_policy(session, values, effective_from=body.effective_from, caller=caller, at=at)
    set_etag(response, published.version)
    return PolicyOut.model_validate(published)


@router.get("/sms-usage", dependencies=[allow(*STAFF)], summary="Расход SMS по офисам и дням")
async def list_usage(
    session: Session,
    caller: Caller,
    page: PageRequest,
    day: date | None = None,
    office_id: Annotated[UUID | None, Query(description="Для головного офиса")] = None,
) -> Page[SmsUsageOut]:
    """Последние дни сверху; день — по часам офиса."""
    query = select(SmsUsage)
    office = caller.office_id if caller.role in OFFICE_STAFF else office_id
    if office is not None:
        query = query.where(SmsUsage.office_id == office)
    if day is not None:
        query = query.where(SmsUsage.day == day)
    rows, after = await paginate(session, query, page, key=(SmsUsage.day.desc(), SmsUsage.office_id))
    policy = await current_policy(session, now())
    names = await session.execute(
        select(Office.office_id, Office.name).where(Office.office_id.in_({row.office_id for row in rows}))
    )
    known = {row.office_id: row.name for row in names}
    limits = (
        {row.office_id: policy.sms_office_limits.get(str(row.office_id), policy.sms_daily_limit) for row in rows}
        if policy
        else {}
    )
    items = [
        SmsUsageOut(
            office_id=row.office_id,
            office_name=known.get(row.office_id),
            day=row.day,
            parts=row.parts,
            limit=limits.get(row.office_id),
            exhausted_at=row.alarmed_at,
        )
        for row in rows
    ]
    return Page(items=items, next=after.next)
