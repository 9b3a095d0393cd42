"""Routes for the operators of every service: backlog, failures, parked messages and their replay."""

import base64
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base import metrics
from shared.base.errors import NotFound
from shared.identity.roles import Role
from shared.messaging.topology import queue_name
from shared.persistence.tables import failed_message as failed
from shared.persistence.tables import outbox
from shared.runtime.audit import audit
from shared.web import Output, Page, PageRequest, Session, allow, paginate, service_router


class ParkedMessage(Output):
    id: UUID
    consumer: str
    event_id: UUID
    type: str
    attempts: int
    parked_at: datetime
    error: str


class ParkedMessageDetails(ParkedMessage):
    headers: dict[str, str]
    body: str = Field(description="тело сообщения; нечитаемые байты заменены")
    body_base64: str


class Replayed(Output):
    replayed: int


class Operations(Output):
    service: str
    outbox_backlog: int
    outbox_oldest_seconds: float = Field(description="возраст самого старого неотправленного события")
    retrying: int
    parked: int
    consumers_healthy: bool
    queues: list[str]


def operations_router(service: str, types: list[str]) -> APIRouter:
    """Return the routes; `types` are the events that the service consumes."""
    router = service_router("Эксплуатация")
    head_office = allow(Role.HEAD_OFFICE)

    @router.get("/parked", dependencies=[head_office], summary="Отложенные сообщения")
    async def list_parked(session: Session, page: PageRequest) -> Page[ParkedMessage]:
        """Сообщения, которые не удалось применить после всех попыток; ждут решения человека."""
        query = select(failed).where(failed.c.state == "parked")
        rows, after = await paginate(session, query, page, key=(failed.c.parked_at, failed.c.id))
        return Page(items=[ParkedMessage.model_validate(row) for row in rows], next=after.next)

    @router.get("/parked/{message_id}", dependencies=[head_office], summary="Отложенное сообщение целиком")
    async def show_parked(message_id: UUID, session: Session) -> ParkedMessageDetails:
        query = select(failed).where(failed.c.id == message_id, failed.c.parked_at.is_not(None))
        row = (await session.execute(query)).one_or_none()
        if row is None:
            raise NotFound("Такого отложенного сообщения нет.")
        return ParkedMessageDetails(
            **ParkedMessage.model_validate(row).model_dump(),
            headers=row.headers,
            body=bytes(row.body).decode("utf-8", "replace"),
            body_base64=base64.b64encode(bytes(row.body)).decode(),
        )

    @router.post("/parked/{message_id}/replay", dependencies=[head_office], summary="Применить ещё раз")
    async def replay_one(message_id: UUID, session: Session) -> Replayed:
        """Событие сохраняет свой номер: если оно уже применено, второй раз оно не подействует."""
        count = await _replay(session, [message_id])
        if not count:
            raise NotFound("Такого отложенного сообщения нет.")
        return Replayed(replayed=count)

    @router.post("/parked/replay", dependencies=[head_office], summary="Применить все ещё раз")
    async def replay_all(session: Session) -> Replayed:
        return Replayed(replayed=await _replay(session, None))

    @router.get("/operations", dependencies=[head_office], summary="Состояние обмена событиями")
    async def operations(session: Session, request: Request) -> Operations:
        backlog = await measure(session, service)
        return Operations(
            **backlog,
            service=service,
            consumers_healthy=request.app.state.subscriptions.healthy,
            queues=[queue_name(service, event_type) for event_type in types],
        )

    return router


async def measure(session: AsyncSession, service: str) -> dict[str, float]:
    """Return backlog and failures, and set their metrics.  Both queries are served by partial indexes."""
    age = func.coalesce(func.extract("epoch", func.now() - func.min(outbox.c.created_at)), 0)
    pending = (await session.execute(select(func.count(), age).where(outbox.c.confirmed_at.is_(None)))).one()
    waiting = failed.c.state.in_(("retrying", "parked"))
    states = select(failed.c.state, func.count().label("messages")).where(waiting).group_by(failed.c.state)
    failures = {row.state: row.messages for row in await session.execute(states)}
    measured = {
        "outbox_backlog": pending[0],
        "outbox_oldest_seconds": round(float(pending[1]), 3),
        "retrying": failures.get("retrying", 0),
        "parked": failures.get("parked", 0),
    }
    metrics.BACKLOG.labels(service).set(measured["outbox_backlog"])
    metrics.BACKLOG_AGE.labels(service).set(measured["outbox_oldest_seconds"])
    for state in ("retrying", "parked"):
        metrics.FAILED.labels(service, state).set(measured[state])
    return measured


async def _replay(session: AsyncSession, ids: list[UUID] | None) -> int:
    statement = (
        update(failed)
        .where(failed.c.state == "parked")
        .values(state="retrying", attempts=0, next_attempt_at=func.now())
        .returning(failed.c.id, failed.c.event_id)
    )
    if ids is not None:
        statement = statement.where(failed.c.id.in_(ids))
    rows = (await session.execute(statement)).all()
    if rows:
        subject = f"parked/{rows[0].id}" if len(rows) == 1 else "parked"
        details = {"events": [str(row.event_id) for row in rows[:100]], "count": len(rows)}
        await audit(session, "parked.replayed", subject=subject, office_id=None, details=details)
    return len(rows)
