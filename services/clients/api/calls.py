"""Calls to clients: the log, the list of calls to make, the cold list, scripts."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Query

from services.clients.commands import calls as commands
from services.clients.commands.contacts import policy_at
from services.clients.domain import call_log
from services.clients.domain.content import OBJECTIONS, SCRIPTS, ContentCode, fill
from services.clients.domain.names import given_name
from services.clients.models import Call, Client, Content, ObligationProjection, Office
from services.clients.queries import cards as card_queries
from services.clients.queries import obligations as obligation_queries
from services.clients.queries.calls import calls_of
from services.clients.queries.content import contents_at
from services.clients.queries.offices import offices_by_id
from services.clients.schemas.work import (
    CallFields,
    CallListOut,
    CallOut,
    ColdClientOut,
    ColdListOut,
    ContentOut,
    DutyOut,
    LastAttempt,
    LogCall,
    ScriptsOut,
)
from shared.base.clock import now
from shared.contracts.clients import CallGoal
from shared.identity.roles import STAFF, Principal
from shared.web import Caller, Page, PageRequest, Session, allow, paginate, service_router

router = service_router("Звонки")


@router.post("/clients/{client_id}/calls", status_code=201, dependencies=[allow(*STAFF)], summary="Записать звонок")
async def log_call(client_id: UUID, body: LogCall, session: Session, caller: Caller) -> CallOut:
    """Дата и время, оценка, комментарий, источник, инициалы звонившего (CL-11…13).

    Один звонок может закрыть несколько целей. После первого разговора нужна оценка (CL-12); ФИО, узнанное в разговоре,
    становится проверенным (CL-05). После первой попытки клиенту уходит информационное письмо (CALL-02, LET-01).
    Состоявшийся разговор закрывает просьбу о контактах, а учётную запись, отключённую из-за неё, открывает (CL-06).
    """
    client = await card_queries.get_client(session, client_id, lock=True)
    call = await commands.log_call(session, client, body, caller=caller, at=now())
    office = (await offices_by_id(session, [client.office_id])).get(client.office_id)
    return _call_out(call, ZoneInfo(office.time_zone if office else client.time_zone))


@router.get("/clients/{client_id}/calls", dependencies=[allow(*STAFF)], summary="Журнал звонков клиенту")
async def list_calls(client_id: UUID, session: Session, page: PageRequest) -> Page[CallOut]:
    """Последние сверху; поле `entry` — строка вида «18:23, 10.01.15. Оценка 5. … М.А.» по времени офиса (CL-11)."""
    client = await card_queries.get_client(session, client_id)
    rows, following = await paginate(session, calls_of(client_id), page, key=(Call.called_at.desc(), Call.id.desc()))
    office = (await offices_by_id(session, [client.office_id])).get(client.office_id)
    zone = ZoneInfo(office.time_zone if office else client.time_zone)
    return Page(items=[_call_out(call, zone) for call in rows], next=following.next)


@router.get("/call-list", dependencies=[allow(*STAFF)], summary="Кому позвонить")
async def call_list(
    session: Session,
    caller: Caller,
    page: PageRequest,
    goal: CallGoal | None = None,
    mine: Annotated[bool, Query(description="Только мои клиенты")] = False,
    overdue: Annotated[bool, Query(description="Только просроченные")] = False,
    office_id: UUID | None = None,
    client_id: UUID | None = None,
) -> CallListOut:
    """Открытые обязанности позвонить, ближайший срок сверху: первый звонок (CALL-01), второй (CALL-03), после заказа
    (CALL-06, ORD-04), проверка оплаты (BILL-06). С телефоном, оставшимся временем и скриптом.
    """
    at = now()
    query = obligation_queries.open_obligations(
        goal=goal,
        manager_id=caller.id if mine else None,
        office_id=office_id,
        client_id=client_id,
        overdue_at=at if overdue else None,
    )
    rows, following = await paginate(session, query, page, key=(ObligationProjection.due_at, ObligationProjection.id))
    attempts = await obligation_queries.attempts(session, [obligation for obligation, _ in rows])
    offices = await offices_by_id(session, (obligation.office_id for obligation, _ in rows))
    scripts = await contents_at(session, list(SCRIPTS.values()), at)
    items = [
        _obligation_out(
            obligation,
            client,
            at=at,
            attempts=attempts.get(obligation.id),
            script=_script(scripts, obligation.goal, caller, offices.get(obligation.office_id)),
        )
        for obligation, client in rows
    ]
    return CallListOut(server_time=at, items=items, next=following.next)


@router.get("/cold-list", dependencies=[allow(*STAFF)], summary="Обзвон холодной базы")
async def cold_list(
    session: Session,
    caller: Caller,
    page: PageRequest,
    mine: Annotated[bool, Query(description="Только мои клиенты")] = False,
    office_id: UUID | None = None,
) -> ColdListOut:
    """Зарегистрировались 7–10 дней назад и не сделали заказ (CALL-04); дни задаёт головной офис.

    Без тех, кто не согласился на такие звонки или отозвал согласие, и тех, с кем об этом уже поговорили.
    """
    at = now()
    policy = await policy_at(session, at)
    query = card_queries.cold_list(
        office_id=office_id,
        manager_id=caller.id if mine else None,
        since=at - timedelta(days=policy.cold_until_days),
        until=at - timedelta(days=policy.cold_from_days),
    )
    rows, following = await paginate(session, query, page, key=(Client.registered_at, Client.client_id))
    offices = await offices_by_id(session, [caller.office_id] if caller.office_id else [])
    scripts = await contents_at(session, [ContentCode.SCRIPT_COLD_CALL], at)
    return ColdListOut(
        server_time=at,
        script=_script(scripts, "cold_call", caller, next(iter(offices.values()), None)) or "",
        items=[ColdClientOut.model_validate(client) for client in rows],
        next=following.next,
    )


@router.get("/scripts", dependencies=[allow(*STAFF)], summary="Скрипты звонков и ответы на возражения")
async def read_scripts(session: Session, caller: Caller) -> ScriptsOut:
    """Тексты с именем сотрудника и названием офиса (CALL-01…06); возражения: цена, срок, предоплата (CALL-05)."""
    texts = await contents_at(session, [*SCRIPTS.values(), *OBJECTIONS], now())
    offices = await offices_by_id(session, [caller.office_id] if caller.office_id else [])
    values = _values(caller, next(iter(offices.values()), None))

    def filled(code: ContentCode) -> ContentOut:
        text = ContentOut.model_validate(texts[code])
        return text.model_copy(update={"body": fill(text.body, values)})

    return ScriptsOut(
        scripts={goal: filled(code) for goal, code in SCRIPTS.items()}, objections=[filled(code) for code in OBJECTIONS]
    )


def _values(caller: Principal, office: Office | None) -> dict[str, str]:
    values = {"manager": given_name(caller.name)}
    return {**values, "office": office.name} if office is not None else values


def _script(
    scripts: dict[ContentCode, Content], goal: CallGoal, caller: Principal, office: Office | None
) -> str | None:
    code = SCRIPTS.get(goal)
    return fill(scripts[code].body, _values(caller, office)) if code is not None else None


def _call_out(call: Call, zone: ZoneInfo) -> CallOut:
    entry = call_log.entry(
        called_at=call.called_at,
        zone=zone,
        outcome=call.outcome,
        rating=call.rating,
        comment=call.comment,
        caller=call.caller,
    )
    return CallOut(**CallFields.model_validate(call).model_dump(), entry=entry)


def _obligation_out(
    obligation: ObligationProjection,
    client: Client,
    *,
    at: datetime,
    attempts: tuple[int, Call] | None,
    script: str | None,
) -> DutyOut:
    number, last = attempts or (0, None)
    return DutyOut(
        obligation_id=obligation.id,
        office_id=obligation.office_id,
        rule_code=obligation.rule_code,
        clause=obligation.clause,
        goal=obligation.goal,
        goal_label=call_log.GOAL_LABELS[obligation.goal],
        opened_at=obligation.opened_at,
        due_at=obligation.due_at,
        seconds_left=int((obligation.due_at - at).total_seconds()),
        overdue=obligation.breached or obligation.due_at <= at,
        warned=obligation.warned,
        client_id=client.client_id,
        client_name=client.full_name,
        name_verified=client.name_verified,
        phone=client.phone,
        phone_shown=client.phone_shown,
        phone_suspicion=client.phone_suspicion,
        phone_suspicion_label=client.phone_suspicion_label,
        client_time_zone=client.time_zone,
        rating=client.rating,
        order_id=obligation.subject_id if obligation.subject_kind == "order" else None,
        subject_kind=obligation.subject_kind,
        subject_id=obligation.subject_id,
        manager_id=client.manager_id,
        attempts=number,
        last_attempt=LastAttempt.model_validate(last) if last is not None else None,
        script=script,
    )
