"""Logins of clients (CL-08, CL-16): the card decides, the account of the kernel follows."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.commands import confirmation
from services.clients.models import Client
from services.clients.settings import ClientsSettings
from shared.base.errors import Conflict, Invalid
from shared.identity import accounts
from shared.identity.roles import Principal, Role
from shared.messaging.outbox import publish
from shared.persistence.tables import account
from shared.runtime.audit import audit


class LoginExists(Conflict):
    """The client has a login already."""

    code = "login-exists"
    title = "У клиента уже есть логин"


class WrongPassword(Invalid):
    """The current password does not match."""

    code = "wrong-password"
    title = "Неверный пароль"


def principal_of(client: Client) -> Principal:
    """Return the client as the owner of an account."""
    return Principal(client.client_id, Role.CLIENT, client.office_id, client.full_name)


async def create(session: AsyncSession, client: Client, login: str, password: str) -> None:
    """Create the account, closed until `login_opened_at` is set.

    Raises LoginTaken (409): a login is unique in the network.
    """
    await accounts.create_account(session, principal_of(client), login, password)
    client.login = accounts.normalize_login(login)
    if client.login_opened_at is None:
        await accounts.change_account(session, principal_of(client), active=False)


async def give_login(
    session: AsyncSession, client: Client, *, login: str | None, password: str, settings: ClientsSettings, at: datetime
) -> Client:
    """Give an offline client a login; the same card keeps its orders and vehicles (CL-16).

    Raises LoginExists, LoginTaken, Invalid without login and e-mail, Conflict for a disabled card.
    """
    if not client.active:
        raise Conflict("Учётная запись отключена, логин присвоить нельзя.")
    if client.login is not None:
        raise LoginExists(f"У клиента уже есть логин «{client.login}».")
    chosen = login or client.email
    if chosen is None:
        raise Invalid("Укажите логин: e-mail в карточке нет.", field="login")
    client.login_opened_at = at
    await create(session, client, chosen, password)
    if client.kind == "offline_retail":
        client.kind = "online"
    await session.flush()
    await publish(session, client.changed(at))
    if client.email is not None and client.email_confirmed_at is None:
        await confirmation.request_confirmation(session, client, settings=settings, at=at)
    await audit(session, "client.login_given", subject=f"client/{client.client_id}", office_id=client.office_id)
    return client


async def reset_password(session: AsyncSession, client: Client, password: str) -> None:
    """Set a password for the client and end all sessions.  Raises Conflict when there is no login."""
    if client.login is None:
        raise Conflict("У клиента нет логина.")
    await accounts.set_password(session, client.client_id, password)
    await audit(session, "client.password_reset", subject=f"client/{client.client_id}", office_id=client.office_id)


async def change_password(session: AsyncSession, client: Client, *, current: str, new: str) -> None:
    """Change the client's own password and end all sessions.  Raises WrongPassword."""
    if not await accounts.change_password(session, client.client_id, current, new):
        raise WrongPassword("Текущий пароль введён неверно.", field="current_password")
    await audit(session, "client.password_changed", subject=f"client/{client.client_id}", office_id=client.office_id)


async def close(session: AsyncSession, client: Client) -> None:
    """Refuse sign-in; every token of the client is void within a minute."""
    if client.login is not None:
        await accounts.change_account(session, principal_of(client), active=False)


async def open_again(session: AsyncSession, client: Client) -> None:
    """Allow sign-in again, if the login was ever confirmed."""
    if client.login is not None:
        await accounts.change_account(session, principal_of(client), active=client.login_opened_at is not None)


async def rename(session: AsyncSession, client: Client) -> None:
    """Store a corrected name in the account; the client's sessions go on."""
    await session.execute(update(account).where(account.c.id == client.client_id).values(name=client.full_name))
