"""Письма и SMS: что, кому, дошло ли."""

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Path, Query, Response

from services.notifier.delivery.commands.notices import resend, resolve
from services.notifier.delivery.domain.labels import CHANNELS, NOTICE_STATES
from services.notifier.delivery.models.notices import Notice
from services.notifier.delivery.queries import notices as queries
from services.notifier.delivery.schemas.notices import (
    AttemptOut,
    NoticeChannel,
    NoticeDetails,
    NoticeResolution,
    NoticeRow,
    NoticeState,
)
from shared.base.clock import now
from shared.identity.roles import OFFICE_STAFF, SENIORS, STAFF, Role
from shared.web import Caller, Page, PageRequest, Session, allow, paginate, service_router

router = service_router("Письма и SMS")


@router.get("/notices", dependencies=[allow(*STAFF)], summary="Письма и SMS офиса или клиента")
async def list_notices(
    session: Session,
    caller: Caller,
    page: PageRequest,
    client_id: Annotated[UUID | None, Query(description="Всё, что касается клиента")] = None,
    state: NoticeState | None = None,
    channel: NoticeChannel | None = None,
    obligation_id: UUID | None = None,
    office_id: Annotated[UUID | None, Query(description="Для головного офиса")] = None,
) -> Page[NoticeRow]:
    """NTF-01, NTF-02: новые сверху."""
    office = caller.office_id if caller.role in OFFICE_STAFF else office_id
    query = queries.notices(
        office_id=office, client_id=client_id, state=state, channel=channel, obligation_id=obligation_id
    )
    rows, after = await paginate(session, query, page, key=(Notice.created_at.desc(), Notice.id.desc()))
    return Page(items=[NoticeRow(**_fields(row)) for row in rows], next=after.next)


@router.get("/notices/{notice_id}", dependencies=[allow(*STAFF)], summary="Письмо или SMS с попытками отправки")
async def show_notice(notice_id: UUID, session: Session) -> NoticeDetails:
    """Текст, вложения, ответы сервера на каждую попытку."""
    return await _details(session, await queries.find_notice(session, notice_id))


@router.get(
    "/notices/{notice_id}/attachments/{file_name}",
    dependencies=[allow(*STAFF)],
    summary="Вложение",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def show_attachment(
    notice_id: UUID, file_name: Annotated[str, Path(max_length=200, pattern=r"^[\w.-]+$")], session: Session
) -> Response:
    """Файл в том виде, в каком он ушёл."""
    row = await queries.find_attachment(session, notice_id, file_name)
    disposition = f"attachment; filename*=UTF-8''{quote(row.file_name)}"
    return Response(bytes(row.content), media_type=row.media_type, headers={"Content-Disposition": disposition})


@router.post(
    "/notices/{notice_id}/resend",
    dependencies=[allow(*SENIORS, Role.HEAD_OFFICE)],
    summary="Отправить ещё раз",
)
async def resend_notice(notice_id: UUID, session: Session) -> NoticeDetails:
    """Для писем с неизвестным исходом, недоставленных и просроченных: решает человек, сама система повторно не шлёт."""
    notice = await queries.find_notice(session, notice_id, lock=True)
    await resend(session, notice, at=now())
    return await _details(session, notice)


@router.post(
    "/notices/{notice_id}/resolution",
    dependencies=[allow(*SENIORS, Role.HEAD_OFFICE)],
    summary="Сказать, чем кончилась отправка",
)
async def resolve_notice(notice_id: UUID, body: NoticeResolution, session: Session) -> NoticeDetails:
    """Для неизвестного исхода: человек узнал у получателя, дошло ли."""
    notice = await queries.find_notice(session, notice_id, lock=True)
    await resolve(session, notice, delivered=body.delivered, at=now())
    return await _details(session, notice)


async def _details(session: Session, notice: Notice) -> NoticeDetails:
    return NoticeDetails(
        **_fields(notice),
        text=notice.text,
        html=notice.html,
        attachments=await queries.attachment_names(session, notice.id),
        tries=[AttemptOut.model_validate(row) for row in await queries.attempts(session, notice.id)],
    )


def _fields(row: Notice) -> dict[str, object]:
    labels = {"channel_label": CHANNELS[row.channel], "state_label": NOTICE_STATES[row.state]}
    names = NoticeRow.model_fields.keys() - labels.keys()
    return {name: getattr(row, name) for name in names} | labels
