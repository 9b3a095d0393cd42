"""Retries from the service's own database, and parking (dead letters) of what cannot be applied.

A failing message never blocks its queue: it is recorded here with its bytes and acknowledged; the retry loop delivers
it again.  Parked messages wait for a person.  Attempts are counted before they are made, so that a message which
crashes its process is counted too.
"""

import random
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, Row, case, cast, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base import fault_points
from shared.messaging.delivery import Delivery
from shared.persistence.database import Database, new_id
from shared.persistence.tables import failed_message as table

RETRY_DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
)
"""Pauses after the first, second, … failure; after the last one the message is parked."""
CRASH_ATTEMPTS = 5
"""A message redelivered this many times without an outcome is taken to crash its process: it is parked.

In 500 kills from outside, one message was being handled at most three times in a row.
"""
RETRY_LEASE = timedelta(minutes=2)
"""Lease of a claimed message; afterwards another replica may claim it."""
BATCH = 50
MAX_ERRORS_PER_BATCH = 3
"""After so many errors in a batch the database is taken to be unavailable."""


async def begin_attempt(database: Database, service: str, delivery: Delivery, attempts_to_uncount: int = 0) -> bool:
    """Count a redelivery before it is handled; return whether it is parked, or waits for a retry already.

    Earlier attempts of this process that ended without an outcome, `attempts_to_uncount`, are uncounted first.
    """
    async with database.worker() as session:
        first = insert(table).values(**_row(service, delivery), state="delivering", attempts=1)
        attempts = func.greatest(table.c.attempts - attempts_to_uncount, 0) + 1
        parked = attempts >= CRASH_ATTEMPTS
        open_attempt = table.c.state == "delivering"
        statement = first.on_conflict_do_update(
            index_elements=["consumer", "event_id"],
            set_={
                "attempts": attempts,
                "state": case((parked, "parked"), else_="delivering"),
                "parked_at": case((parked, func.now()), else_=None),
                "error": case(
                    (parked, f"redelivered {CRASH_ATTEMPTS} times without an outcome: it crashes the process"), else_=""
                ),
            },
            where=open_attempt,
        ).returning(table.c.state)
        state = (await session.execute(statement)).scalar_one_or_none()
        if state is None:
            current = select(table.c.state).where(table.c.consumer == service, table.c.event_id == delivery.event_id)
            return (await session.execute(current)).scalar_one() in ("retrying", "parked")
        return bool(state == "parked")


async def uncount_attempts(database: Database, service: str, attempts_to_uncount: Mapping[UUID, int]) -> None:
    """Uncount attempts without an outcome in a process that is still alive: the connection failed, not the message."""
    async with database.worker() as session:
        for event_id, times in attempts_to_uncount.items():
            begun = (table.c.consumer == service) & (table.c.event_id == event_id) & (table.c.state == "delivering")
            attempts = func.greatest(table.c.attempts - times, 0)
            await session.execute(update(table).where(begun).values(attempts=attempts))


async def record(database: Database, service: str, delivery: Delivery, error: Exception) -> str:
    """Store a failure and the time of the next attempt; return the new state, `retrying` or `parked`."""
    text = "".join(traceback.format_exception(error))[-8000:].replace("\x00", "")
    async with database.worker() as session:
        previous = select(table.c.attempts, table.c.state).where(
            table.c.consumer == service, table.c.event_id == delivery.event_id
        )
        row = (await session.execute(previous.with_for_update())).one_or_none()
        attempts = row.attempts if row is not None and row.state == "retrying" else 0
        if not attempts or not delivery.headers.get("x-retry"):
            attempts += 1  # The retry loop has counted its attempt before delivering.
        values: dict[str, Any] = {"attempts": attempts, "error": text, "state": "parked", "next_attempt_at": None}
        if attempts <= len(RETRY_DELAYS):
            delay = RETRY_DELAYS[attempts - 1] * random.uniform(0.8, 1.2)
            values |= {"state": "retrying", "next_attempt_at": func.now() + cast(literal(delay), Interval)}
        else:
            values["parked_at"] = func.now()
        await _upsert(session, service, delivery, values)
    return str(values["state"])


