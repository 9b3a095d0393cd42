"""Client cards for staff."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.api.dependencies import Configured
from services.clients.commands import access, contacts, managers
from services.clients.commands import cards as commands
from services.clients.domain.labels import Category
from services.clients.models import Client
from services.clients.queries import cards as queries
from services.clients.queries.offices import offices_by_id
from services.clients.schemas.cards import (
    ChangeClient,
    ClientBrief,
    ClientFields,
    ClientOut,
    CreateClient,
    Disable,
    DuplicatesOut,
    GiveLogin,
    HandedOver,
    HandOver,
    SetPassword,
)
from services.clients.schemas.fields import Email, Moment, Phone
from services.clients.schemas.work import ContactsRequestOut
from shared.base.clock import now
from shared.contracts.clients import ClientKind
from shared.identity.roles import SENIORS, STAFF, Role
from shared.web import (
    Caller,
    IfMatch,
    Page,
    PageRequest,
    SearchText,
    Session,
    allow,
    check_version,
    paginate,
    service_router,
    set_etag,
)

router = service_router("Карточки клиентов", prefix="/clients")
SENIOR = allow(*SENIORS, Role.HEAD_OFFICE)


async def card(session: AsyncSession, client: Client, response: Response) -> ClientOut:
    set_etag(response, client.version)
    office = (await offices_by_id(session, [client.office_id])).get(client.office_id)
    manager = await queries.manager_of(session, client)
    return ClientOut(
        **ClientFields.model_validate(client).model_dump(),
        courier_delivery=office is not None and queries.courier_delivers(office, client),
        manager_name=manager.full_name if manager else None,
    )


@router.get("", dependencies=[allow(*STAFF)], summary="Список клиентов")
async def list_clients(
    session: Session,
    page: PageRequest,
    q: Annotated[SearchText | None, Query(description="ФИО, организация, e-mail, логин, телефон или его конец")] = None,
    office_id: UUID | None = None,
    manager_id: UUID | None = None,
    kind: ClientKind | None = None,
    category: Category | None = None,
    group: SearchText | None = None,
    rating: Annotated[int | None, Query(ge=1, le=5)] = None,
    active: bool | None = None,
    phone_suspect: Annotated[bool | None, Query(description="Телефон вызывает сомнение (CL-06)")] = None,
    contacts_requested: Annotated[bool | None, Query(description="Ждём от клиента контакты (CL-06)")] = None,
    registered_from: Moment | None = None,
    registered_until: Moment | None = None,
) -> Page[ClientBrief]:
    """Новые сверху. Сотрудник видит клиентов своего офиса (ORG-04), головной офис — всех."""
    found = queries.list_clients(
        search=q,
        office_id=office_id,
        manager_id=manager_id,
        kind=kind,
        category=category,
        group=group,
        rating=rating,
        active=active,
        phone_suspect=phone_suspect,
        contacts_requested=contacts_requested,
        registered_from=registered_from,
        registered_until=registered_until,
    )
    rows, following = await paginate(session, found, page, key=(Client.registered_at.desc(), Client.client_id.desc()))
    return Page(items=[ClientBrief.model_validate(client) for client in rows], next=following.next)


@router.post("", status_code=201, dependencies=[allow(*STAFF)], summary="Завести клиента")
async def create_client(body: CreateClient, session: Session, caller: Caller, response: Response) -> ClientOut:
    """Если телефон или e-mail уже есть в офисе, ответ 409 предлагает похожие карточки (`duplicates`).

    Менеджер назначается по очереди среди работающих менеджеров офиса (CL-10). Выдуманный телефон при наличии e-mail
    сразу запускает просьбу о контактах (CL-06).
    """
    client = await commands.create_client(session, body, caller=caller, at=now())
    return await card(session, client, response)


@router.post("/handovers", dependencies=[SENIOR], summary="Передать клиентов другому менеджеру")
async def hand_over(body: HandOver, session: Session, caller: Caller) -> HandedOver:
    """Когда менеджер уволился или ушёл в отпуск: сроки по клиентам переходят вместе с ними (CL-10).

    За раз — не больше 2000 клиентов.
    """
    office_id = commands.office_of(caller, body.office_id)
    count = await managers.hand_over(session, office_id, body.manager_id, body.to, at=now())
    return HandedOver(clients=count, left=count == managers.HANDED_OVER_AT_ONCE)


@router.get("/duplicates", dependencies=[allow(*STAFF)], summary="Похожие карточки")
async def find_duplicates(
    session: Session,
    caller: Caller,
    phone: Annotated[Phone | None, Query()] = None,
    email: Annotated[Email | None, Query()] = None,
    office_id: Annotated[UUID | None, Query(description="Только для головного офиса")] = None,
) -> DuplicatesOut:
    """Карточки офиса с тем же телефоном или e-mail; о других офисах — только «есть» или «нет»."""
    office = commands.office_of(caller, office_id)
    alike = await queries.duplicates(session, office, phone=phone, email=email)
    return DuplicatesOut(
        items=[ClientBrief.model_validate(client) for client in alike],
        in_other_offices=await queries.exists_in_other_office(session, office, phone=phone, email=email),
    )


@router.get("/{client_id}", dependencies=[allow(*STAFF)], summary="Карточка клиента")
async def read_client(client_id: UUID, session: Session, response: Response) -> ClientOut:
    """Все поля карточки с подписями (CL-01…13)."""
    return await card(session, await queries.get_client(session, client_id), response)


@router.get("/{client_id}/duplicates", dependencies=[allow(*STAFF)], summary="Похожие на эту карточки")
async def duplicates_of_client(client_id: UUID, session: Session) -> DuplicatesOut:
    """Для клиента, который зарегистрировался сам: нет ли его уже в офисе."""
    client = await queries.get_client(session, client_id)
    same = {"phone": client.phone, "email": client.email}
    alike = await queries.duplicates(session, client.office_id, **same, besides=client.client_id)
    return DuplicatesOut(
        items=[ClientBrief.model_validate(other) for other in alike],
        in_other_offices=await queries.exists_in_other_office(session, client.office_id, **same),
    )


@router.patch("/{client_id}", dependencies=[allow(*STAFF)], summary="Изменить карточку")
async def change_client(
    client_id: UUID, body: ChangeClient, session: Session, expected: IfMatch, settings: Configured, response: Response
) -> ClientOut:
    """ФИО, записанное сотрудником, считается проверенным (CL-05). Исправленный телефон закрывает просьбу о контактах,
    а учётную запись, отключённую из-за него, открывает снова (CL-06).
    """
    client = await queries.get_client(session, client_id, lock=True)
    check_version(client.version, expected)
    await commands.change_client(session, client, body, settings=settings, at=now())
    return await card(session, client, response)


@router.post("/{client_id}/login", status_code=201, dependencies=[allow(*STAFF)], summary="Присвоить логин")
async def give_login(
    client_id: UUID, body: GiveLogin, session: Session, settings: Configured, response: Response
) -> ClientOut:
    """Розничный клиент офиса становится интернет-клиентом, сохраняя историю и автомобили (CL-16)."""
    client = await queries.get_client(session, client_id, lock=True)
    await access.give_login(session, client, login=body.login, password=body.password, settings=settings, at=now())
    return await card(session, client, response)


@router.post("/{client_id}/password", status_code=204, dependencies=[SENIOR], summary="Задать новый пароль")
async def reset_password(client_id: UUID, body: SetPassword, session: Session) -> None:
    """Завершает все сеансы клиента (CL-08)."""
    await access.reset_password(session, await queries.get_client(session, client_id, lock=True), body.password)


@router.post(
    "/{client_id}/contact-requests", status_code=201, dependencies=[allow(*STAFF)], summary="Запросить контакты"
)
async def request_contacts(client_id: UUID, session: Session) -> ContactsRequestOut:
    """Письмо с просьбой указать настоящий телефон и предупреждением об отключении учётной записи (CL-06)."""
    client = await queries.get_client(session, client_id, lock=True)
    await contacts.request_contacts(session, client, at=now())
    assert client.email is not None and client.contacts_requested_at is not None and client.contacts_due_at is not None
    return ContactsRequestOut(
        client_id=client.client_id,
        email=client.email,
        requested_at=client.contacts_requested_at,
        disable_at=client.contacts_due_at,
    )


@router.post("/{client_id}/disabling", dependencies=[SENIOR], summary="Отключить учётную запись")
async def disable_client(client_id: UUID, body: Disable, session: Session, response: Response) -> ClientOut:
    """Вход запрещается, открытые сеансы завершаются."""
    client = await queries.get_client(session, client_id, lock=True)
    await commands.disable_client(session, client, body.comment, at=now())
    return await card(session, client, response)


@router.post("/{client_id}/enabling", dependencies=[SENIOR], summary="Включить учётную запись")
async def enable_client(client_id: UUID, session: Session, response: Response) -> ClientOut:
    """Открывает вход снова и снимает просьбу о контактах, если она была (CL-06)."""
    client = await queries.get_client(session, client_id, lock=True)
    await commands.enable_client(session, client, at=now())
    return await card(session, client, response)
