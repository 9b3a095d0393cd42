"""Refill a damaged or wiped broker from the outbox.

Each producer owns a durable queue `{service}.republish`.  A consumer that finds its own queue missing declares it
again and leaves a request there, with the time of its last successful check.  A producer that finds the request queue
itself missing concludes that the broker was wiped.  In both cases the rows confirmed since the last good check become
unconfirmed and are published again with their old ids; inboxes discard the repeats.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import ChannelNotFoundEntity
from pydantic import AwareDatetime, BaseModel, ValidationError
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base import metrics
from shared.base.timeouts import wait_at_most
from shared.messaging.topology import QueueKind, declare_exchanges, own_queue_arguments, republish_queue
from shared.persistence.database import Database
from shared.persistence.tables import topology_check

log = structlog.get_logger(__name__)

CLOCK_SKEW = timedelta(minutes=1)
"""Clocks differ, and a queue may have vanished a moment before a check that still saw it."""
MAX_REQUESTS = 100
BATCH = 5_000
"""Events that become unconfirmed in one transaction."""
BROKER_SECONDS = 10.0
"""Timeout of one answer of the broker."""


async def record_check(session: AsyncSession, queue: str, at: datetime | None = None) -> None:
    """Record that the queue was healthy at that moment, or is now."""
    statement = insert(topology_check).values(queue=queue, last_good_at=at or func.now())
    latest = func.greatest(topology_check.c.last_good_at, statement.excluded.last_good_at)
    await session.execute(statement.on_conflict_do_update(index_elements=["queue"], set_={"last_good_at": latest}))


async def last_good_check(session: AsyncSession, queue: str) -> datetime | None:
    """Return when the queue was last seen healthy; None when it has never been declared."""
    found = await session.execute(select(topology_check.c.last_good_at).where(topology_check.c.queue == queue))
    return found.scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class QueueState:
    """What RabbitMQ reports about a queue."""

    messages: int
    """Waiting, not counting those delivered and not yet acknowledged."""
    consumers: int


async def inspect_queue(connection: AbstractConnection, name: str) -> QueueState | None:
    """Return the state of a queue, or None when there is none; declares nothing."""
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


async def _ensure_queue(
    connection: AbstractConnection, channel: AbstractChannel, name: str, kind: QueueKind
) -> AbstractQueue:
    """Declare a queue of requests only where there is none: an older version's may have other arguments."""
    if await inspect_queue(connection, name) is None:
        return await channel.declare_queue(name, durable=True, arguments=own_queue_arguments(kind))
    return await channel.get_queue(name, ensure=False)


async def request_republish(
    connection: AbstractConnection, producer: str, types: Sequence[str], since: datetime, kind: QueueKind
) -> None:
    """Ask a producer to publish again what it has published of `types` since a moment."""
    channel = await connection.channel(publisher_confirms=True)
    try:
        name = republish_queue(producer)
        body = json.dumps({"types": list(types), "since": since.isoformat()}).encode()
        await _ensure_queue(connection, channel, name, kind)
        await channel.default_exchange.publish(
            aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT), routing_key=name
        )
    finally:
        await channel.close()


class RepublishRequest(BaseModel):
    """A request of a consumer."""

    types: list[str]
    since: AwareDatetime


async def serve_republish_requests(
    service: str, database: Database, connection: AbstractConnection, kind: QueueKind
) -> bool:
    """Detect a wiped broker and serve the requests of consumers; return whether anything is published again.

    Raises TimeoutError when the broker does not answer.  The outbox has no time limit: it depends on the request.
    """
    name = republish_queue(service)
    exists = await wait_at_most(BROKER_SECONDS, inspect_queue(connection, name)) is not None
    async with database.worker() as session:
        previous = await last_good_check(session, name)
    again = 0
    if not exists and previous is not None:
        again = await _unconfirm(database, None, previous)
        metrics.REPAIRED.labels(service, name).inc()
        log.warning("the broker was wiped, publishing again", service=service, since=previous.isoformat())
    channel, requests = await wait_at_most(BROKER_SECONDS, _take_requests(connection, name, kind))
    try:
        for request in requests:
            try:
                republish_request = RepublishRequest.model_validate_json(request.body)
            except ValidationError as error:
                log.error("a request to publish again cannot be read", service=service, error=str(error))
            else:
                count = await _unconfirm(database, republish_request.types, republish_request.since)
                log.warning("publishing again on request", service=service, types=republish_request.types, events=count)
                again += count
            await wait_at_most(BROKER_SECONDS, request.ack())
    finally:
        await wait_at_most(BROKER_SECONDS, channel.close())  # Unacknowledged requests return to the queue.
    async with database.worker() as session:
        await record_check(session, name)
    return again > 0


async def _take_requests(
    connection: AbstractConnection, name: str, kind: QueueKind
) -> tuple[AbstractChannel, Sequence[AbstractIncomingMessage]]:
    channel = await connection.channel()
    await declare_exchanges(channel, kind)
    queue = await _ensure_queue(connection, channel, name, kind)
    requests: list[AbstractIncomingMessage] = []
    while len(requests) < MAX_REQUESTS and (request := await queue.get(fail=False)) is not None:
        requests.append(request)
    return channel, requests


async def _unconfirm(database: Database, types: Sequence[str] | None, since: datetime) -> int:
    """Make events of `types`, or of all types, unconfirmed; return how many are published again.

    This includes rows that a relay has claimed: the broker may have confirmed and lost them before the relay marks
    them.  Events published again meanwhile are confirmed after `until`, so the loop ends.
    """
    [(until, count)] = await database.execute_autocommit(_RELEASE_LEASES, types)
    begin = since - CLOCK_SKEW
    while True:
        [(found, latest)] = await database.execute_autocommit(_UNCONFIRM, types, begin, until, BATCH)
        count += found
        if found < BATCH:
            return int(count)
        begin = latest


_OF_TYPES = "($1::text[] IS NULL OR type = ANY($1))"
_RELEASE_LEASES = (
    "WITH freed AS (UPDATE outbox SET lease = NULL, leased_until = NULL"
    f" WHERE confirmed_at IS NULL AND lease IS NOT NULL AND {_OF_TYPES} RETURNING 1)"
    " SELECT clock_timestamp(), (SELECT count(*) FROM freed)"
)
_UNCONFIRM = (
    f"WITH batch AS (SELECT id, confirmed_at FROM outbox WHERE confirmed_at BETWEEN $2 AND $3 AND {_OF_TYPES}"
    " ORDER BY confirmed_at LIMIT $4), again AS (UPDATE outbox SET confirmed_at = NULL, lease = NULL,"
    " leased_until = NULL FROM batch WHERE outbox.id = batch.id)"
    " SELECT count(*), max(confirmed_at) FROM batch"
)
