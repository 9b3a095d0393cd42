"""Сообщения в кабинете клиента."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.notifier.delivery.commands import cabinet as commands
from services.notifier.delivery.models.notices import CabinetMessage
from services.notifier.delivery.queries import cabinet as queries
from services.notifier.delivery.schemas.notices import MessageOut, MessagePage
from shared.base.clock import now
from shared.identity.roles import EVERYONE, OFFICE_STAFF, Role
from shared.web import Caller, PageRequest, Session, allow, paginate, service_router

router = service_router("Сообщения кабинета", prefix="/cabinet")


@router.get("/messages", dependencies=[allow(*EVERYONE)], summary="Сообщения клиенту")
async def list_messages(
    session: Session,
    caller: Caller,
    page: PageRequest,
    unread_only: bool = False,
    client_id: Annotated[UUID | None, Query(description="Для сотрудника: сообщения одного клиента")] = None,
) -> MessagePage:
    """NTF-01, VIN-04: клиент видит свои, сотрудник — клиентов своего офиса; новые сверху."""
    client = caller.id if caller.role == Role.CLIENT else client_id
    office = caller.office_id if caller.role in OFFICE_STAFF else None
    query = queries.messages(client_id=client, office_id=office, unread_only=unread_only)
    key = (CabinetMessage.created_at.desc(), CabinetMessage.id.desc())
    rows, after = await paginate(session, query, page, key=key)
    return MessagePage(
        items=[MessageOut.model_validate(row) for row in rows],
        next=after.next,
        unread=await queries.count_unread(session, client) if client is not None else 0,
        server_time=now(),
    )


@router.get("/messages/{message_id}", dependencies=[allow(*EVERYONE)], summary="Одно сообщение")
async def show_message(message_id: UUID, session: Session) -> MessageOut:
    """Чтение само по себе отметку не ставит."""
    return MessageOut.model_validate(await queries.find_message(session, message_id))


@router.post("/messages/{message_id}/read", dependencies=[allow(Role.CLIENT)], summary="Отметить прочитанным")
async def mark_read(message_id: UUID, session: Session) -> MessageOut:
    """Повторная отметка ничего не меняет."""
    return MessageOut.model_validate(await commands.mark_read(session, message_id, at=now()))
