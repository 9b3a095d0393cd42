"""Move committed outbox rows to RabbitMQ, at least once.

One statement claims rows with a lease.  They are published outside of any transaction.  A second statement marks what
the broker confirmed, by the lease's token.  A relay that was stopped past its lease finds its token replaced and
changes nothing.  A broker outage uses up no attempts.  After a timeout the outcome is unknown: the row is sent again
with the same message id.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import aio_pika
import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import AMQPException, ChannelNotFoundEntity

from shared.base import fault_points, metrics
from shared.base.timeouts import wait_at_most
from shared.messaging.republish import serve_republish_requests
from shared.messaging.topology import QueueKind, declare_exchanges
from shared.persistence.database import Database
from shared.persistence.listener import Wakeup

log = structlog.get_logger(__name__)

BATCH = 500
PUBLISH_TIMEOUT = 10.0
MAX_BATCHES_IN_FLIGHT = 2
FIRST_PAUSE, MAX_PAUSE = 0.2, 5.0
"""Seconds after a failure; the pause doubles until a batch succeeds."""
POLL_SECONDS = 5.0
"""Fallback for a missed notification."""
DRAIN_SECONDS = 5.0

_CLAIM = (
    "UPDATE outbox SET lease = $1, leased_until = now() + $2::interval WHERE id IN ("
    "SELECT id FROM outbox WHERE confirmed_at IS NULL AND (leased_until IS NULL OR leased_until < now())"
    " ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)"
    " RETURNING id, event_id, type, subject, office_id, body, headers, created_at"
)
_OWN_LEASE = "WHERE id = ANY($1::bigint[]) AND lease = $2"
_CONFIRM = (
    f"UPDATE outbox SET confirmed_at = clock_timestamp(), lease = NULL, leased_until = NULL {_OWN_LEASE} RETURNING id"
)
_RELEASE_LEASE = f"UPDATE outbox SET lease = NULL, leased_until = NULL {_OWN_LEASE}"


class OutboxRow(NamedTuple):
    """A row of the outbox."""

    id: int
    event_id: UUID
    type: str
    subject: str
    office_id: UUID | None
    body: bytes
    headers: Mapping[str, str]
    created_at: datetime


class Relay:
    """The relay of one service in one process; several replicas share the work."""

    def __init__(
        self,
        service: str,
        database: Database,
        amqp_url: str,
        wakeup: Wakeup,
        *,
        queue_kind: QueueKind = "classic",
        lease_seconds: float = 30.0,
        check_seconds: float = 15.0,
    ) -> None:
        self._service = service
        self._database = database
        self._amqp_url = amqp_url
        self._wakeup = wakeup
        self._kind = queue_kind
        self._lease = timedelta(seconds=lease_seconds)
        self._check_seconds = check_seconds
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None
        self._checked_at = 0.0
        self._in_flight: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._pause = FIRST_PAUSE
        self._batch = BATCH

    async def run(self) -> None:
        """Relay until cancelled, then finish the batches in flight."""
        try:
            while True:
                try:
                    await self._connect()
                    await self._check_topology()
                    await self._start_batch()
                except (AMQPException, OSError, TimeoutError, asyncio.InvalidStateError, RuntimeError) as error:
                    log.warning("broker unavailable", service=self._service, error=repr(error))
                    await self.disconnect()  # Batches in flight fail now and release their rows, instead of waiting.
                    await self._drain()
                    await self._back_off()
                    continue
                except Exception as error:
                    # The database is unavailable; the rows wait in it.
                    log.warning("relay failed", service=self._service, error=repr(error))
                    await self._drain()
                    await self._back_off()
                    continue
                await self._wakeup.wait(min(POLL_SECONDS, self._check_seconds))
        finally:
            await self._drain()
            await self.disconnect()

    async def _start_batch(self) -> None:
        """Start a batch as soon as fewer than `MAX_BATCHES_IN_FLIGHT` are in flight.

        Rows committed while one batch is being published need not wait for its confirms.  With a backlog, one batch
        waits for the database while another is published.  Raises the error of an earlier batch.
        """
        while len(self._in_flight) >= MAX_BATCHES_IN_FLIGHT:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        task = asyncio.create_task(self.relay_batch())
        self._in_flight.add(task)
        task.add_done_callback(self._on_batch_done)

    def _on_batch_done(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._pause = FIRST_PAUSE
        else:
            self._failure = error
            self._wakeup.set()

    async def _back_off(self) -> None:
        await asyncio.sleep(self._pause * random.uniform(0.5, 1.5))
        self._pause = min(self._pause * 2, MAX_PAUSE)

    async def _drain(self) -> None:
        """Wait for the batches in flight; their errors have been handled already."""
        if self._in_flight:
            _, late = await asyncio.wait(self._in_flight, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._failure = None

    async def relay_batch(self) -> None:
        """Publish one batch; a full batch starts the next one without waiting.

        When a batch outlives its lease, its rows pass to another relay and are sent again.  The next batches are
        smaller, until they fit into a lease, however slow the broker is.
        """
        lease, limit = uuid4(), self._batch
        rows = await self._claim(lease, limit)
        if not rows:
            return
        if len(rows) == limit:
            self._wakeup.set()
        fault_points.reach("relay.claimed")
        outcomes = await asyncio.gather(*(self._publish(row) for row in rows), return_exceptions=True)
        fault_points.reach("relay.published")
        confirmed = [row.id for row, outcome in zip(rows, outcomes, strict=True) if outcome is None]
        failed = [row.id for row, outcome in zip(rows, outcomes, strict=True) if outcome is not None]
        marked = await self._record_outcomes(lease, confirmed, failed)
        self._batch = min(BATCH, limit * 2) if marked == len(confirmed) else max(1, len(rows) // 2)
        fault_points.reach("relay.confirmed")
        now, lag = time.time(), metrics.PUBLISH_LAG.labels(self._service)
        for row in rows:
            lag.observe(max(0.0, now - row.created_at.timestamp()))
        metrics.PUBLISHED.labels(self._service).inc(len(confirmed))
        for outcome in outcomes:
            if isinstance(outcome, asyncio.CancelledError):
                # aiormq cancels its pending calls when its connection ends; this task was not cancelled.
                raise ConnectionError("publishing was broken off") from outcome
            if isinstance(outcome, BaseException):
                raise outcome

    async def _claim(self, lease: UUID, limit: int) -> list[OutboxRow]:
        rows = await self._database.execute_autocommit(_CLAIM, lease, self._lease, limit)
        return sorted((OutboxRow(*row) for row in rows), key=lambda row: row.id)

    async def _record_outcomes(self, lease: UUID, confirmed: list[int], failed: list[int]) -> int:
        """Mark what the broker confirmed and release the rest; rows under another lease stay unchanged.

        Return how many were marked.
        """
        if failed:
            await self._database.execute_autocommit(_RELEASE_LEASE, failed, lease)
        return len(await self._database.execute_autocommit(_CONFIRM, confirmed, lease)) if confirmed else 0

    async def _publish(self, row: OutboxRow) -> None:
        if self._exchange is None:
            raise ConnectionError("the connection to the broker has ended")
        headers = {name: value for name, value in row.headers.items() if value and name != "time"}
        message = Message(
            row.body,
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=str(row.event_id),
            type=row.type,
            correlation_id=row.headers.get("correlation-id") or None,
            timestamp=row.created_at,
            headers={
                **headers,
                "cloudEvents:specversion": "1.0",
                "cloudEvents:id": str(row.event_id),
                "cloudEvents:source": f"/{self._service}",
                "cloudEvents:type": row.type,
                "cloudEvents:subject": row.subject,
                "cloudEvents:time": row.headers["time"],
                "office-id": str(row.office_id) if row.office_id else "",
                "scope": "office" if row.office_id else "network",
            },
        )
        async with asyncio.timeout(PUBLISH_TIMEOUT):
            await self._exchange.publish(message, routing_key=row.type, mandatory=True)

    async def _connect(self) -> None:
        if self._connection is not None and not self._connection.is_closed and self._channel is not None:
            if not self._channel.is_closed:
                return
            await self.disconnect()
        # Not the robust connection: a relay that reconnects from scratch after every error has no half-restored state.
        async with asyncio.timeout(PUBLISH_TIMEOUT):
            self._connection = await aio_pika.connect(self._amqp_url)
            self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            self._exchange = await declare_exchanges(self._channel, self._kind)
        self._checked_at = 0.0

    async def _check_topology(self) -> None:
        if time.monotonic() - self._checked_at < self._check_seconds:
            return
        assert self._connection is not None
        try:
            if await serve_republish_requests(self._service, self._database, self._connection, self._kind):
                assert self._channel is not None
                self._exchange = await wait_at_most(PUBLISH_TIMEOUT, declare_exchanges(self._channel, self._kind))
        except ChannelNotFoundEntity:
            await self.disconnect()
            raise
        self._checked_at = time.monotonic()

    async def disconnect(self) -> None:
        """Close the connection to the broker; errors of closing are logged only."""
        connection, self._connection, self._channel, self._exchange = self._connection, None, None, None
        if connection is not None:
            try:
                await wait_at_most(2, connection.close())
            except Exception as error:
                log.debug("closing the broker connection failed", error=repr(error))
