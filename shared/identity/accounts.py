"""Accounts of the people a service signs in: passwords, refresh tokens, revocations."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base.errors import Conflict
from shared.identity.passwords import hash_password, verify_password
from shared.identity.roles import Principal, Role
from shared.identity.throttle import PER_ACCOUNT, FailedAttempts
from shared.identity.tokens import ACCESS_LIFETIME
from shared.persistence.database import new_id
from shared.persistence.tables import account, refresh_token, revocation

REFRESH_LIFETIME = timedelta(days=30)
_failed_attempts = FailedAttempts()


class LoginTaken(Conflict):
    """Another account has this login."""

    code = "login-taken"
    title = "Логин занят"


@dataclass(frozen=True)
class Grant:
    """A signed-in session: the principal, its family of refresh tokens, and the next refresh token."""

    principal: Principal
    family_id: UUID
    refresh_token: str


def normalize_login(login: str) -> str:
    """Return the login as it is stored and compared."""
    return login.strip().lower()


async def create_account(session: AsyncSession, principal: Principal, login: str, password: str) -> None:
    """Create an account.  Logins are network-wide and case-insensitive.  Raises LoginTaken."""
    values = {
        "id": principal.id,
        "login": normalize_login(login),
        "password_hash": await hash_password(password),
        "role": principal.role.value,
        "office_id": principal.office_id,
        "name": principal.name,
    }
    try:
        async with session.begin_nested():
            await session.execute(insert(account).values(**values))
    except IntegrityError as error:
        raise LoginTaken(f"Логин «{login}» уже занят, выберите другой.") from error


async def change_account(session: AsyncSession, principal: Principal, *, active: bool = True) -> None:
    """Change role, office, name or activity; tokens issued before become invalid everywhere within a minute."""
    await session.execute(
        update(account)
        .where(account.c.id == principal.id)
        .values(
            role=principal.role.value, office_id=principal.office_id, name=principal.name, active=1 if active else 0
        )
    )
    await revoke_tokens(session, principal.id)


async def set_password(session: AsyncSession, subject: UUID, password: str) -> None:
    """Set a new password and end all sessions of the account."""
    hashed = await hash_password(password)
    await session.execute(update(account).where(account.c.id == subject).values(password_hash=hashed))
    await revoke_tokens(session, subject)


async def change_password(session: AsyncSession, subject: UUID, current: str, new: str) -> bool:
    """Set a new password; return False when the current one is wrong, or was replaced while it was compared.

    Raises TooManyRequests: a stolen token must not allow guessing the password.
    """
    await _failed_attempts.check(PER_ACCOUNT, str(subject))
    own = select(account.c.password_hash).where(account.c.id == subject)
    stored = await session.scalar(own)
    if not await verify_password(current, stored) or await session.scalar(own.with_for_update()) != stored:
        await _failed_attempts.record(PER_ACCOUNT, str(subject))
        return False
    await set_password(session, subject, new)
    return True


async def revoke_tokens(session: AsyncSession, subject: UUID) -> None:
    """Revoke all tokens of an account.

    The account is locked first, as by everything that issues tokens, so tokens that are being issued are revoked too.
    """
    await session.execute(select(account.c.id).where(account.c.id == subject).with_for_update())
    await session.execute(delete(refresh_token).where(refresh_token.c.account_id == subject))
    moment = {"not_before": func.clock_timestamp()}
    await session.execute(
        upsert(revocation)
        .values(subject=subject, **moment)
        .on_conflict_do_update(index_elements=["subject"], set_=moment)
    )


async def recent_revocations(session: AsyncSession) -> list[tuple[UUID, float]]:
    """Return subjects and the moment (seconds since the epoch) before which their tokens are invalid.

    Older entries are left out: every access token of that time has expired.
    """
    recent = revocation.c.not_before > func.now() - ACCESS_LIFETIME * 2
    rows = await session.execute(select(revocation).where(recent))
    return [(row.subject, row.not_before.timestamp()) for row in rows]


async def sign_in(session: AsyncSession, login: str, password: str) -> Grant | None:
    """Verify a password; return None for a wrong login, a wrong password or a closed account, in the same time."""
    row = (await session.execute(select(account).where(account.c.login == normalize_login(login)))).one_or_none()
    valid = await verify_password(password, row.password_hash if row is not None else None)
    if row is None or not valid:
        return None
    # Verification takes time: meanwhile the password may have been changed or the account closed.
    now = await _lock_account(session, row.id)
    if now is None or not now.active or now.password_hash != row.password_hash:
        return None
    family = new_id()
    return Grant(_principal(now), family, await _issue_refresh_token(session, now.id, family))


async def refresh(session: AsyncSession, token: str) -> Grant | None:
    """Rotate a refresh token.  Reuse of an old one ends its whole family; the caller must let that commit."""
    digest = _digest(token)
    owner = await session.scalar(select(refresh_token.c.account_id).where(refresh_token.c.token_hash == digest))
    row = await _lock_account(session, owner) if owner is not None else None
    used = (
        await session.execute(
            update(refresh_token)
            .where(
                refresh_token.c.token_hash == digest,
                refresh_token.c.used_at.is_(None),
                refresh_token.c.expires_at > func.now(),
            )
            .values(used_at=func.now())
            .returning(refresh_token.c.family_id)
        )
    ).scalar_one_or_none()
    if used is None:
        family = await session.scalar(
            select(refresh_token.c.family_id).where(
                refresh_token.c.token_hash == digest, refresh_token.c.used_at.is_not(None)
            )
        )
        if family is not None:
            await end_family(session, family)
        return None
    if row is None or not row.active:
        return None
    return Grant(_principal(row), used, await _issue_refresh_token(session, row.id, used))


async def _lock_account(session: AsyncSession, subject: UUID) -> Row[Any] | None:
    """Return the account as it is now and lock it until this transaction ends."""
    return (await session.execute(select(account).where(account.c.id == subject).with_for_update())).one_or_none()


def _principal(row: Row[Any]) -> Principal:
    return Principal(row.id, Role(row.role), row.office_id, row.name)


async def end_family(session: AsyncSession, family_id: UUID) -> None:
    """Delete all refresh tokens of one sign-in."""
    await session.execute(delete(refresh_token).where(refresh_token.c.family_id == family_id))


async def _issue_refresh_token(session: AsyncSession, account_id: UUID, family_id: UUID) -> str:
    token = secrets.token_urlsafe(32)
    await session.execute(
        insert(refresh_token).values(
            token_hash=_digest(token),
            family_id=family_id,
            account_id=account_id,
            expires_at=func.now() + REFRESH_LIFETIME,
        )
    )
    return token


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
