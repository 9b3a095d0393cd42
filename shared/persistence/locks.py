"""One at a time, by name, across transactions, processes and replicas."""

from sqlalchemy.ext.asyncio import AsyncSession

from shared.persistence.raw_sql import fetch


async def lock_until_commit(session: AsyncSession, *lock_keys: str) -> None:
    """Wait until no other transaction has taken any of the names, and keep them until this one ends.

    They are taken in the order of the alphabet, so two who want several cannot wait for each other in a circle.
    Statements after this one see what the transactions before have written.
    """
    statement = "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest($1::text[]) AS name"
    await fetch(session, statement, sorted(lock_keys))
