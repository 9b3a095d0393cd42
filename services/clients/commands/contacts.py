"""Request contacts by e-mail when a phone is unusable, and disable the account when no answer comes (CL-06)."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.commands import access
from services.clients.domain.labels import DisabledReason
from services.clients.domain.phones import PhoneSuspicion, suspicion
from services.clients.models import Client, Policy
from services.clients.queries import cards as card_queries
from shared.base.errors import Conflict
from shared.contracts.base import Event
from shared.contracts.clients import ContactsCorrected, ContactsRequested
from shared.messaging.outbox import publish
from shared.runtime.audit import audit


class NoEmail(Conflict):
    """The request is mailed, and the card has no e-mail."""

    code = "client-without-email"
    title = "У клиента нет e-mail"


class ContactsAlreadyRequested(Conflict):
    """A request is open already."""

    code = "contacts-already-requested"
    title = "Контакты уже запрошены"


async def policy_at(session: AsyncSession, at: datetime) -> Policy:
    """Return the figures in force; the first migration brings the first version."""
    in_force = (
        select(Policy)
        .where(Policy.effective_from <= at)
        .order_by(Policy.effective_from.desc(), Policy.id.desc())
        .limit(1)
    )
    return (await session.scalars(in_force)).one()


async def evaluate_phone(session: AsyncSession, client: Client, at: datetime) -> None:
    """Accept the card's new phone or doubt it, and close or open the request for contacts.  The caller flushes.

    A usable phone also opens an account that was disabled for want of one.
    """
    policy = await policy_at(session, at)
    reason = None
    if client.phone is not None:
        others = await card_queries.cards_with_phone(session, client.phone, besides=client.client_id)
        reason = suspicion(client.phone, cards_with_number=others + 1, cards_allowed=policy.cards_per_phone)
    client.phone_suspicion = reason
    if reason is not None:
        if client.email is not None and client.contacts_requested_at is None and client.active:
            _open_request(client, policy, at)
    elif client.phone is not None:
        await accept_phone(session, client)


async def accept_phone(session: AsyncSession, client: Client) -> None:
    """Close the request for contacts of a client whose number is good, or who was reached on it.  The caller flushes.

    An account that was disabled for want of contacts is opened.
    """
    client.phone_suspicion = None
    client.contacts_requested_at = client.contacts_due_at = None
    if client.disabled_reason == DisabledReason.CONTACTS:
        client.enable()
        await access.open_again(session, client)
        await audit(session, "client.enabled", subject=f"client/{client.client_id}", office_id=client.office_id)


async def flag_phone(session: AsyncSession, client: Client, reason: PhoneSuspicion, at: datetime) -> None:
    """Mark the phone as wrong and request another where there is an e-mail.  The caller flushes."""
    client.phone_suspicion = reason
    if client.email is not None and client.contacts_requested_at is None and client.active:
        _open_request(client, await policy_at(session, at), at)


def contact_events(client: Client, *, requested_before: datetime | None, at: datetime) -> list[Event]:
    """Return the event by which the request for contacts was opened or closed, from the flushed state."""
    if client.contacts_requested_at == requested_before:
        return []
    if client.contacts_requested_at is None:
        return [
            ContactsCorrected(
                office_id=client.office_id, client_id=client.client_id, version=client.version, occurred_at=at
            )
        ]
    assert client.email is not None and client.contacts_due_at is not None
    return [
        ContactsRequested(
            office_id=client.office_id,
            client_id=client.client_id,
            version=client.version,
            occurred_at=at,
            full_name=client.full_name,
            email=client.email,
            disable_at=client.contacts_due_at,
        )
    ]


async def request_contacts(session: AsyncSession, client: Client, *, at: datetime) -> None:
    """Open the request for an employee who found the phone wrong.

    Raises NoEmail, ContactsAlreadyRequested, Conflict when the card is disabled.
    """
    if not client.active:
        raise Conflict("Учётная запись отключена, запрашивать контакты поздно.")
    if client.email is None:
        raise NoEmail("Просьба о контактах отправляется по e-mail, а в карточке его нет.")
    if client.contacts_requested_at is not None:
        raise ContactsAlreadyRequested("Письмо с просьбой о контактах уже отправлено, ответа ещё нет.")
    _open_request(client, await policy_at(session, at), at)
    if client.phone is not None:
        client.phone_suspicion = client.phone_suspicion or PhoneSuspicion.WRONG_NUMBER
    await session.flush()
    await publish(session, *contact_events(client, requested_before=None, at=at))
    await audit(
        session,
        "client.contacts_requested",
        subject=f"client/{client.client_id}",
        office_id=client.office_id,
        details={},
    )


async def disable_for_contacts(
    session: AsyncSession, client_id: UUID, *, obligation_opened_at: datetime, at: datetime
) -> bool:
    """Disable the account when the time for an answer is over; return whether it was disabled.

    The card as it is now decides: an answered or a later request is left alone.
    """
    client = await session.get(Client, client_id, with_for_update=True)
    if client is None or not client.active or client.contacts_requested_at is None:
        return False
    if obligation_opened_at < client.contacts_requested_at:
        # The obligation belongs to an earlier request, which the client has answered.
        return False
    client.disable(DisabledReason.CONTACTS, at)
    await access.close(session, client)
    await session.flush()
    await publish(session, client.changed(at))
    await audit(
        session,
        "client.disabled",
        subject=f"client/{client.client_id}",
        office_id=client.office_id,
        details={"reason": DisabledReason.CONTACTS.value},
    )
    return True


def _open_request(client: Client, policy: Policy, at: datetime) -> None:
    client.contacts_requested_at = at
    unit = timedelta(hours=1) if policy.unit == "calendar_hours" else timedelta(seconds=1)
    client.contacts_due_at = at + policy.answer_within * unit
