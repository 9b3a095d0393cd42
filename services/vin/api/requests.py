"""Routes of VIN requests."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.vin import commands
from services.vin.queries import requests as queries
from services.vin.schemas.requests import (
    AnswerOut,
    GiveAnswer,
    LineAnswer,
    NewPart,
    NewRequest,
    RequestOut,
    RequestRow,
    StartCorrection,
)
from shared.base.clock import now
from shared.identity.roles import EVERYONE, OFFICE_STAFF, Role
from shared.web import Caller, IfMatch, Page, PageRequest, Session, allow, paginate, service_router, set_etag

router = service_router("Запросы по VIN")


@router.post(
    "/requests",
    status_code=201,
    dependencies=[allow(*OFFICE_STAFF, Role.CLIENT)],
    summary="Отправить запрос по VIN или FRAME",
)
async def place_request(body: NewRequest, session: Session, caller: Caller, response: Response) -> RequestOut:
    """VIN-01, VIN-02: клиент — за себя, сотрудник — за клиента. Похожие русские буквы в номере заменяются латинскими,
    замена видна в `correction`; сомнительный номер отклоняется с подсказкой `suggestion`. Офис получает письмо
    (NTF-01), начинаются два рабочих часа на ответ (VIN-05).
    """
    at = now()
    request = await commands.place_request(session, body, caller=caller, at=at)
    set_etag(response, request.version)
    return await queries.full(session, request, caller, at=at)


@router.get("/requests", dependencies=[allow(*EVERYONE)], summary="Запросы: необработанные и все остальные")
async def list_requests(
    session: Session,
    caller: Caller,
    page: PageRequest,
    state: Annotated[
        queries.ListState | None,
        Query(description="По умолчанию сотруднику — необработанные, клиенту — все его запросы"),
    ] = None,
    client_id: UUID | None = None,
    office_id: Annotated[UUID | None, Query(description="Для головного офиса")] = None,
) -> Page[RequestRow]:
    """VIN-01: «необработанные запросы» — самые старые сверху, со сроком ответа (VIN-05); остальные списки — новые
    сверху. Сотрудник видит свой офис, клиент — только себя.
    """
    wanted = state or ("all" if caller.role == Role.CLIENT else "unanswered")
    # Staff see only their own office anyway; naming it lets PostgreSQL take the order from an index.
    office = caller.office_id if caller.role in OFFICE_STAFF else office_id
    client = caller.id if caller.role == Role.CLIENT else client_id
    query = queries.requests(wanted, client_id=client, office_id=office)
    found, after = await paginate(session, query, page, key=queries.sort_key(wanted))
    return Page(items=await queries.rows(session, found, at=now()), next=after.next)


@router.get("/requests/{request_id}", dependencies=[allow(*EVERYONE)], summary="Запрос с ответом")
async def show_request(request_id: UUID, session: Session, caller: Caller, response: Response) -> RequestOut:
    """VIN-04: сотрудник видит черновик ответа, клиент — последний отправленный ответ."""
    request = await queries.find_request(session, request_id)
    set_etag(response, request.version)
    return await queries.full(session, request, caller, at=now())


@router.get("/requests/{request_id}/answers", dependencies=[allow(*EVERYONE)], summary="Все ответы на запрос")
async def list_answers(request_id: UUID, session: Session) -> list[AnswerOut]:
    """VIN-09: каждый ответ и каждое исправление — с тем, кто подобрал детали."""
    request = await queries.find_request(session, request_id)
    return [queries.given_answer(answer) for answer in request.answers]


@router.put(
    "/requests/{request_id}/lines/{line_id}", dependencies=[allow(*OFFICE_STAFF)], summary="Обработать строку запроса"
)
async def answer_line(
    request_id: UUID,
    line_id: UUID,
    body: LineAnswer,
    session: Session,
    caller: Caller,
    expected: IfMatch,
    response: Response,
) -> RequestOut:
    """VIN-03, VIN-06…VIN-08, K17: предложения (одна строка — один артикул одного производителя), отказ с допустимой
    причиной или вопрос после звонка, на который клиент не ответил. Комментарии обращены к клиенту.

    Пожелание клиента (VIN-02) соблюдается: «Минимальная цена» — дешёвые сверху; «Только оригинал» — только
    предложения с отметкой `original`, иначе клиенту объясняют в `preference_note`.
    """
    at = now()
    request = await commands.answer_line(session, request_id, line_id, body, expected=expected, caller=caller, at=at)
    set_etag(response, request.version)
    return await queries.full(session, request, caller, at=at)


@router.post(
    "/requests/{request_id}/lines",
    status_code=201,
    dependencies=[allow(*OFFICE_STAFF)],
    summary="Добавить строку запроса",
)
async def add_line(request_id: UUID, body: NewPart, session: Session, caller: Caller, response: Response) -> RequestOut:
    """VIN-03: если клиент спросил в одной строке о нескольких деталях, для каждой заводится своя строка."""
    at = now()
    request = await commands.add_line(session, request_id, body, caller=caller, at=at)
    set_etag(response, request.version)
    return await queries.full(session, request, caller, at=at)


@router.delete(
    "/requests/{request_id}/lines/{line_id}", dependencies=[allow(*OFFICE_STAFF)], summary="Удалить строку запроса"
)
async def delete_line(
    request_id: UUID, line_id: UUID, session: Session, caller: Caller, expected: IfMatch, response: Response
) -> RequestOut:
    """VIN-03. Последняя строка не удаляется."""
    at = now()
    request = await commands.delete_line(session, request_id, line_id, expected=expected, at=at)
    set_etag(response, request.version)
    return await queries.full(session, request, caller, at=at)


@router.post("/requests/{request_id}/answer", dependencies=[allow(*OFFICE_STAFF)], summary="Отправить ответ клиенту")
async def give_answer(
    request_id: UUID, body: GiveAnswer, session: Session, caller: Caller, response: Response
) -> RequestOut:
    """VIN-04, VIN-09: ответ появляется в кабинете клиента, с `notify_client` дублируется письмом. Нужен ответ в каждой
    строке. Отвечает за подбор тот, кто отправил ответ.
    """
    at = now()
    request = await commands.give_answer(session, request_id, notify_client=body.notify_client, caller=caller, at=at)
    set_etag(response, request.version)
    return await queries.full(session, request, caller, at=at)


@router.post(
    "/requests/{request_id}/correction",
    dependencies=[allow(*OFFICE_STAFF)],
    summary="Начать исправление ответа",
)
async def start_correction(
    request_id: UUID, body: StartCorrection, session: Session, caller: Caller, response: Response
) -> RequestOut:
    """VIN-09: запрос возвращается в необработанные; прежний ответ виден клиенту, пока не отправлен новый."""
    at = now()
    request = await commands.start_correction(session, request_id, reason=body.reason, at=at)
    set_etag(response, request.version)
    return await queries.full(session, request, caller, at=at)
