"""The audit log: who did what, as insert-only rows in the command's transaction, chained by hash afterwards.

The sealer chains the rows of each office separately and after their commits, so that commits of one office do not
queue behind each other.  Rows hold ids and codes, never personal data.
"""

import asyncio
import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, and_, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.identity.roles import Principal
from shared.messaging.context import correlation_id
from shared.persistence.database import Database
from shared.persistence.raw_sql import insert_rows
from shared.persistence.tables import audit_log, audit_seal

log = structlog.get_logger(__name__)

SEAL_BATCH = 1000
SEAL_SECONDS = 5.0
MAX_TRANSACTION_DURATION = timedelta(minutes=10)
"""Longer than any transaction: the database ends those that are idle, and every statement has a timeout."""
_SEALER_LOCK = 7_350_001


async def audit(
    session: AsyncSession,
    action: str,
    *,
    subject: str,
    office_id: UUID | None,
    details: dict[str, Any] | None = None,
) -> None:
    """Record an action of the session's caller; consumers and loops act as `service`."""
    await insert_rows(session, audit_log, [audit_row(session, action, subject, office_id, details)])


def audit_row(
    session: AsyncSession, action: str, subject: str, office_id: UUID | None, details: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the row of `audit`, for stores that insert it together with other tables' rows."""
    principal: Principal | None = session.info.get("principal")
    return {
        "actor_id": principal.id if principal else None,
        "actor_role": principal.role.value if principal else "service",
        "action": action,
        "subject": subject,
        "office_id": office_id,
        "details": details or {},
        "correlation_id": correlation_id.get(),
    }


async def seal(database: Database) -> int:
    """Chain what has been committed since the last call, one batch at most; return how many rows."""
    async with database.worker() as session:
        if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _SEALER_LOCK}):
            return 0
        watermark = await _sealed_watermark(session)
        unsealed = (
            select(audit_log)
            .outerjoin(audit_seal, and_(audit_seal.c.audit_id == audit_log.c.id, audit_seal.c.audit_id > watermark))
            .where(audit_log.c.id > watermark, audit_seal.c.audit_id.is_(None))
            .order_by(audit_log.c.id)
            .limit(SEAL_BATCH)
        )
        rows = (await session.execute(unsealed)).all()
        last_seals: dict[UUID | None, tuple[int, bytes]] = {}
        seals = []
        for row in rows:
            if row.office_id not in last_seals:
                last_seals[row.office_id] = await _last_seal(session, row.office_id)
            number, previous = last_seals[row.office_id]
            last_seals[row.office_id] = (number + 1, chain_hash(previous, row))
            seals.append(
                {
                    "audit_id": row.id,
                    "office_id": row.office_id,
                    "number": number + 1,
                    "hash": last_seals[row.office_id][1],
                }
            )
        if seals:
            await session.execute(insert(audit_seal), seals)
        return len(rows)


async def _sealed_watermark(session: AsyncSession) -> int:
    """Return the audit id below which no unsealed row can appear.

    Rows are sealed in the order of their ids, and every transaction that had taken a lower id when this row was
    written has ended.  Without the watermark every call would read the audit of all years.
    """
    settled = (
        select(audit_seal.c.audit_id)
        .join(audit_log, audit_log.c.id == audit_seal.c.audit_id)
        .where(audit_log.c.at < func.now() - MAX_TRANSACTION_DURATION)
    )
    return await session.scalar(settled.order_by(audit_seal.c.audit_id.desc()).limit(1)) or 0


async def verify(session: AsyncSession, office_id: UUID | None) -> int | None:
    """Return the first number of an office's chain that does not match its row, or None."""
    query = (
        select(audit_seal.c.number, audit_seal.c.hash, audit_log)
        .outerjoin(audit_log, audit_log.c.id == audit_seal.c.audit_id)
        .where(audit_seal.c.office_id.is_not_distinct_from(office_id))
        .order_by(audit_seal.c.number)
    )
    previous = b""
    expected = 1
    async for row in await session.stream(query):
        if row.number != expected or row.id is None or chain_hash(previous, row) != bytes(row.hash):
            return expected
        previous, expected = bytes(row.hash), expected + 1
    return None


def chain_hash(previous: bytes, row: Row[Any]) -> bytes:
    """Return the SHA-256 over the hash before it and every column of the row."""
    content = [
        row.id,
        row.at.isoformat(),
        str(row.actor_id),
        row.actor_role,
        row.action,
        row.subject,
        str(row.office_id),
        row.details,
        row.correlation_id,
    ]
    return hashlib.sha256(previous + json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).digest()


async def run_sealer(database: Database) -> None:
    """Seal until cancelled."""
    while True:
        try:
            while await seal(database) == SEAL_BATCH:
                pass
        except Exception as error:
            log.warning("sealing the audit failed", error=repr(error))
        await asyncio.sleep(SEAL_SECONDS)


async def _last_seal(session: AsyncSession, office_id: UUID | None) -> tuple[int, bytes]:
    last = (
        select(audit_seal.c.number, audit_seal.c.hash)
        .where(audit_seal.c.office_id.is_not_distinct_from(office_id))
        .order_by(audit_seal.c.number.desc())
        .limit(1)
    )
    row = (await session.execute(last)).one_or_none()
    return (row.number, bytes(row.hash)) if row is not None else (0, b"")
