"""Confirm an e-mail by a link that the notifier mails (CL-07)."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.models import Client, EmailConfirmation
from services.clients.settings import ClientsSettings
from shared.base.errors import BusinessError
from shared.contracts.clients import EmailConfirmationRequested
from shared.identity import accounts
from shared.identity.roles import Principal, Role
from shared.messaging.outbox import publish
from shared.runtime.audit import audit

PAUSE = timedelta(minutes=1)
"""Between two letters to one client, however often they are requested."""
MAX_RESENT_LETTERS = 3
"""Letters sent by one request, where several cards have the same e-mail."""


class ConfirmationInvalid(BusinessError):
    """The link is unknown, expired, or belongs to a former e-mail."""

    status = 422
    code = "confirmation-invalid"
    title = "Ссылка не действует"


async def request_confirmation(
    session: AsyncSession, client: Client, *, settings: ClientsSettings, at: datetime
) -> None:
    """Store a token and publish its link.  The client has an e-mail and is flushed."""
    assert client.email is not None
    token = secrets.token_urlsafe(32)
    expires_at = at + timedelta(hours=settings.confirmation_hours)
    session.add(
        EmailConfirmation(
            office_id=client.office_id,
            client_id=client.client_id,
            email=client.email,
            token_hash=_hash(token),
            requested_at=at,
            expires_at=expires_at,
        )
    )
    await publish(
        session,
        EmailConfirmationRequested(
            office_id=client.office_id,
            client_id=client.client_id,
            version=client.version,
            occurred_at=at,
            full_name=client.full_name,
            email=client.email,
            confirmation_url=f"{settings.public_url.rstrip('/')}/confirm-email?token={token}",
            expires_at=expires_at,
        ),
    )


async def confirm_email(session: AsyncSession, token: str, *, at: datetime) -> Client:
    """Confirm the e-mail and open the login.

    A second click on the same link is answered like the first.  Raises ConfirmationInvalid.
    """
    mailed = await session.scalar(
        select(EmailConfirmation).where(EmailConfirmation.token_hash == _hash(token)).with_for_update()
    )
    client = await session.get(Client, mailed.client_id, with_for_update=True) if mailed is not None else None
    if mailed is None or client is None or client.email != mailed.email:
        raise ConfirmationInvalid("Ссылка неверна или e-mail с тех пор изменён. Запросите новое письмо.")
    if mailed.used_at is not None:
        return client
    if mailed.expires_at < at:
        raise ConfirmationInvalid("Срок действия ссылки истёк. Запросите новое письмо.")
    mailed.used_at = client.email_confirmed_at = at
    if client.login is not None and client.login_opened_at is None:
        client.login_opened_at = at
        owner = Principal(client.client_id, Role.CLIENT, client.office_id, client.full_name)
        await accounts.change_account(session, owner, active=client.active)
    await session.flush()
    await publish(session, client.changed(at))
    await audit(session, "client.email_confirmed", subject=f"client/{client.client_id}", office_id=client.office_id)
    return client


async def repeat_confirmation(session: AsyncSession, known: str, *, settings: ClientsSettings, at: datetime) -> None:
    """Mail the link again, if such a login or e-mail is not confirmed; the caller gets the same answer either way."""
    known = accounts.normalize_login(known)
    asked = or_(Client.login == known, Client.email == known)
    waiting = and_(Client.login.is_not(None), Client.email.is_not(None), Client.email_confirmed_at.is_(None))
    found = (
        select(Client).where(asked, waiting, Client.active).order_by(Client.client_id.desc()).limit(MAX_RESENT_LETTERS)
    )
    for client in await session.scalars(found.with_for_update()):
        await _repeat(session, client, settings, at)


async def _repeat(session: AsyncSession, client: Client, settings: ClientsSettings, at: datetime) -> None:
    last = await session.scalar(
        select(EmailConfirmation.requested_at)
        .where(EmailConfirmation.client_id == client.client_id)
        .order_by(EmailConfirmation.requested_at.desc())
        .limit(1)
    )
    if last is None or at - last >= PAUSE:
        await request_confirmation(session, client, settings=settings, at=at)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
