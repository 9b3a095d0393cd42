"""Filling a broker again from the outbox.

Each producer owns a durable queue `{service}.republish`.  A consumer that finds its own queue missing declares it
again and leaves a request there, saying since when it has not been sure.  A producer that finds the request queue
itself missing concludes that the broker was wiped.  In both cases the confirmed rows since the last good check become
unconfirmed and are published again with their old ids; inboxes absorb the repeats.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared import metrics
from shared.database import Database
from shared.messaging.tables import outbox, topology_check
from shared.messaging.topology import declare_exchanges, republish_queue

log = structlog.get_logger(__name__)

SLACK = timedelta(minutes=1)
"""Clocks differ, and a queue may have vanished a moment before a check that still saw it."""
MAX_REQUESTS = 100


async def remember_check(session: AsyncSession, queue: str) -> None:
    statement = insert(topology_check).values(queue=queue, last_good_at=func.now())
    await session.execute(statement.on_conflict_do_update(index_elements=["queue"], set_={"last_good_at": func.now()}))


async def last_good(session: AsyncSession, queue: str) -> datetime | None:
    """When the queue was last seen in order; None when it has never been declared."""
    found = await session.execute(select(topology_check.c.last_good_at).where(topology_check.c.queue == queue))
    return found.scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class QueueState:
    messages: int
    """Waiting, not counting those with a consumer."""
    consumers: int


async def inspect_queue(connection: AbstractConnection, name: str) -> QueueState | None:
    """A queue as it is, or None; declares nothing."""
    channel = await connection.channel()
    try:
        queue = await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity:
        return None
    finally:
        if not channel.is_closed:
            await channel.close()
    result = queue.declaration_result
    return QueueState(result.message_count or 0, result.consumer_count or 0)


async def ask(connection: AbstractConnection, producer: str, types: Sequence[str], since: datetime) -> None:
    """Leave a request with a producer: publish `types` again since a moment."""
    channel = await connection.channel(publisher_confirms=True)
    try:
        name = republish_queue(producer)
        body = json.dumps({"types": list(types), "since": since.isoformat()}).encode()
        await channel.declare_queue(name, durable=True)
        await channel.default_exchange.publish(
            aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT), routing_key=name
        )
    finally:
        await channel.close()


async def answer_requests(service: str, database: Database, connection: AbstractConnection) -> bool:
    """A producer's check: wiped broker, requests of consumers.  True when something is published again."""
    name = republish_queue(service)
    exists = await inspect_queue(connection, name) is not None
    again = False
    async with database.worker() as session:
        previous = await last_good(session, name)
        if not exists and previous is not None:
            again = await _unconfirm(session, None, previous) > 0 or again
            metrics.REPAIRED.labels(service, name).inc()
            log.warning("the broker was wiped, publishing again", service=service, since=previous.isoformat())
    channel = await connection.channel()
    try:
        await declare_exchanges(channel)
        queue = await channel.declare_queue(name, durable=True)
        for _ in range(MAX_REQUESTS):
            request = await queue.get(fail=False)
            if request is None:
                break
            wanted = json.loads(request.body)
            async with database.worker() as session:
                count = await _unconfirm(session, wanted["types"], datetime.fromisoformat(wanted["since"]))
            log.warning("publishing again on request", service=service, types=wanted["types"], events=count)
            again = again or count > 0
            await request.ack()
    finally:
        await channel.close()
    async with database.worker() as session:
        await remember_check(session, name)
    return again


async def _unconfirm(session: AsyncSession, types: Sequence[str] | None, since: datetime) -> int:
    """Also what a relay has in hand: the broker may have confirmed it and lost it before the relay marks it."""
    in_hand = outbox.c.confirmed_at.is_(None) & outbox.c.lease.is_not(None)
    statement = (
        update(outbox)
        .where((outbox.c.confirmed_at >= since - SLACK) | in_hand)
        .values(confirmed_at=None, lease=None, leased_until=None)
    )
    if types is not None:
        statement = statement.where(outbox.c.type.in_(types))
    rows = await session.execute(statement.returning(outbox.c.id))
    return len(rows.all())
