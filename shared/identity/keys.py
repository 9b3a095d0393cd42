"""The signing key of an issuer: generated once, kept in its database, shared by its replicas."""

from typing import Any

from joserfc.jwk import OKPKey
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.identity.tokens import generate_key
from shared.persistence.tables import signing_key as table

_LOCK = 7_350_004


async def ensure_key(session: AsyncSession) -> None:
    """Generate the first key; replicas that start together generate one."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if await session.scalar(select(table.c.kid).limit(1)) is None:
        key = generate_key()
        await session.execute(insert(table).values(kid=key.kid, private_jwk=key.as_dict(private=True)))


async def signing_key(session: AsyncSession) -> OKPKey:
    """Return the newest key."""
    query = select(table.c.private_jwk).order_by(table.c.created_at.desc()).limit(1)
    return OKPKey.import_key((await session.execute(query)).scalar_one())


async def public_keys(session: AsyncSession) -> list[dict[str, Any]]:
    """Return all keys without their private parts."""
    rows = await session.scalars(select(table.c.private_jwk).order_by(table.c.created_at))
    return [OKPKey.import_key(jwk).as_dict(private=False) for jwk in rows]
