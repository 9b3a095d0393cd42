"""Moves committed outbox rows to RabbitMQ, at least once.

Claim with a lease in a short transaction, publish without one, mark what the broker confirmed by the lease's token in
a second one.  A relay stopped past its lease finds its token gone and changes nothing.  A broker outage uses up no
attempts; a time-out means *unknown*, and the row is sent again with the same message id.
"""

import asyncio
import random
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import AMQPException, ChannelNotFoundEntity
from sqlalchemy import ARRAY, BigInteger, Row, any_, func, literal, select, update

from shared import faultpoints, metrics
from shared.database import Database
from shared.listener import Wakeup
from shared.messaging.republish import answer_requests
from shared.messaging.tables import outbox
from shared.messaging.topology import declare_exchanges

log = structlog.get_logger(__name__)

BATCH = 500
PUBLISH_TIMEOUT = 10.0
POLL_SECONDS = 5.0
"""Fallback for a notification that was missed."""


class Relay:
    """One per process and service; several replicas share the work."""

    def __init__(
        self,
        service: str,
        database: Database,
        amqp_url: str,
        wakeup: Wakeup,
        *,
        lease_seconds: float = 30.0,
        check_seconds: float = 15.0,
    ) -> None:
        self._service = service
        self._database = database
        self._amqp_url = amqp_url
        self._wakeup = wakeup
        self._lease = timedelta(seconds=lease_seconds)
        self._check_seconds = check_seconds
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None
        self._checked_at = 0.0

    async def run(self) -> None:
        """Relay until cancelled."""
        pause = 0.2
        try:
            while True:
                try:
                    await self._connect()
                    await self._check_topology()
                    await self.drain()
                    pause = 0.2
                except (AMQPException, OSError, TimeoutError, asyncio.InvalidStateError, RuntimeError) as error:
                    log.warning("broker unavailable", service=self._service, error=repr(error))
                    await self.disconnect()
                    await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                    pause = min(pause * 2, 5.0)
                    continue
                except Exception as error:
                    # The database is away; the rows wait in it.
                    log.warning("relay failed", service=self._service, error=repr(error))
                    await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                    pause = min(pause * 2, 5.0)
                    continue
                await self._wakeup.wait(min(POLL_SECONDS, self._check_seconds))
        finally:
            await self.disconnect()

    def wake(self) -> None:
        """Look now and not at the next notification."""
        self._wakeup.set()

    async def drain(self) -> None:
        """Relay until nothing is left.  Of a backlog two batches are under way: one waits for the database while the
        other is published."""
        more = await self.relay_batch()
        while more:
            outcomes = await asyncio.gather(self.relay_batch(), self.relay_batch(), return_exceptions=True)
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome
            more = any(outcomes)

    async def relay_batch(self) -> bool:
        """Publish one batch; True when there may be more."""
        lease = uuid4()
        rows = await self._claim(lease)
        if not rows:
            return False
        faultpoints.reach("relay.claimed")
        outcomes = await asyncio.gather(*(self._publish(row) for row in rows), return_exceptions=True)
        faultpoints.reach("relay.published")
        confirmed = [row.id for row, outcome in zip(rows, outcomes, strict=True) if outcome is None]
        failed = [row.id for row, outcome in zip(rows, outcomes, strict=True) if outcome is not None]
        await self._settle(lease, confirmed, failed)
        faultpoints.reach("relay.confirmed")
        now = time.time()
        for row in rows:
            metrics.PUBLISH_LAG.labels(self._service).observe(max(0.0, now - row.created_at.timestamp()))
        metrics.PUBLISHED.labels(self._service).inc(len(confirmed))
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return len(rows) == BATCH

    async def _claim(self, lease: UUID) -> list[Row[Any]]:
        free = outbox.c.leased_until.is_(None) | (outbox.c.leased_until < func.now())
        batch = (
            select(outbox.c.id)
            .where(outbox.c.confirmed_at.is_(None), free)
            .order_by(outbox.c.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        async with self._database.worker() as session:
            claimed = await session.execute(
                update(outbox)
                .where(outbox.c.id.in_(batch.scalar_subquery()))
                .values(lease=lease, leased_until=func.now() + self._lease)
                .returning(outbox)
            )
            return sorted(claimed.all(), key=lambda row: int(row.id))

    async def _settle(self, lease: UUID, confirmed: list[int], failed: list[int]) -> None:
        """Mark what the broker confirmed, free the rest; rows whose lease has passed to another are left alone."""
        async with self._database.worker() as session:
            for ids, confirmed_at in ((confirmed, func.clock_timestamp()), (failed, None)):
                if ids:
                    await session.execute(
                        update(outbox)
                        .where(outbox.c.id == any_(literal(ids, ARRAY(BigInteger))), outbox.c.lease == lease)
                        .values(confirmed_at=confirmed_at, lease=None, leased_until=None)
                    )

    async def _publish(self, row: Row[Any]) -> None:
        assert self._exchange is not None
        headers = {name: value for name, value in row.headers.items() if value and name != "time"}
        message = Message(
            bytes(row.body),
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
        # Not the robust connection: a relay that starts anew after every error has no half-restored state.
        async with asyncio.timeout(PUBLISH_TIMEOUT):
            self._connection = await aio_pika.connect(self._amqp_url)
            self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            self._exchange = await declare_exchanges(self._channel)
        self._checked_at = 0.0

    async def _check_topology(self) -> None:
        if time.monotonic() - self._checked_at < self._check_seconds:
            return
        assert self._connection is not None
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT):
                if await answer_requests(self._service, self._database, self._connection):
                    assert self._channel is not None
                    self._exchange = await declare_exchanges(self._channel)
        except ChannelNotFoundEntity:
            await self.disconnect()
            raise
        self._checked_at = time.monotonic()

    async def disconnect(self) -> None:
        connection, self._connection, self._channel, self._exchange = self._connection, None, None, None
        if connection is not None:
            try:
                async with asyncio.timeout(2):
                    await connection.close()
            except Exception as error:
                log.debug("closing the broker connection failed", error=repr(error))
