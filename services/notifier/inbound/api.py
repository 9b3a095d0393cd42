"""Письма клиентов в офис и ответы на них; почтовые ящики офисов."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from services.notifier.inbound.commands import answer
from services.notifier.inbound.domain import WAKE_CHANNEL
from services.notifier.inbound.encryption import encrypt_secret
from services.notifier.inbound.models import InboundMail, Mailbox, MailboxState
from services.notifier.inbound.schemas import AnswerMail, MailAnswerOut, MailboxOut, MailOut, MailRow, PutMailbox
from services.notifier.people.models.projections import Office
from shared.base.clock import now
from shared.base.errors import Invalid, NotFound
from shared.identity.roles import OFFICE_STAFF, STAFF, Role
from shared.runtime.audit import audit
from shared.web import (
    Caller,
    IfMatch,
    Page,
    PageRequest,
    Session,
    allow,
    check_version,
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
    wanted = {
        InboundMail.office_id: caller.office_id if caller.role in OFFICE_STAFF else office_id,
        InboundMail.client_id: client_id,
        InboundMail.thread_id: thread_id,
    }
    query = select(InboundMail).where(*(column == value for column, value in wanted.items() if value is not None))
    if unanswered:
        query = query.where(InboundMail.kind == "message", InboundMail.answered_at.is_(None))
    rows, after = await paginate(session, query, page, key=(InboundMail.received_at.desc(), InboundMail.id.desc()))
    return Page(items=[MailRow.model_validate(row) for row in rows], next=after.next)


@router.get("/mails/{mail_id}", dependencies=[allow(*STAFF)], summary="Одно письмо")
async def show_mail(mail_id: UUID, session: Session) -> MailOut:
    """Номер письма — он же номер обращения, которое оно открыло."""
    return MailOut.model_validate(await _mail(session, mail_id))


@router.post("/mails/{mail_id}/answer", status_code=201, dependencies=[allow(*OFFICE_STAFF)], summary="Ответить")
async def answer_mail(mail_id: UUID, body: AnswerMail, session: Session, caller: Caller) -> MailAnswerOut:
    """CALL-12: ответ уходит в той же переписке и закрывает срок."""
    notice_id = await answer(session, await _mail(session, mail_id), body.text, caller=caller, at=now())
    return MailAnswerOut(notice_id=notice_id)


@router.get("/mailboxes", dependencies=[allow(*STAFF)], summary="Почтовые ящики офисов")
async def list_mailboxes(session: Session, page: PageRequest) -> Page[MailboxOut]:
    """Когда смотрели и что не вышло; паролей нет."""
    rows, after = await paginate(session, select(Mailbox), page, key=(Mailbox.office_id,))
    return Page(items=[await _out(session, row) for row in rows], next=after.next)


@router.get("/mailboxes/{office_id}", dependencies=[allow(*STAFF)], summary="Почтовый ящик офиса")
async def show_mailbox(office_id: UUID, session: Session, response: Response) -> MailboxOut:
    mailbox = await _mailbox(session, office_id)
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
    if await session.get(Office, office_id) is None:
        raise NotFound("Такого офиса нет.")
    mailbox = await _mailbox(session, office_id)
    check_version(mailbox.version if mailbox else 0, expected)
    values = body.model_dump(exclude={"password"})
    if body.password is not None:
        values["secret"] = encrypt_secret(request.app.state.settings.secrets_key, body.password)
    elif mailbox is None:
        raise Invalid("Для нового ящика нужен пароль.", field="body.password")
    if mailbox is None:
        mailbox = Mailbox(office_id=office_id, **values)
        session.add(mailbox)
    else:
        elsewhere = any(getattr(mailbox, name) != values[name] for name in ("host", "login", "folder"))
        for name, value in values.items():
            setattr(mailbox, name, value)
        if elsewhere:
            state = await session.get(MailboxState, office_id)
            if state is not None:
                state.uid_validity, state.last_uid = None, 0
    await session.flush()
    state_row = insert(MailboxState).values(office_id=office_id, last_uid=0, next_check_at=now())
    await session.execute(
        state_row.on_conflict_do_update(index_elements=["office_id"], set_={"next_check_at": now(), "error": None})
    )
    await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": WAKE_CHANNEL})
    await audit(session, "mailbox.changed", subject=f"mailbox/{office_id}", office_id=office_id)
    set_etag(response, mailbox.version)
    return await _out(session, mailbox)


async def _mail(session: Session, mail_id: UUID) -> InboundMail:
    """Raises NotFound."""
    row = (await session.execute(select(InboundMail).where(InboundMail.id == mail_id))).scalars().one_or_none()
    if row is None:
        raise NotFound("Такого письма нет.")
    return row


async def _mailbox(session: Session, office_id: UUID) -> Mailbox | None:
    query = select(Mailbox).where(Mailbox.office_id == office_id)
    return (await session.execute(query.with_for_update())).scalars().one_or_none()


async def _out(session: Session, mailbox: Mailbox) -> MailboxOut:
    query = select(MailboxState).where(MailboxState.office_id == mailbox.office_id)
    state = (await session.execute(query, execution_options={"populate_existing": True})).scalars().one_or_none()
    return MailboxOut(
        **{name: getattr(mailbox, name) for name in ("office_id", "version", "host", "port", "security", "login")},
        folder=mailbox.folder,
        active=mailbox.active,
        checked_at=state.checked_at if state else None,
        error=state.error if state else None,
    )
