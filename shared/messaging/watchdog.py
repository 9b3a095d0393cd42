"""Check the queues of one consumer and request from producers what a damaged broker has lost.

A missing queue is found by a passive declaration.  A lost binding is not: the queue exists and stays empty.  So each
check sends a probe through the exchange, as events are sent.  A probe that does not arrive although nothing waits in
the queue shows that the binding is lost.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from aio_pika import Message
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity
from sqlalchemy import func, select, update

from shared.base import metrics
from shared.messaging.republish import QueueState, inspect_queue, last_good_check, record_check, request_republish
from shared.messaging.topology import (
    EVENTS,
    PROBE,
    PROBE_SENT,
    QueueKind,
    declare_exchanges,
    queue_arguments,
    queue_name,
)
from shared.persistence.database import Database
from shared.persistence.tables import topology_check

log = structlog.get_logger(__name__)

PROBE_SECONDS = 3.0
ALL_HISTORY = datetime(2000, 1, 1, tzinfo=UTC)


class QueueWatch:
    """The checks and repairs of one consumer's queues."""

    def __init__(self, service: str, types: list[str], database: Database, kind: QueueKind) -> None:
        self._service = service
        self._types = types
        self._database = database
        self._kind = kind

    async def probe_arrived(self, event_type: str, sent_at: object) -> None:
        """Record a probe, of this replica or another: what was sent before it has arrived as well.

        What was sent after it may still wait behind it, however late the probe is.
        """
        try:
            at = datetime.fromisoformat(str(sent_at))
        except ValueError:
            return  # Sent by an earlier version, or foreign.
        async with self._database.worker() as session:
            await record_check(session, queue_name(self._service, event_type), at)

    async def check(self, connection: AbstractConnection) -> bool:
        """Declare what is missing and ask its producers to publish again; return False when a queue has no consumer."""
        known, republish_pending = await self._load_state()
        states = {
            event_type: await inspect_queue(connection, queue_name(self._service, event_type))
            for event_type in self._types
        }
        missing = [event_type for event_type, state in states.items() if state is None]
        present = {event_type: state for event_type, state in states.items() if state is not None}
        unbound = await self._unbound(connection, present)
        damaged = list(dict.fromkeys([*missing, *unbound, *republish_pending]))
        if known:
            # An interrupted repair must be resumed: the queue exists again and looks healthy.
            republish_pending |= {
                event_type: known[event_type]
                for event_type in damaged
                if event_type in known.keys() - republish_pending
            }
            await self._mark_republish_pending(republish_pending)
            await self._declare(connection, missing, damaged)
            await self._republish_damaged(connection, republish_pending)
        else:
            # Other services may have started long before: a new one needs their offices, staff and clients.
            damaged = self._types
            await self._declare(connection, missing, damaged)
            for producer, types in self._by_producer(damaged).items():
                await request_republish(connection, producer, types, ALL_HISTORY, self._kind)
        async with self._database.worker() as session:
            for event_type in damaged:
                await record_check(session, queue_name(self._service, event_type))
            queues = [queue_name(self._service, event_type) for event_type in damaged]
            clear_pending = update(topology_check).where(topology_check.c.queue.in_(queues)).values(owed_since=None)
            await session.execute(clear_pending)
        return all(state is not None and state.consumers > 0 for state in states.values())

    async def _unbound(self, connection: AbstractConnection, states: Mapping[str, QueueState]) -> list[str]:
        """Return the types whose queue has lost its binding."""
        channel = await connection.channel(publisher_confirms=True)
        try:
            async with self._database.worker() as session:
                sent_at = (await session.execute(select(func.clock_timestamp()))).scalar_one()
            exchange = await channel.get_exchange(EVENTS, ensure=False)
            for event_type in states:
                probe = Message(b"", headers={PROBE: self._service, PROBE_SENT: sent_at.isoformat()})
                await exchange.publish(probe, routing_key=event_type)
        except ChannelNotFoundEntity:
            return list(states)  # The exchange itself is missing, and every binding with it.
        finally:
            if not channel.is_closed:
                await channel.close()
        return [
            event_type
            for event_type, before in states.items()
            if not await self._probe_arrives(connection, event_type, before, sent_at)
        ]

    async def _probe_arrives(
        self, connection: AbstractConnection, event_type: str, before: QueueState, sent_at: datetime
    ) -> bool:
        """Return whether the probe was consumed by any replica, waits behind others, or lies in an unconsumed queue."""
        deadline = time.monotonic() + PROBE_SECONDS
        while True:
            async with self._database.worker() as session:
                seen = await last_good_check(session, queue_name(self._service, event_type))
            if seen is not None and seen >= sent_at:
                return True
            state = await inspect_queue(connection, queue_name(self._service, event_type))
            if state is None or state.messages > 0:
                return True  # A queue deleted meanwhile is found by the next check.
            if before.consumers == 0 or time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.1)

    async def _load_state(self) -> tuple[dict[str, datetime], dict[str, datetime]]:
        """Return by type when its queue was last healthy, and since when a republish is pending."""
        types = {queue_name(self._service, event_type): event_type for event_type in self._types}
        async with self._database.worker() as session:
            rows = (await session.execute(select(topology_check).where(topology_check.c.queue.in_(types)))).all()
        return (
            {types[row.queue]: row.last_good_at for row in rows},
            {types[row.queue]: row.owed_since for row in rows if row.owed_since is not None},
        )

    async def _mark_republish_pending(self, republish_pending: Mapping[str, datetime]) -> None:
        async with self._database.worker() as session:
            for event_type, since in republish_pending.items():
                queue = queue_name(self._service, event_type)
                statement = update(topology_check).where(topology_check.c.queue == queue)
                await session.execute(statement.values(owed_since=since))

    def _by_producer(self, types: list[str]) -> dict[str, list[str]]:
        grouped: dict[str, list[str]] = {}
        for event_type in types:
            grouped.setdefault(event_type.partition(".")[0], []).append(event_type)
        return grouped

    async def _declare(self, connection: AbstractConnection, missing: list[str], damaged: list[str]) -> None:
        """Declare queues found missing or unbound.  One lost meanwhile must not come back without a republish."""
        channel = await connection.channel()
        exchange = await declare_exchanges(channel, self._kind)
        for event_type in damaged:
            name = queue_name(self._service, event_type)
            if event_type in missing:
                await channel.declare_queue(name, durable=True, arguments=queue_arguments(self._kind))
            queue = await channel.get_queue(name, ensure=False)
            await queue.bind(exchange, routing_key=event_type)
        await channel.close()

    async def _republish_damaged(
        self, connection: AbstractConnection, republish_pending: Mapping[str, datetime]
    ) -> None:
        """Request the events of damaged queues.

        Types that a running service consumes for the first time are not among them: it receives their future events.
        """
        for producer, types in self._by_producer(list(republish_pending)).items():
            for event_type in types:
                metrics.REPAIRED.labels(self._service, queue_name(self._service, event_type)).inc()
            log.warning("queues were damaged, asking for their events", service=self._service, types=types)
            since = min(republish_pending[event_type] for event_type in types)
            await request_republish(connection, producer, types, since, self._kind)
