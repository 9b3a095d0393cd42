"""Routes of positions: the list (ORD-02) and the actions (ORD-03)."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.orders.commands import editing, issuing, orders, purchasing, receiving, removal
from services.orders.domain.policies import RemovalPolicy
from services.orders.domain.position import PositionState
from services.orders.models import Position
from services.orders.queries import positions as queries
from services.orders.queries.policies import policy_in_force
from services.orders.schemas.fields import Moment
from services.orders.schemas.positions import (
    ActionResult,
    ActionResults,
    CheckMark,
    PositionAction,
    PositionChange,
    PositionOut,
    Refusal,
    RefusedOut,
    RemovalReasonOut,
    Reorder,
)
from shared.base.clock import now
from shared.identity.roles import EVERYONE, OFFICE_STAFF, STAFF
from shared.web import Caller, IfMatch, Page, PageRequest, Session, allow, paginate, service_router, set_etag

router = service_router("Позиции")

ACTIONS = {
    "order": purchasing.order_from_suppliers,
    "receive": receiving.receive_goods,
    "issue": issuing.issue_goods,
    "remove": removal.remove_positions,
}


@router.get("/positions", summary="Список позиций", dependencies=[allow(*EVERYONE)])
async def list_positions(
    session: Session,
    caller: Caller,
    page: PageRequest,
    state: PositionState | None = None,
    client_id: UUID | None = None,
    office_id: UUID | None = None,
    order_id: UUID | None = None,
    supplier_id: UUID | None = None,
    paid: bool | None = None,
    changed_from: Annotated[Moment | None, Query(description="Смена состояния: с этого момента")] = None,
    changed_to: Annotated[Moment | None, Query(description="Смена состояния: раньше этого момента")] = None,
) -> Page[PositionOut]:
    """Фильтры, баланс клиента, его позиции на модерации, автомобиль, отметка проверки (ORD-02).

    По поставщику отбирают только сотрудники: клиент поставщика не знает.
    """
    wanted = queries.PositionFilter(
        state=state,
        client_id=client_id,
        office_id=office_id,
        order_id=order_id,
        supplier_id=supplier_id if caller.role in STAFF else None,
        changed_from=changed_from,
        changed_to=changed_to,
        paid=paid,
    )
    positions, following = await paginate(session, queries.positions_matching(wanted), page, key=queries.NEWEST_FIRST)
    return Page(items=await queries.show_positions(session, positions, caller=caller, at=now()), next=following.next)


@router.get("/positions/{position_id}", summary="Позиция", dependencies=[allow(*EVERYONE)])
async def get_position(position_id: UUID, session: Session, caller: Caller, response: Response) -> PositionOut:
    """Состояние принадлежит позиции (ORD-01)."""
    return await _one(session, await queries.find_position(session, position_id), caller, response)


@router.patch(
    "/positions/{position_id}",
    summary="Уточнить поставщика, закупку, срок, внутренний комментарий",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def change_position(
    position_id: UUID, body: PositionChange, session: Session, caller: Caller, expected: IfMatch, response: Response
) -> PositionOut:
    """Цена продажи не меняется. Внутреннего комментария клиент не видит (ORD-08); новый срок поставщика — K10."""
    position = await editing.change_position(session, position_id, body, expected_version=expected, at=now())
    return await _one(session, position, caller, response)


@router.put(
    "/positions/{position_id}/check",
    summary="Отметить применимость",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def check_position(
    position_id: UUID, body: CheckMark, session: Session, caller: Caller, expected: IfMatch, response: Response
) -> PositionOut:
    """Результат проверки по одной позиции (ORD-06)."""
    position = await orders.check_position(session, position_id, body, expected_version=expected, at=now())
    return await _one(session, position, caller, response)


@router.post(
    "/positions/actions",
    summary="Действие над отмеченными позициями",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def act(body: PositionAction, session: Session, caller: Caller) -> ActionResults:
    """«Заказ поставщику», «Оформить приход», «Отгрузить», снятие: у каждой позиции свой результат (ORD-03).

    - `order`: до оплаты — только опт, иначе решение старшего менеджера с причиной (ORD-12)
    - `receive`: пришедшее можно принять частью (ORD-09)
    - `issue`: личность проверена, упаковка вскрыта (ORD-10, ORD-17)
    - `remove`: причина и текст для клиента (ORD-08, K4)
    """
    bulk = await ACTIONS[body.action](session, body, caller=caller, at=now())
    return ActionResults(results=[ActionResult.of(result) for result in bulk.results])


@router.post(
    "/positions/{position_id}/refusal",
    summary="Отказ поставщика",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def refuse_position(
    position_id: UUID, body: Refusal, session: Session, caller: Caller, response: Response
) -> RefusedOut:
    """Неокончательный отказ можно перезаказать (ORD-13), окончательный возвращает деньги на баланс (BILL-03)."""
    position, remainder = await purchasing.refuse_position(session, position_id, body, caller=caller, at=now())
    set_etag(response, position.version)
    both = [position] + ([remainder] if remainder else [])
    shown = await queries.show_positions(session, both, caller=caller, at=now())
    return RefusedOut(position=shown[0], remainder=shown[1] if remainder else None)


@router.post(
    "/positions/{position_id}/reorder",
    summary="Перезаказать у другого поставщика",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def reorder_position(
    position_id: UUID, body: Reorder, session: Session, caller: Caller, response: Response
) -> PositionOut:
    """По той же цене продажи, если закупка позволяет (ORD-13)."""
    position = await purchasing.reorder_position(session, position_id, body, caller=caller, at=now())
    return await _one(session, position, caller, response)


@router.get("/removal-reasons", summary="Причины снятия", dependencies=[allow(*STAFF)])
async def list_removal_reasons(session: Session) -> list[RemovalReasonOut]:
    """Шаблоны обращены к клиенту (K4, VIN-08)."""
    policy = await policy_in_force(session, RemovalPolicy, now())
    return [RemovalReasonOut.model_validate(reason) for reason in policy.reasons if not reason.automatic]


async def _one(session: Session, position: Position, caller: Caller, response: Response) -> PositionOut:
    set_etag(response, position.version)
    (shown,) = await queries.show_positions(session, [position], caller=caller, at=now())
    return shown
