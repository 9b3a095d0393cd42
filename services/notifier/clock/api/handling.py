"""Что сотрудники делают с обязанностью: перенос, «взял в работу», ожидание, передача, возврат, отметка."""

from uuid import UUID

from fastapi import Response

from services.notifier.clock.api.obligations import details
from services.notifier.clock.commands import handling
from services.notifier.clock.commands.transfer import transfer
from services.notifier.clock.models.obligations import Obligation
from services.notifier.clock.schemas.handling import (
    Acknowledge,
    Assign,
    Complete,
    MoveDeadline,
    Reopen,
    SetWaiting,
    Transfer,
)
from services.notifier.clock.schemas.obligations import ObligationDetails
from shared.base.clock import now
from shared.identity.roles import SENIORS, STAFF, Role
from shared.web import Caller, Session, allow, service_router, set_etag

router = service_router("Сроки")


@router.post("/obligations/{obligation_id}/deadline", dependencies=[allow(*STAFF)], summary="Перенести срок")
async def move_deadline(
    obligation_id: UUID, body: MoveDeadline, session: Session, caller: Caller, response: Response
) -> ObligationDetails:
    """VIN-05, CALL-12: «если иное не согласовано с клиентом». Кто, когда, прежний и новый срок остаются в истории;
    насколько далеко — зависит от роли и считается от срока по правилу.
    """
    row = await handling.move_deadline(session, obligation_id, body.due_at, body.reason, caller=caller, at=now())
    return await _shown(session, row, response)


@router.post("/obligations/{obligation_id}/acknowledgement", dependencies=[allow(*STAFF)], summary="Взять в работу")
async def acknowledge(
    obligation_id: UUID, body: Acknowledge, session: Session, caller: Caller, response: Response
) -> ObligationDetails:
    """NTF-03: пока время не вышло, выше по лестнице не сообщается; сам срок не меняется. Один раз на человека."""
    row = await handling.acknowledge(session, obligation_id, body.minutes, caller=caller, at=now())
    return await _shown(session, row, response)


@router.post("/obligations/{obligation_id}/waiting", dependencies=[allow(*STAFF)], summary="Кого ждёт обязанность")
async def set_waiting(
    obligation_id: UUID, body: SetWaiting, session: Session, caller: Caller, response: Response
) -> ObligationDetails:
    """Время ожидания клиента или поставщика считается отдельно; где правило это допускает, отсчёт стоит."""
    holder = None if body.holder == "manager" else body.holder
    row = await handling.set_waiting(session, obligation_id, holder, body.reason, caller=caller, at=now())
    return await _shown(session, row, response)


@router.post(
    "/obligations/{obligation_id}/assignment",
    dependencies=[allow(*SENIORS, Role.HEAD_OFFICE)],
    summary="Передать другому сотруднику",
)
async def assign(
    obligation_id: UUID, body: Assign, session: Session, caller: Caller, response: Response
) -> ObligationDetails:
    """Следующие шаги лестницы дойдут до нового ответственного; уже сообщённое не переписывается."""
    row = await handling.assign(session, obligation_id, body.staff_id, body.reason, caller=caller, at=now())
    return await _shown(session, row, response)


@router.post(
    "/obligations/{obligation_id}/office", dependencies=[allow(Role.HEAD_OFFICE)], summary="Передать другому офису"
)
async def transfer_duty(
    obligation_id: UUID, body: Transfer, session: Session, caller: Caller, response: Response
) -> ObligationDetails:
    """Остаток срока считается по календарю нового офиса. Прошедшее не переписывается: истёкший срок остаётся истёкшим,
    согласованный с клиентом не сдвигается.
    """
    row = await transfer(session, obligation_id, body.office_id, body.staff_id, body.reason, caller=caller, at=now())
    return await _shown(session, row, response)


@router.post(
    "/obligations/{obligation_id}/reopening",
    dependencies=[allow(*SENIORS, Role.HEAD_OFFICE)],
    summary="Открыть снова",
)
async def reopen(
    obligation_id: UUID, body: Reopen, session: Session, caller: Caller, response: Response
) -> ObligationDetails:
    """Закрыто по ошибке: отсчёт идёт дальше с тем временем, что оставалось."""
    row = await handling.reopen(session, obligation_id, body.reason, caller=caller, at=now())
    return await _shown(session, row, response)


@router.post("/obligations/{obligation_id}/completion", dependencies=[allow(*STAFF)], summary="Отметить выполненной")
async def complete(
    obligation_id: UUID, body: Complete, session: Session, caller: Caller, response: Response
) -> ObligationDetails:
    """RPT-01…06, HR-02, HR-03: то, чего система сама не видит."""
    row = await handling.complete(session, obligation_id, body.comment, caller=caller, at=now())
    return await _shown(session, row, response)


async def _shown(session: Session, row: Obligation, response: Response) -> ObligationDetails:
    set_etag(response, row.version)
    return await details(session, row)
