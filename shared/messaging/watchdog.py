"""Looks after the queues of one consumer and asks producers for what a damaged broker has swallowed.

A queue that vanished is seen by looking.  A lost binding cannot be seen: the queue is there and stays empty.  So each
check first sends a probe the way events come, through the exchange; one that does not arrive although nothing waits
in the queue shows that the way is broken.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from aio_pika import Message
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity
from sqlalchemy import func, select

from shared import metrics
from shared.database import Database
from shared.messaging.republish import QueueState, ask, inspect_queue, last_good, remember_check
from shared.messaging.topology import EVENTS, PROBE, QueueKind, declare_exchanges, queue_arguments, queue_name

log = structlog.get_logger(__name__)

PROBE_SECONDS = 3.0
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class QueueWatch:
    def __init__(self, service: str, types: list[str], database: Database, kind: QueueKind) -> None:
        self._service = service
        self._types = types
        self._database = database
        self._kind = kind

    async def returned(self, event_type: str) -> None:
        """A probe arrived, of this replica or another: the way is open now."""
        async with self._database.worker() as session:
            await remember_check(session, queue_name(self._service, event_type))

    async def check(self, connection: AbstractConnection) -> bool:
        """Declare what is missing, ask its producers to publish again; False when a queue has no consumer."""
        known = await self._last_good()
        states = {
            event_type: await inspect_queue(connection, queue_name(self._service, event_type))
            for event_type in self._types
        }
        missing = [event_type for event_type, state in states.items() if state is None]
        present = {event_type: state for event_type, state in states.items() if state is not None}
        deaf = await self._deaf(connection, present)
        damaged = [*missing, *deaf]
        await self._declare(connection, missing, damaged)
        if any(known.values()):
            await self._ask_again(connection, damaged, known)
        else:
            # Others may have started long before: a new service needs their offices, staff and clients.
            damaged = self._types
            for producer, types in self._by_producer(damaged).items():
                await ask(connection, producer, types, BEGINNING)
        async with self._database.worker() as session:
            for event_type in damaged:
                await remember_check(session, queue_name(self._service, event_type))
        return all(state is not None and state.consumers > 0 for state in states.values())

    async def _deaf(self, connection: AbstractConnection, states: Mapping[str, QueueState]) -> list[str]:
        """Queues that the exchange does not reach."""
        channel = await connection.channel(publisher_confirms=True)
        try:
            async with self._database.worker() as session:
                sent_at = (await session.execute(select(func.clock_timestamp()))).scalar_one()
            exchange = await channel.get_exchange(EVENTS, ensure=False)
            for event_type in states:
                await exchange.publish(Message(b"", headers={PROBE: self._service}), routing_key=event_type)
        except ChannelNotFoundEntity:
            return list(states)  # The exchange itself is gone, and every binding with it.
        finally:
            if not channel.is_closed:
                await channel.close()
        return [
            event_type
            for event_type, before in states.items()
            if not await self._arrives(connection, event_type, before, sent_at)
        ]

    async def _arrives(
        self, connection: AbstractConnection, event_type: str, before: QueueState, sent_at: datetime
    ) -> bool:
        """Consumed (by any replica), or waiting behind others, or lying in a queue that nobody consumes yet."""
        give_up = time.monotonic() + PROBE_SECONDS
        while True:
            async with self._database.worker() as session:
                seen = await last_good(session, queue_name(self._service, event_type))
            if seen is not None and seen >= sent_at:
                return True
            state = await inspect_queue(connection, queue_name(self._service, event_type))
            if state is None or state.messages > 0:
                return True  # A queue that vanished meanwhile is for the next check.
            if before.consumers == 0 or time.monotonic() > give_up:
                return False
            await asyncio.sleep(0.1)

    async def _last_good(self) -> dict[str, datetime | None]:
        async with self._database.worker() as session:
            return {
                event_type: await last_good(session, queue_name(self._service, event_type))
                for event_type in self._types
            }

    def _by_producer(self, types: list[str]) -> dict[str, list[str]]:
        grouped: dict[str, list[str]] = {}
        for event_type in types:
            grouped.setdefault(event_type.partition(".")[0], []).append(event_type)
        return grouped

    async def _declare(self, connection: AbstractConnection, missing: list[str], damaged: list[str]) -> None:
        """Only what was seen to be missing or unreached: what is lost meanwhile must not come back unnoticed."""
        channel = await connection.channel()
        exchange = await declare_exchanges(channel)
        for event_type in damaged:
            name = queue_name(self._service, event_type)
            if event_type in missing:
                await channel.declare_queue(name, durable=True, arguments=queue_arguments(self._kind))
            queue = await channel.get_queue(name, ensure=False)
            await queue.bind(exchange, routing_key=event_type)
        await channel.close()

    async def _ask_again(
        self, connection: AbstractConnection, damaged: list[str], known: Mapping[str, datetime | None]
    ) -> None:
        """What a running service begins to listen to (never seen before) concerns the future only."""
        seen = {event_type: moment for event_type in damaged if (moment := known[event_type]) is not None}
        for producer, types in self._by_producer(list(seen)).items():
            for event_type in types:
                metrics.REPAIRED.labels(self._service, queue_name(self._service, event_type)).inc()
            log.warning("queues were damaged, asking for their events", service=self._service, types=types)
            await ask(connection, producer, types, min(seen[event_type] for event_type in types))
