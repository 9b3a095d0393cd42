"""Read client cards (CL-09, CL-10, CALL-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, column, exists, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.domain.search import LAST, wanted_beginnings
from services.clients.models import Call, Client, ClientWord, Office
from shared.base.errors import NotFound
from shared.contracts.clients import ClientKind

MAX_DUPLICATES = 20


async def get_client(session: AsyncSession, client_id: UUID, *, lock: bool = False) -> Client:
    """Return a card.  Raises NotFound, also for a client of another office."""
    query = select(Client).where(Client.client_id == client_id)
    client = await session.scalar(query.with_for_update() if lock else query)
    if client is None:
        raise NotFound("Клиент не найден.")
    return client


async def get_office(session: AsyncSession, office_id: UUID) -> Office:
    """Return an open office.  Raises NotFound, also for a closed one."""
    office = await session.get(Office, office_id)
    if office is None or not office.active:
        raise NotFound("Офис не найден или закрыт.")
    return office


def list_clients(
    *,
    search: str | None,
    office_id: UUID | None,
    manager_id: UUID | None,
    kind: ClientKind | None,
    category: str | None,
    group: str | None,
    rating: int | None,
    active: bool | None,
    phone_suspect: bool | None,
    contacts_requested: bool | None,
    registered_from: datetime | None,
    registered_until: datetime | None,
) -> Select[Client]:
    """Return the cards that match every given filter."""
    conditions: list[Any] = [true()]
    if search:
        conditions += _found_by(search)
    for field, wanted in (
        (Client.office_id, office_id),
        (Client.manager_id, manager_id),
        (Client.kind, kind),
        (Client.category, category),
        (Client.group, group),
        (Client.rating, rating),
    ):
        if wanted is not None:
            conditions.append(field == wanted)
    if active is not None:
        conditions.append(Client.active if active else ~Client.active)
    if phone_suspect is not None:
        conditions.append(Client.phone_suspicion.is_not(None) if phone_suspect else Client.phone_suspicion.is_(None))
    if contacts_requested is not None:
        asked_at = Client.contacts_requested_at
        conditions.append(asked_at.is_not(None) if contacts_requested else asked_at.is_(None))
    if registered_from is not None:
        conditions.append(Client.registered_at >= registered_from)
    if registered_until is not None:
        conditions.append(Client.registered_at < registered_until)
    return select(Client).where(*conditions)


def _found_by(text: str) -> list[ColumnElement[bool]]:
    """Match words of the name or the organisation, e-mail or login, the whole phone or its last digits."""
    wanted = wanted_beginnings(text)
    if not wanted:
        return [false()]
    return [
        Client.client_id.in_(
            select(ClientWord.client_id).where(
                or_(*(and_(ClientWord.word >= word, ClientWord.word < word + LAST) for word in sorted(beginnings)))
            )
        )
        for beginnings in wanted
    ]


def cold_list(*, office_id: UUID | None, manager_id: UUID | None, since: datetime, until: datetime) -> Select[Client]:
    """Return the cold list (CALL-04): who registered in the interval and has no order.

    It leaves out clients who did not consent to such calls and those who were reached about it.
    """
    asked = exists().where(
        Call.client_id == Client.client_id, Call.goals.contains(["cold_call"]), Call.outcome == "reached"
    )
    query = select(Client).where(
        Client.registered_at >= since,
        Client.registered_at < until,
        Client.first_order_at.is_(None),
        Client.active,
        Client.consents.contains(["calls"]),
        ~asked,
    )
    if office_id is not None:
        query = query.where(Client.office_id == office_id)
    if manager_id is not None:
        query = query.where(Client.manager_id == manager_id)
    return query


async def cards_with_phone(session: AsyncSession, phone: str, *, besides: UUID) -> int:
    """Count the active cards of the whole network that carry the number, without revealing them."""
    return await session.scalar(select(func.cards_with_phone(phone, besides))) or 0


async def exists_in_other_office(
    session: AsyncSession, office_id: UUID, *, phone: str | None, email: str | None
) -> bool:
    """Return whether another office has a card with this phone or e-mail, and nothing more of it."""
    return bool(await session.scalar(select(func.known_elsewhere(office_id, phone, email))))


async def duplicates(
    session: AsyncSession, office_id: UUID, *, phone: str | None, email: str | None, besides: UUID | None = None
) -> Sequence[Client]:
    """Return the cards of the office with the same phone or e-mail."""
    same = [field == value for field, value in ((Client.phone, phone), (Client.email, email)) if value is not None]
    if not same:
        return []
    query = select(Client).where(Client.office_id == office_id, or_(*same))
    if besides is not None:
        query = query.where(Client.client_id != besides)
    return (await session.scalars(query.order_by(Client.registered_at.desc()).limit(MAX_DUPLICATES))).all()


@dataclass(frozen=True, slots=True)
class ManagerContacts:
    """What a client may learn of the responsible manager."""

    full_name: str
    phone: str | None
    email: str


async def manager_of(session: AsyncSession, client: Client) -> ManagerContacts | None:
    """Return the responsible manager (CL-10), whom the client may see though clients see no other staff."""
    if client.manager_id is None:
        return None
    contacts = func.manager_contacts(client.manager_id).table_valued(
        column("full_name", Text), column("phone", Text), column("email", Text)
    )
    row = (await session.execute(select(contacts))).one()
    return ManagerContacts(row.full_name, row.phone, row.email) if row.full_name is not None else None


def courier_delivers(office: Office, client: Client) -> bool:
    """Return whether the office organises courier delivery in the client's city.

    CL-09, in part: the names of the cities are compared, there is no geolocation.
    """
    return bool(office.courier_delivery and client.city and client.city.lower() == office.city.lower())
