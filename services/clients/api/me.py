"""The client's own card and contract in the cabinet (CL-19)."""

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.api.dependencies import Configured
from services.clients.commands import access, cards
from services.clients.domain.content import ContentCode, fill
from services.clients.models import Client
from services.clients.queries import cards as queries
from services.clients.queries.content import content_at
from services.clients.queries.offices import offices_by_id
from services.clients.schemas.cards import ChangeOwnCard, ChangePassword, OwnCardOut, OwnFields
from services.clients.schemas.work import ContentOut, ContractOut
from shared.base.clock import now
from shared.identity.roles import EVERYONE, Role
from shared.web import Caller, IfMatch, Session, allow, check_version, service_router, set_etag

router = service_router("Кабинет клиента")


async def own_card(session: AsyncSession, client: Client) -> OwnCardOut:
    office = (await offices_by_id(session, [client.office_id]))[client.office_id]
    manager = await queries.manager_of(session, client)
    warning = None
    if client.contacts_due_at is not None:
        warning = (
            "Мы не можем дозвониться по указанному телефону. Укажите, пожалуйста, настоящий номер, "
            "иначе учётная запись будет отключена."
        )
    return OwnCardOut(
        **OwnFields.model_validate(client).model_dump(),
        office_name=office.name,
        office_address=office.address,
        office_phones=office.phones,
        manager_name=manager.full_name if manager else None,
        manager_email=manager.email if manager else None,
        courier_delivery=queries.courier_delivers(office, client),
        contacts_warning=warning,
    )


@router.get("/me", dependencies=[allow(Role.CLIENT)], summary="Моя карточка")
async def read_me(session: Session, caller: Caller, response: Response) -> OwnCardOut:
    """Данные клиента, его офис и ответственный менеджер (CL-10)."""
    client = await queries.get_client(session, caller.id)
    set_etag(response, client.version)
    return await own_card(session, client)


@router.patch("/me", dependencies=[allow(Role.CLIENT)], summary="Изменить мои данные")
async def change_me(
    body: ChangeOwnCard, session: Session, caller: Caller, expected: IfMatch, settings: Configured, response: Response
) -> OwnCardOut:
    """Настоящий телефон снимает предупреждение об отключении (CL-06). Новое ФИО менеджер уточнит при звонке (CL-05)."""
    client = await queries.get_client(session, caller.id, lock=True)
    check_version(client.version, expected)
    await cards.change_own_card(session, client, body, settings=settings, at=now())
    set_etag(response, client.version)
    return await own_card(session, client)


@router.post("/me/password", status_code=204, dependencies=[allow(Role.CLIENT)], summary="Сменить пароль")
async def change_password(body: ChangePassword, session: Session, caller: Caller) -> None:
    """Завершает все сеансы, в том числе этот: войдите с новым паролем."""
    client = await queries.get_client(session, caller.id)
    await access.change_password(session, client, current=body.current_password, new=body.new_password)


@router.get("/contract", dependencies=[allow(*EVERYONE)], summary="Текст договора")
async def read_contract(session: Session, caller: Caller) -> ContractOut:
    """Действующая редакция с реквизитами офиса (CL-19). Головной офис видит текст с незаполненными местами."""
    contract = await content_at(session, ContentCode.CONTRACT, now())
    offices = await offices_by_id(session, [caller.office_id] if caller.office_id else [])
    office = next(iter(offices.values()), None)
    values = {"office": office.name, "legal_name": office.legal_name, "address": office.address} if office else {}
    text = ContentOut.model_validate(contract)
    return ContractOut(
        **text.model_dump(exclude={"body"}), body=fill(text.body, values), office_name=office.name if office else None
    )
