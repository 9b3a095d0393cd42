"""What the clock's loops ask the database for: steps and pauses whose time has come.

Paid for by `benchmarks/clock/firing.py`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.domain.obligation import COLUMNS, ObligationRecord
from shared.persistence.raw_sql import fetch

_CLAIM = f"""
    WITH due AS (
        SELECT {", ".join(COLUMNS)} FROM obligations WHERE next_at <= now()
        ORDER BY next_at, id LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    SELECT now() AS at,
        (SELECT extract(epoch FROM o.next_at - clock_timestamp())::float8 FROM obligations o
          WHERE o.next_at IS NOT NULL AND o.id NOT IN (SELECT id FROM due) ORDER BY o.next_at LIMIT 1) AS seconds,
        due.*
    FROM (SELECT) AS always LEFT JOIN due ON true ORDER BY due.next_at, due.id
"""
_EXPIRED = f"""
    SELECT now() AS at, {", ".join(COLUMNS)} FROM obligations
    WHERE paused_at IS NOT NULL AND (spans -> -1 ->> 'until')::timestamptz <= now()
    ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
"""
_NEXT_END = """
    SELECT extract(epoch FROM min((spans -> -1 ->> 'until')::timestamptz) - clock_timestamp())::float8 AS seconds
    FROM obligations WHERE paused_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class DueObligations:
    """Obligations whose next step is due, the oldest step first, locked against other replicas."""

    at: datetime
    """The start of the transaction by the database's clock."""
    obligations: list[ObligationRecord]
    seconds: float | None
    """Until the next step of the others, negative when it is due; None where no other has one."""


async def claim_due(session: AsyncSession, limit: int) -> DueObligations:
    """Lock and return up to `limit` obligations whose next step is due; rows locked elsewhere are skipped."""
    rows = await fetch(session, _CLAIM, limit)
    obligations = [ObligationRecord(*row[2:]) for row in rows if row["id"] is not None]
    return DueObligations(rows[0]["at"], obligations, rows[0]["seconds"])


async def claim_expired_pauses(session: AsyncSession, limit: int) -> list[tuple[datetime, ObligationRecord]]:
    """Lock and return up to `limit` obligations whose pause has reached its limit, each with the database's time."""
    rows = await fetch(session, _EXPIRED, limit)
    return [(row["at"], ObligationRecord(*row[1:])) for row in rows]


async def seconds_until_next_pause_ends(session: AsyncSession) -> float | None:
    """Return how long the first pause still lasts, negative when it is over; None while nothing is paused."""
    (row,) = await fetch(session, _NEXT_END)
    seconds: float | None = row["seconds"]
    return seconds
