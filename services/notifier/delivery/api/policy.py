"""Порядок отправки и расход SMS."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.notifier.delivery.commands.policy import change_policy
from services.notifier.delivery.models.sms import SmsUsage
from services.notifier.delivery.queries.policy import current_policy, sms_usage
from services.notifier.delivery.schemas.policy import PolicyOut, PutPolicy, SmsUsageOut
from services.notifier.people import queries as people
from shared.base.clock import now
from shared.base.errors import NotFound
from shared.identity.roles import OFFICE_STAFF, STAFF, Role
from shared.web import (
    Caller,
    IfMatch,
    Page,
    PageRequest,
    Session,
    allow,
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
    values = body.model_dump(exclude={"effective_from"})
    values["sms_office_limits"] = {str(office_id): limit for office_id, limit in body.sms_office_limits.items()}
    published = await change_policy(
        session, values, expected=expected, effective_from=body.effective_from, caller=caller
    )
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
    office = caller.office_id if caller.role in OFFICE_STAFF else office_id
    query = sms_usage(office_id=office, day=day)
    rows, after = await paginate(session, query, page, key=(SmsUsage.day.desc(), SmsUsage.office_id))
    policy = await current_policy(session, now())
    names = await people.office_names(session, {row.office_id for row in rows})
    items = [
        SmsUsageOut(
            office_id=row.office_id,
            office_name=names.get(row.office_id),
            day=row.day,
            parts=row.parts,
            limit=policy.office_limit(row.office_id) if policy else None,
            exhausted_at=row.alarmed_at,
        )
        for row in rows
    ]
    return Page(items=items, next=after.next)
