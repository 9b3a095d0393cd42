"""Звонки по данным телефонии (CALL-09)."""

import hashlib
import hmac
import json
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Form, Query, Request
from pydantic import AwareDatetime, ValidationError

from services.notifier.delivery.api.signatures import BadSignature, signed
from services.notifier.telephony import queries
from services.notifier.telephony.commands import record_call_event
from services.notifier.telephony.domain import parse_asterisk, parse_mango
from services.notifier.telephony.models import PhoneCall
from services.notifier.telephony.schemas import AsteriskEvent, CallOut, CallStatistics, MangoCall, NewsTaken
from shared.base.clock import now
from shared.base.errors import Invalid
from shared.identity.roles import OFFICE_STAFF, STAFF
from shared.web import (
    NO_IDEMPOTENCY_KEY,
    Caller,
    Page,
    PageRequest,
    Session,
    allow,
    paginate,
    public,
    service_router,
)

router = service_router("Телефония")


@router.post(
    "/webhooks/telephony/asterisk", dependencies=[public(), NO_IDEMPOTENCY_KEY, signed], summary="Событие Asterisk"
)
async def asterisk(body: AsteriskEvent, session: Session) -> NewsTaken:
    """Newchannel, BridgeEnter или DialEnd, Hangup; повторы и перестановки безвредны."""
    event = body.model_dump() | ({} if body.Uniqueid else {"Uniqueid": body.Linkedid})
    call_event = parse_asterisk(event)
    return NewsTaken(call_id=(await record_call_event(session, call_event, at=now())).id if call_event else None)


@router.post(
    "/webhooks/telephony/mango/events/{kind}",
    dependencies=[public(), NO_IDEMPOTENCY_KEY],
    summary="Уведомление Mango Office",
)
async def mango(
    kind: Literal["call", "summary"],
    vpbx_api_key: Annotated[str, Form(max_length=200)],
    sign: Annotated[str, Form(max_length=128, description="SHA-256 от ключа, json и соли, hex")],
    body: Annotated[str, Form(alias="json", max_length=20_000)],
    request: Request,
    session: Session,
) -> NewsTaken:
    """Начало и ответ — `call`, итог — `summary`; подпись по правилам Mango Office."""
    settings = request.app.state.settings
    expected = hashlib.sha256(f"{settings.mango_key}{body}{settings.mango_salt}".encode()).hexdigest()
    genuine = hmac.compare_digest(expected.encode(), sign.lower().encode())
    if not settings.mango_key or not settings.mango_salt or vpbx_api_key != settings.mango_key or not genuine:
        raise BadSignature("Подпись уведомления не сходится.")
    call_event = parse_mango(kind, _mango_body(body).model_dump(by_alias=True))
    return NewsTaken(call_id=(await record_call_event(session, call_event, at=now())).id if call_event else None)


def _mango_body(body: str) -> MangoCall:
    try:
        content: Any = json.loads(body)
        return MangoCall.model_validate(content)
    except (ValueError, ValidationError, RecursionError) as error:
        raise Invalid("Уведомление не разобрать.", field="body.json") from error


@router.get("/calls", dependencies=[allow(*STAFF)], summary="Звонки")
async def list_calls(
    session: Session,
    caller: Caller,
    page: PageRequest,
    client_id: UUID | None = None,
    office_id: Annotated[UUID | None, Query(description="Для головного офиса")] = None,
) -> Page[CallOut]:
    """Новые сверху."""
    office = caller.office_id if caller.role in OFFICE_STAFF else office_id
    query = queries.calls(office_id=office, client_id=client_id)
    key = (PhoneCall.first_heard_at.desc(), PhoneCall.id.desc())
    rows, after = await paginate(session, query, page, key=key)
    return Page(items=[CallOut.model_validate(row) for row in rows], next=after.next)


@router.get("/calls/statistics", dependencies=[allow(*STAFF)], summary="Как берут трубку (CALL-09)")
async def show_statistics(
    session: Session,
    caller: Caller,
    since: AwareDatetime,
    until: AwareDatetime,
    office_id: Annotated[UUID | None, Query(description="Для головного офиса")] = None,
) -> CallStatistics:
    """Третий звонок измеряется по порядку отправки и связи, действовавшему в момент звонка."""
    office = caller.office_id if caller.role in OFFICE_STAFF else office_id
    row = await queries.call_statistics(session, office_id=office, since=since, until=until)
    measured = row.in_time + row.late
    return CallStatistics(
        incoming=row.incoming,
        answered=row.answered,
        missed=row.missed,
        in_time=row.in_time,
        late=row.late,
        in_time_percent=round(100 * row.in_time / measured, 1) if measured else None,
        median_answer_seconds=float(row.median) if row.median is not None else None,
        outgoing=row.outgoing,
    )
