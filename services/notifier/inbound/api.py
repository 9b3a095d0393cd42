"""Письма клиентов в офис и ответы на них; почтовые ящики офисов."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from services.notifier.inbound import queries
from services.notifier.inbound.commands import answer, configure_mailbox
from services.notifier.inbound.models import InboundMail, Mailbox
from services.notifier.inbound.schemas import AnswerMail, MailAnswerOut, MailboxOut, MailOut, MailRow, PutMailbox
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

router = service_router("Входящая почта")


@router.get("/mails", dependencies=[allow(*STAFF)], summary="Письма в офис")
async def list_mails(
    session: Session,
    caller: Caller,
    page: PageRequest,
    client_id: UUID | None = None,
    thread_id: Annotated[UUID | None, Query(description="Одна переписка")] = None,
    unanswered: Annotated[bool, Query(description="Только те, что ждут ответа")] = False,
    office_id: Annotated[UUID | None, Query(description="Для головного офиса")] = None,
) -> Page[MailRow]:
    """CALL-12: новые сверху; автоответы и возвраты видны, но ответа не ждут."""
    query = queries.mails(
        office_id=caller.office_id if caller.role in OFFICE_STAFF else office_id,
        client_id=client_id,
        thread_id=thread_id,
        unanswered=unanswered,
    )
    rows, after = await paginate(session, query, page, key=(InboundMail.received_at.desc(), InboundMail.id.desc()))
    return Page(items=[MailRow.model_validate(row) for row in rows], next=after.next)


@router.get("/mails/{mail_id}", dependencies=[allow(*STAFF)], summary="Одно письмо")
async def show_mail(mail_id: UUID, session: Session) -> MailOut:
    """Номер письма — он же номер обращения, которое оно открыло."""
    return MailOut.model_validate(await queries.find_mail(session, mail_id))


@router.post("/mails/{mail_id}/answer", status_code=201, dependencies=[allow(*OFFICE_STAFF)], summary="Ответить")
async def answer_mail(mail_id: UUID, body: AnswerMail, session: Session, caller: Caller) -> MailAnswerOut:
    """CALL-12: ответ уходит в той же переписке и закрывает срок."""
    notice_id = await answer(session, await queries.find_mail(session, mail_id), body.text, caller=caller, at=now())
    return MailAnswerOut(notice_id=notice_id)


@router.get("/mailboxes", dependencies=[allow(*STAFF)], summary="Почтовые ящики офисов")
async def list_mailboxes(session: Session, page: PageRequest) -> Page[MailboxOut]:
    """Когда смотрели и что не вышло; паролей нет."""
    rows, after = await paginate(session, queries.mailboxes(), page, key=(Mailbox.office_id,))
    return Page(items=[await _out(session, row) for row in rows], next=after.next)


@router.get("/mailboxes/{office_id}", dependencies=[allow(*STAFF)], summary="Почтовый ящик офиса")
async def show_mailbox(office_id: UUID, session: Session, response: Response) -> MailboxOut:
    mailbox = await queries.find_mailbox(session, office_id)
    if mailbox is None:
        raise NotFound("У этого офиса почтовый ящик не настроен.")
    set_etag(response, mailbox.version)
    return await _out(session, mailbox)


@router.put("/mailboxes/{office_id}", dependencies=[allow(Role.HEAD_OFFICE)], summary="Настроить почтовый ящик офиса")
async def put_mailbox(
    office_id: UUID, body: PutMailbox, expected: IfMatch, session: Session, request: Request, response: Response
) -> MailboxOut:
    """Пароль хранится зашифрованным; без пароля остаётся прежний. Читается с этой минуты: прежние письма не трогаются.
    `If-Match` нового ящика — `"0"`.
    """
    key: str = request.app.state.settings.secrets_key
    values = body.model_dump(exclude={"password"})
    mailbox = await configure_mailbox(
        session, office_id, values, body.password, secrets_key=key, expected=expected, at=now()
    )
    set_etag(response, mailbox.version)
    return await _out(session, mailbox)


async def _out(session: Session, mailbox: Mailbox) -> MailboxOut:
    state = await queries.mailbox_state(session, mailbox.office_id)
    return MailboxOut(
        **{name: getattr(mailbox, name) for name in ("office_id", "version", "host", "port", "security", "login")},
        folder=mailbox.folder,
        active=mailbox.active,
        checked_at=state.checked_at if state else None,
        error=state.error if state else None,
    )
