"""Registration and confirmation of the e-mail: routes for visitors without a login (CL-07)."""

from services.clients.api.dependencies import Configured
from services.clients.commands import confirmation
from services.clients.commands import registration as commands
from services.clients.domain.content import CONSENT_DOCUMENTS
from services.clients.models import Office
from services.clients.queries.content import contents_at
from services.clients.queries.offices import open_offices
from services.clients.schemas.cards import AskConfirmation, ConfirmEmail, MessageOut, RegisterClient, RegisteredOut
from services.clients.schemas.work import ContentOut, PublicOfficeOut
from shared.base.clock import now
from shared.web import NO_IDEMPOTENCY_KEY, Page, PageRequest, Session, paginate, public, service_router

router = service_router("Регистрация")


@router.get("/public/offices", dependencies=[public()], summary="Офисы для формы регистрации")
async def list_offices(session: Session, page: PageRequest) -> Page[PublicOfficeOut]:
    """Открытые офисы по алфавиту (ORG-01)."""
    rows, following = await paginate(session, open_offices(), page, key=(Office.name, Office.id))
    return Page(items=[PublicOfficeOut.model_validate(office) for office in rows], next=following.next)


@router.get("/public/consent-documents", dependencies=[public()], summary="Тексты согласий")
async def list_consent_documents(session: Session) -> list[ContentOut]:
    """Действующие редакции согласий, по одной на цель: на обработку данных, рекламу, звонки."""
    documents = await contents_at(session, list(CONSENT_DOCUMENTS.values()), now())
    return [ContentOut.model_validate(documents[code]) for code in CONSENT_DOCUMENTS.values()]


@router.post("/registrations", status_code=201, dependencies=[public()], summary="Зарегистрироваться")
async def register(body: RegisterClient, session: Session, settings: Configured) -> RegisteredOut:
    """Создаёт карточку онлайн-клиента и отправляет письмо со ссылкой (CL-07).

    Войти можно после подтверждения e-mail. Логин единственный во всей сети. Выдуманный телефон не мешает
    регистрации, но клиента попросят указать настоящий (CL-06). Открывает срок первого звонка (CALL-01).
    """
    client = await commands.register(session, body, settings=settings, at=now())
    assert client.login is not None and client.email is not None
    return RegisteredOut(
        client_id=client.client_id,
        login=client.login,
        email=client.email,
        email_confirmed=False,
        message=f"Мы отправили письмо на {client.email}. Перейдите по ссылке из него, чтобы войти.",
    )


@router.post(
    "/email-confirmations",
    dependencies=[public(), NO_IDEMPOTENCY_KEY],
    summary="Подтвердить e-mail по ссылке из письма",
)
async def confirm_email(body: ConfirmEmail, session: Session) -> MessageOut:
    """Открывает вход (CL-07). Повторный переход по той же ссылке ничего не меняет."""
    await confirmation.confirm_email(session, body.token, at=now())
    return MessageOut(message="Спасибо! E-mail подтверждён.")


@router.post(
    "/email-confirmations/requests",
    status_code=202,
    dependencies=[public(), NO_IDEMPOTENCY_KEY],
    summary="Прислать письмо ещё раз",
)
async def ask_confirmation(body: AskConfirmation, session: Session, settings: Configured) -> MessageOut:
    """Не чаще раза в минуту. Ответ одинаков, есть такой логин или нет."""
    await confirmation.repeat_confirmation(session, body.login, settings=settings, at=now())
    return MessageOut(message="Если такая регистрация ждёт подтверждения, письмо отправлено ещё раз.")
