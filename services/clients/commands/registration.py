"""Registration on the site (CL-07, CALL-01)."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.commands import access, confirmation, contacts
from services.clients.commands.consents import give_consents
from services.clients.commands.managers import next_manager
from services.clients.domain.labels import DEFAULT_CATEGORIES, DEFAULT_GROUPS
from services.clients.models import Client
from services.clients.queries.cards import get_office
from services.clients.schemas.cards import RegisterClient
from services.clients.settings import ClientsSettings
from shared.base.errors import Invalid
from shared.messaging.outbox import publish
from shared.runtime.audit import audit


async def register(session: AsyncSession, body: RegisterClient, *, settings: ClientsSettings, at: datetime) -> Client:
    """Create an online client whose login opens when the e-mail is confirmed.

    The event opens the obligation of the first call (CALL-01).

    Raises NotFound (office), Invalid (consent), LoginTaken.
    """
    if "service" not in body.consents:
        raise Invalid("Без согласия на обработку персональных данных зарегистрироваться нельзя.", field="consents")
    office = await get_office(session, body.office_id)
    client = Client(
        office_id=office.id,
        kind="online",
        category=DEFAULT_CATEGORIES["online"],
        group=DEFAULT_GROUPS["online"],
        organization_name=body.organization_name,
        full_name=body.full_name,
        phone=body.phone,
        email=body.email,
        region=body.region,
        city=body.city or office.city,
        time_zone=office.time_zone,
        source=body.source,
        registered_at=at,
    )
    session.add(client)
    await session.flush()
    await access.create(session, client, body.login or body.email, body.password)
    # After the slow hash, since the manager's row stays locked until the end.
    client.manager_id = await next_manager(session, office.id, at=at)
    await give_consents(session, client, body.consents, recorded_by=None, at=at)
    await contacts.evaluate_phone(session, client, at)
    await session.flush()
    await publish(session, client.registered(), *contacts.contact_events(client, requested_before=None, at=at))
    await confirmation.request_confirmation(session, client, settings=settings, at=at)
    await audit(session, "client.registered", subject=f"client/{client.client_id}", office_id=office.id)
    return client
