"""Delete expired rows of the kernel's tables, in small batches.

The outbox is kept long enough to refill a wiped broker, and shorter than the inbox, so that a repeated event is always
recognised.
"""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import Table, delete, func, select
from sqlalchemy.sql.elements import ColumnElement

from shared.persistence.database import Database
from shared.persistence.tables import failed_message, idempotency_key, inbox, outbox, refresh_token

log = structlog.get_logger(__name__)

OUTBOX = timedelta(days=14)
INBOX = timedelta(days=90)
IDEMPOTENCY_KEYS = timedelta(days=7)
RESOLVED_FAILURES = timedelta(days=90)
REFRESH_TOKENS = timedelta(days=1)
"""After their expiry; until then the reuse of an old token still ends its family."""
BATCH = 5_000
PAUSE = timedelta(hours=1)


async def run_retention(database: Database, *, signs_in: bool) -> None:
    """Clean up every hour until cancelled."""
    while True:
        try:
            await clean_up(database, signs_in=signs_in)
        except Exception as error:
            log.warning("retention failed", error=repr(error))
        await asyncio.sleep(PAUSE.total_seconds())


async def clean_up(database: Database, *, signs_in: bool) -> None:
    """Delete everything that has expired; `signs_in` says that the service has accounts."""
    await _delete(database, outbox, outbox.c.confirmed_at < func.now() - OUTBOX)
    await _delete(database, inbox, inbox.c.processed_at < func.now() - INBOX)
    await _delete(database, idempotency_key, idempotency_key.c.created_at < func.now() - IDEMPOTENCY_KEYS)
    resolved = (failed_message.c.state == "resolved") & (failed_message.c.resolved_at < func.now() - RESOLVED_FAILURES)
    await _delete(database, failed_message, resolved)
    if signs_in:
        await _delete(database, refresh_token, refresh_token.c.expires_at < func.now() - REFRESH_TOKENS)


async def _delete(database: Database, table: Table, expired: ColumnElement[bool]) -> None:
    key = table.primary_key.columns.values()
    while True:
        async with database.worker() as session:
            batch = select(*key).where(expired).limit(BATCH).subquery()
            matches = [column == batch.c[column.name] for column in key]
            deleted = await session.execute(delete(table).where(*matches).returning(key[0]))
            if len(deleted.all()) < BATCH:
                return
