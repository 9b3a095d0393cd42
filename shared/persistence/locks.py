"""Advisory locks by key, held until the transaction ends; they work across processes and replicas."""

from sqlalchemy.ext.asyncio import AsyncSession

from shared.persistence.raw_sql import fetch


async def lock_until_commit(session: AsyncSession, *lock_keys: str) -> None:
    """Lock the keys until the transaction ends.

    Keys are locked in sorted order, which prevents deadlocks.  Statements after this one see what earlier holders of
    the locks have committed.
    """
    statement = "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest($1::text[]) AS key"
    await fetch(session, statement, sorted(lock_keys))
