"""The consuming side of a service: FastStream subscribers, a watchdog over every queue, the retry loop.

Subscribers take raw bytes; the broker keeps every message that was not acknowledged.
"""

import asyncio
import contextlib

import aio_pika
import structlog
from aio_pika.exceptions import AMQPException
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker
from faststream.rabbit.message import RabbitMessage

from shared.base import fault_points, metrics
from shared.base.timeouts import wait_at_most
from shared.messaging import failures
from shared.messaging.consumers import Dispatcher
from shared.messaging.delivery import Delivery
from shared.messaging.topology import (
    PROBE,
    PROBE_SENT,
    QueueKind,
    event_queue,
)
from shared.messaging.watchdog import PROBE_SECONDS, QueueWatch
from shared.persistence.database import Database

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 20.0
CHECK_SECONDS = 30.0
CLOSE_SECONDS = 2.0


async def _keep_raw_body(message: RabbitMessage) -> RabbitMessage:
    """Return the message undecoded: FastStream's decoder would refuse bad JSON before it could be parked."""
    return message


class Subscriptions:
    """The connection that consumes one service's queues, and the checks that keep it working."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        types: list[str],
        database: Database,
        amqp_url: str,
        *,
        queue_kind: QueueKind = "classic",
        prefetch: int = 50,
        check_seconds: float = 15.0,
    ) -> None:
        self._dispatcher = dispatcher
        self._service = dispatcher.service
        self._types = types
        self._database = database
        self._amqp_url = amqp_url
        self._kind = queue_kind
        self._watch = QueueWatch(self._service, types, database, queue_kind)
        self._prefetch = prefetch
        self._check_seconds = check_seconds
        self._broker: RabbitBroker | None = None
        self.healthy = False

    async def run(self) -> None:
        """Consume until cancelled; reconnect when a queue has lost its consumer."""
        pause = 0.2
        try:
            while True:
                try:
                    if self._broker is None:
                        await self._check()
                        await self._start()
                    elif not await self._check():
                        log.warning("a queue has no consumer, connecting again", service=self._service)
                        await self._stop()
                        continue
                    self._report(healthy=True)
                    pause = 0.2
                    await asyncio.sleep(self._check_seconds)
                except Exception as error:
                    self._report(healthy=False)
                    log.warning("consumers cannot reach the broker", service=self._service, error=repr(error))
                    await self._stop()
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 5.0)
        finally:
            self._report(healthy=False)
            await self._stop()

    async def retry(self) -> None:
        """Deliver failed messages again when they are due, until cancelled."""
        while True:
            try:
                await self._dispatcher.uncount_attempts()
                while await failures.retry_due(self._database, self._dispatcher.deliver) == failures.BATCH:
                    pass
            except Exception as error:
                log.warning("retry loop failed", service=self._service, error=repr(error))
            await asyncio.sleep(1.0)

    async def _check(self) -> bool:
        """Check and repair the queues; return False when one has no consumer."""
        async with asyncio.timeout(10):
            connection = await aio_pika.connect(self._amqp_url)
        try:
            return await wait_at_most(CHECK_SECONDS + PROBE_SECONDS * len(self._types), self._watch.check(connection))
        finally:
            with contextlib.suppress(AMQPException, OSError, TimeoutError):
                await wait_at_most(CLOSE_SECONDS, connection.close())

    async def _start(self) -> None:
        # apply_types=False: FastStream's dependency injection would send every message through a thread.
        broker = RabbitBroker(self._amqp_url, logger=None, apply_types=False, graceful_timeout=DRAIN_SECONDS)
        channel = Channel(prefetch_count=self._prefetch)
        for event_type in self._types:
            self._subscribe(broker, channel, event_type)
        async with asyncio.timeout(30):
            await broker.start()
        self._broker = broker

    def _subscribe(self, broker: RabbitBroker, channel: Channel, event_type: str) -> None:
        queue = event_queue(self._service, event_type, self._kind)

        @broker.subscriber(queue, channel=channel, ack_policy=AckPolicy.MANUAL, decoder=_keep_raw_body)
        async def consume(message: RabbitMessage) -> None:
            raw = message.raw_message
            delivery = Delivery(
                event_type, raw.body, raw.headers, message_id=raw.message_id or "", redelivered=bool(raw.redelivered)
            )
            try:
                if PROBE in raw.headers:
                    # Other consumers of the type receive the probe too, and ignore it.
                    if raw.headers[PROBE] == self._service:
                        await self._watch.probe_arrived(event_type, raw.headers.get(PROBE_SENT))
                else:
                    await self._dispatcher.deliver(delivery)
                    fault_points.reach("consumer.before_ack")
                await raw.ack()
            except Exception as error:
                # The outcome could not be recorded: the database is unavailable.  The message returns to the broker.
                log.warning("message returned to the broker", service=self._service, error=repr(error))
                await asyncio.sleep(1.0)
            finally:
                # Also for a handler that is cancelled while its connection stays open: the message would otherwise be
                # held for as long as that connection lasts.
                if not raw.processed:
                    with contextlib.suppress(AMQPException, RuntimeError, OSError):
                        await raw.nack(requeue=True)

    async def _stop(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            with contextlib.suppress(Exception):
                await wait_at_most(DRAIN_SECONDS + 2, broker.stop())

    def _report(self, *, healthy: bool) -> None:
        self.healthy = healthy
        metrics.CONSUMERS_HEALTHY.labels(self._service).set(1 if healthy else 0)
