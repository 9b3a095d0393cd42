"""Create, change, disable and enable client cards (CL-05, CL-06)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.commands import access, confirmation, contacts
from services.clients.commands.consents import give_consents
from services.clients.commands.managers import check_managers, next_manager
from services.clients.domain.labels import DEFAULT_CATEGORIES, DEFAULT_GROUPS, DisabledReason
from services.clients.domain.phones import PhoneSuspicion
from services.clients.models import Client
from services.clients.queries import cards as queries
from services.clients.schemas.cards import ChangeClient, ChangeOwnCard, ClientBrief, CreateClient
from services.clients.settings import ClientsSettings
from shared.base.errors import Conflict, Invalid
from shared.identity.roles import Principal
from shared.messaging.outbox import publish
from shared.runtime.audit import audit

REQUIRED = ("kind", "full_name", "name_verified", "category", "time_zone", "manager_id")
"""Fields of a card that cannot be cleared."""


class PossibleDuplicate(Conflict):
    """The office has a card with this phone or e-mail."""

    code = "possible-duplicate"
    title = "Похожая карточка уже есть"


async def create_client(session: AsyncSession, body: CreateClient, *, caller: Principal, at: datetime) -> Client:
    """Create a card for an employee.

    Raises NotFound (office), Invalid (manager), PossibleDuplicate with the candidates.
    """
    office_id = office_of(caller, body.office_id)
    office = await queries.get_office(session, office_id)
    if body.manager_id is not None:
        await check_managers(session, office_id, body.manager_id)
    if not body.allow_duplicate:
        await _offer_duplicates(session, office_id, phone=body.phone, email=body.email)
    client = Client(
        office_id=office_id,
        kind=body.kind,
        category=body.category or DEFAULT_CATEGORIES[body.kind],
        group=body.group or DEFAULT_GROUPS[body.kind],
        buyer_group=body.buyer_group,
        organization_name=body.organization_name,
        full_name=body.full_name,
        name_verified=body.name_verified,
        phone=body.phone,
        email=body.email,
        region=body.region,
        city=body.city or office.city,
        time_zone=body.time_zone or office.time_zone,
        manager_id=body.manager_id or await next_manager(session, office_id, at=at),
        source=body.source,
        description=body.description,
        registered_at=at,
    )
    session.add(client)
    await session.flush()
    await give_consents(session, client, body.consents, recorded_by=caller.id, at=at)
    await contacts.evaluate_phone(session, client, at)
    await session.flush()
    await publish(session, client.registered(), *contacts.contact_events(client, requested_before=None, at=at))
    await audit(session, "client.created", subject=f"client/{client.client_id}", office_id=office_id)
    return client


async def change_client(
    session: AsyncSession, client: Client, body: ChangeClient, *, settings: ClientsSettings, at: datetime
) -> Client:
    """Change a card for an employee.  Raises Invalid.

    A name that an employee writes counts as verified (CL-05) unless the request says otherwise.
    """
    changes = body.model_dump(exclude_unset=True)
    for field in REQUIRED:
        if field in changes and changes[field] is None:
            raise Invalid("Это поле нельзя очистить.", field=field)
    if "manager_id" in changes and changes["manager_id"] != client.manager_id:
        await check_managers(session, client.office_id, changes["manager_id"])
    if "full_name" in changes:
        changes.setdefault("name_verified", True)
    await _apply(session, client, changes, settings, at)
    return client


async def change_own_card(
    session: AsyncSession, client: Client, body: ChangeOwnCard, *, settings: ClientsSettings, at: datetime
) -> Client:
    """Change the fields that are the client's own; a new name is unverified again (CL-05)."""
    changes = body.model_dump(exclude_unset=True)
    for field in ("full_name", "phone", "time_zone"):
        if field in changes and changes[field] is None:
            raise Invalid("Это поле нельзя очистить.", field=field)
    if changes.get("full_name", client.full_name) != client.full_name:
        changes["name_verified"] = False
    await _apply(session, client, changes, settings, at)
    return client


async def disable_client(session: AsyncSession, client: Client, comment: str, *, at: datetime) -> Client:
    """Refuse sign-in and end open sessions.  Raises Conflict when the card is disabled already."""
    if not client.active:
        raise Conflict("Учётная запись уже отключена.")
    client.disable(DisabledReason.STAFF, at)
    client.description = f"{client.description}\n{comment}" if client.description else comment
    await access.close(session, client)
    await session.flush()
    await publish(session, client.changed(at))
    await audit(
        session,
        "client.disabled",
        subject=f"client/{client.client_id}",
        office_id=client.office_id,
        details={"reason": DisabledReason.STAFF.value},
    )
    return client


async def enable_client(session: AsyncSession, client: Client, *, at: datetime) -> Client:
    """Open the account for a senior, also without a better phone.  Raises Conflict when the card is active."""
    if client.active:
        raise Conflict("Учётная запись не отключена.")
    requested_before = client.contacts_requested_at
    client.enable()
    client.contacts_requested_at = client.contacts_due_at = None
    await access.open_again(session, client)
    await session.flush()
    await publish(
        session, client.changed(at), *contacts.contact_events(client, requested_before=requested_before, at=at)
    )
    await audit(session, "client.enabled", subject=f"client/{client.client_id}", office_id=client.office_id)
    return client


async def _apply(
    session: AsyncSession, client: Client, changes: dict[str, Any], settings: ClientsSettings, at: datetime
) -> None:
    changed = {field for field, value in changes.items() if getattr(client, field) != value}
    for field in changed:
        setattr(client, field, changes[field])
    if not changed:
        return
    requested_before = client.contacts_requested_at
    if "phone" in changed:
        await contacts.evaluate_phone(session, client, at)
    elif "email" in changed and client.phone_suspicion is not None:
        await contacts.flag_phone(session, client, PhoneSuspicion(client.phone_suspicion), at)
    if "full_name" in changed:
        await access.rename(session, client)
    if "email" in changed:
        client.email_confirmed_at = None
    await session.flush()
    await publish(
        session, client.changed(at), *contacts.contact_events(client, requested_before=requested_before, at=at)
    )
    if "email" in changed and client.email is not None and client.login is not None:
        await confirmation.request_confirmation(session, client, settings=settings, at=at)
    await audit(
        session,
        "client.changed",
        subject=f"client/{client.client_id}",
        office_id=client.office_id,
        details={"fields": sorted(changed)},
    )


async def _offer_duplicates(session: AsyncSession, office_id: UUID, *, phone: str | None, email: str | None) -> None:
    alike = await queries.duplicates(session, office_id, phone=phone, email=email)
    if alike:
        raise PossibleDuplicate(
            "В офисе уже есть карточка с таким телефоном или e-mail. Выберите её или подтвердите, что клиент другой.",
            duplicates=[ClientBrief.model_validate(client).model_dump(mode="json") for client in alike],
            in_other_offices=await queries.exists_in_other_office(session, office_id, phone=phone, email=email),
        )


def office_of(caller: Principal, asked: UUID | None) -> UUID:
    """Return the office that a caller acts for.  Raises Invalid."""
    if caller.office_id is None:
        if asked is None:
            raise Invalid("Укажите офис, которому принадлежит клиент.", field="office_id")
        return asked
    if asked not in (None, caller.office_id):
        raise Invalid("Сотрудник заводит клиентов только в своём офисе.", field="office_id")
    return caller.office_id
