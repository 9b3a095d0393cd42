"""The registry of the events that a service consumes, and the one place where an event is applied.

The broker, the retry loop and the replay of parked messages all call `Dispatcher.deliver`.
"""

import asyncio
import inspect
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base import fault_points, metrics
from shared.contracts.base import EVENT_TYPES, Event
from shared.messaging import context, failures
from shared.messaging.delivery import Delivery
from shared.persistence.database import Database
from shared.persistence.raw_sql import fetch

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=Event)
Handler = Callable[[Any, AsyncSession], Awaitable[None]]
LockKeyFunction = Callable[[Any], str]

STARTUP_GRACE_SECONDS = 1.0
"""Delay before the first redelivered message: a crash while starting must not count against a message."""

_CLAIM = "INSERT INTO inbox (consumer, event_id, type) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING event_id"
# Waits for the advisory lock, so that the handler sees what the transaction before it wrote.
_CLAIM_SERIALIZED = (
    "INSERT INTO inbox (consumer, event_id, type) SELECT $1, $2::uuid, $3"
    " WHERE pg_advisory_xact_lock(hashtextextended($4::text, 0)) IS NOT NULL"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)


class Consumers:
    """What one service consumes: one handler per event type."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.handlers: dict[str, Handler] = {}
        self.lock_keys: dict[str, LockKeyFunction] = {}

    def on(
        self, event_class: type[E], *, serialize_by: Callable[[E], str] | None = None
    ) -> Callable[[Handler], Handler]:
        """Register `async def handler(event, session)`.

        The handler runs in one worker transaction with the inbox row.  When it raises, everything is rolled back and
        the message is retried after seconds, minutes, hours, then parked.  Events with the same `serialize_by` key, of
        any type, are applied one after another, in any order; each sees what the one before it wrote.
        """

        def register(handler: Handler) -> Handler:
            if event_class.type in self.handlers:
                raise TypeError(f"{self.service} consumes {event_class.type} twice")
            if not inspect.iscoroutinefunction(handler):
                raise TypeError(f"{handler.__name__} is not async")
            self.handlers[event_class.type] = handler
            if serialize_by is not None:
                self.lock_keys[event_class.type] = serialize_by
            return handler

        return register


class MalformedMessage(Exception):
    """The message cannot be parsed; it is parked without a retry."""


class Dispatcher:
    """Apply deliveries to one service, each once."""

    def __init__(self, consumers: Consumers, database: Database, concurrency: int = 8) -> None:
        """Process at most `concurrency` messages concurrently."""
        self.service = consumers.service
        self._handlers, self._lock_keys = consumers.handlers, consumers.lock_keys
        self._database = database
        self._slots = asyncio.Semaphore(concurrency)
        self._redelivery_lock = asyncio.Lock()
        """Handle redelivered messages one at a time: a crash of the process then counts for one message only."""
        self._startup_grace_ends_at: float | None = None
        self._attempts_to_uncount = Counter[UUID]()
        """By event: attempts counted in the table that ended here without an outcome and are to be uncounted."""

    async def deliver(self, delivery: Delivery) -> None:
        """Apply the message, or record why it could not be applied.  Afterwards it may be acknowledged.

        Raises only when the service's own database cannot be written: then the message must return to the broker.
        """
        if not delivery.redelivered:
            async with self._slots:
                await self._deliver(delivery)
            return
        async with self._redelivery_lock:
            await self._wait_for_startup_grace()
            await self._deliver_redelivered(delivery)

    async def _deliver_redelivered(self, delivery: Delivery) -> None:
        async with self._slots:
            if await self._begin_attempt(delivery):
                metrics.PARKED.labels(self.service, "crash").inc()
                return
            try:
                await self._deliver(delivery)
            except BaseException:
                self._attempts_to_uncount[delivery.event_id] += 1
                raise

    async def _wait_for_startup_grace(self) -> None:
        if self._startup_grace_ends_at is None:
            self._startup_grace_ends_at = time.monotonic() + STARTUP_GRACE_SECONDS
        await asyncio.sleep(self._startup_grace_ends_at - time.monotonic())

    async def uncount_attempts(self) -> None:
        """Uncount these attempts in the database, for all replicas.  Raises when it cannot be written."""
        attempts_to_uncount, self._attempts_to_uncount = self._attempts_to_uncount, Counter()
        try:
            if attempts_to_uncount:
                await failures.uncount_attempts(self._database, self.service, attempts_to_uncount)
        except BaseException:
            self._attempts_to_uncount.update(attempts_to_uncount)
            raise

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            applied = await self.apply(delivery)
        except MalformedMessage as error:
            await failures.park(self._database, self.service, delivery, str(error))
            metrics.PARKED.labels(self.service, "unreadable").inc()
            log.error("message parked", type=delivery.type, event_id=str(delivery.event_id), error=str(error))
        except Exception as error:
            state = await failures.record(self._database, self.service, delivery, error)
            metrics.CONSUMED.labels(self.service, delivery.type, "failed").inc()
            log.warning(
                "message failed", type=delivery.type, event_id=str(delivery.event_id), state=state, error=repr(error)
            )
        else:
            metrics.CONSUMED.labels(self.service, delivery.type, "applied" if applied else "repeated").inc()

    async def _begin_attempt(self, delivery: Delivery) -> bool:
        attempts_to_uncount = self._attempts_to_uncount.pop(delivery.event_id, 0)
        try:
            return await failures.begin_attempt(self._database, self.service, delivery, attempts_to_uncount)
        except BaseException:
            self._attempts_to_uncount[delivery.event_id] += attempts_to_uncount
            raise

    async def apply(self, delivery: Delivery) -> bool:
        """Run the handler in one transaction with the inbox row; return False when the inbox has the event already.

        Raises MalformedMessage, or the handler's error; the transaction is rolled back.
        """
        event = self._parse(delivery)
        handler = self._handlers[event.type]
        context.accept(delivery.header("correlation-id"), delivery.header("traceparent"))
        context.causation_id.set(str(delivery.event_id))
        async with self._database.worker() as session:
            row = (self.service, delivery.event_id, event.type)
            lock_key = self._lock_keys.get(event.type)
            if lock_key is None:
                claimed = bool(await fetch(session, _CLAIM, *row))
            else:
                claimed = bool(await fetch(session, _CLAIM_SERIALIZED, *row, lock_key(event)))
            if claimed:
                await handler(event, session)
            if delivery.redelivered or delivery.headers.get("x-retry"):
                await failures.resolve(session, self.service, delivery.event_id)
            fault_points.reach("consumer.before_commit")
        fault_points.reach("consumer.after_commit")
        return claimed

    def _parse(self, delivery: Delivery) -> Event:
        event_class = EVENT_TYPES.get(delivery.type)
        declared = delivery.header("cloudEvents:type") or delivery.type
        if event_class is None or delivery.type not in self._handlers or declared != delivery.type:
            raise MalformedMessage(f"unknown event type {declared!r}")
        if not delivery.message_id:
            raise MalformedMessage("the message has no id")
        try:
            UUID(delivery.message_id)
        except ValueError:
            raise MalformedMessage(f"the message id {delivery.message_id!r} is not a UUID") from None
        try:
            return event_class.model_validate_json(delivery.body)
        except ValidationError as error:
            raise MalformedMessage(f"the body is not a {delivery.type}: {error}") from error