async def park(database: Database, service: str, delivery: Delivery, error: str) -> None:
    """Store the message as parked: it is not retried until a person replays it."""
    async with database.worker() as session:
        values = {"state": "parked", "error": error.replace("\x00", ""), "parked_at": func.now()}
        await _upsert(session, service, delivery, values | {"next_attempt_at": None})


async def resolve(session: AsyncSession, service: str, event_id: UUID) -> None:
    """Record that this transaction applies the event after all.

    The row is deleted; that of a parked and replayed message stays as history.
    """
    mine = (table.c.consumer == service) & (table.c.event_id == event_id)
    await session.execute(delete(table).where(mine, table.c.state.in_(("delivering", "retrying")), ~_was_parked()))
    await session.execute(
        update(table).where(mine, _was_parked()).values(state="resolved", resolved_at=func.now(), next_attempt_at=None)
    )


def _was_parked() -> Any:
    return table.c.parked_at.is_not(None)


async def retry_due(database: Database, deliver: Callable[[Delivery], Awaitable[None]]) -> int:
    """Claim and deliver one batch of due messages; return how many were claimed.

    The claim postpones the next attempt by a lease, so that another replica, or this one after a crash, takes the
    message again only afterwards.  An attempt is counted before it is made, so a message that crashes its process is
    eventually parked; messages with fewer attempts come first.  Raises the first error, after the other messages were
    tried.
    """
    due = (
        select(table.c.id)
        .where(table.c.state == "retrying", table.c.next_attempt_at <= func.now())
        .order_by(table.c.next_attempt_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    async with database.worker() as session:
        claim = (
            update(table)
            .where(table.c.id.in_(due.scalar_subquery()))
            .values(next_attempt_at=func.now() + RETRY_LEASE)
            .returning(table)
        )
        rows = (await session.execute(claim)).all()
    if rows:
        fault_points.reach("retry.claimed")
    broken: list[Exception] = []
    for row in sorted(rows, key=lambda row: int(row.attempts)):
        try:
            await _retry(database, row, deliver)
        except Exception as error:
            # The database is unavailable, or cut this one connection: the others need not wait for the lease's end.
            broken.append(error)
            if len(broken) == MAX_ERRORS_PER_BATCH:
                break
    if broken:
        raise broken[0]
    return len(rows)


async def _retry(database: Database, row: Row[Any], deliver: Callable[[Delivery], Awaitable[None]]) -> None:
    delivery = Delivery(row.type, bytes(row.body), {**row.headers, "x-retry": "1"}, message_id=str(row.event_id))
    attempts = await _count_attempt(database, row.id)
    fault_points.reach("retry.counted")
    if attempts > len(RETRY_DELAYS) + 1:
        await park(database, row.consumer, delivery, f"no outcome of the last attempt; before it: {row.error}")
    else:
        await deliver(delivery)


async def _count_attempt(database: Database, failure_id: UUID) -> int:
    async with database.worker() as session:
        counted = update(table).where(table.c.id == failure_id).values(attempts=table.c.attempts + 1)
        return await session.scalar(counted.returning(table.c.attempts)) or 0


async def _upsert(session: AsyncSession, service: str, delivery: Delivery, values: dict[str, Any]) -> None:
    statement = insert(table).values(**_row(service, delivery), **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["consumer", "event_id"], set_=values))


def _row(service: str, delivery: Delivery) -> dict[str, Any]:
    headers = {
        str(name): delivery.header(name).replace("\x00", "") for name in delivery.headers if not name.startswith("x-")
    }
    return {
        "id": new_id(),
        "consumer": service,
        "event_id": delivery.event_id,
        "type": delivery.type,
        "body": delivery.body,
        "headers": headers,
    }
