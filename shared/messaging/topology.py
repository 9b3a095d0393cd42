"""Names and arguments of every exchange and queue.

Everything is durable and declared by its owner.  Events that nobody consumes are legitimate: they go to the
bounded queue behind the alternate exchange.
"""

from typing import Any, Literal

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange
from faststream.rabbit import QueueType, RabbitQueue

QueueKind = Literal["classic", "quorum"]

EVENTS = "events"
UNROUTED = "events.unrouted"
PROBE = "x-reglament-probe"
"""Header of a message that only shows that the way from the exchange to a consumer is open; names the consumer."""
PROBE_SENT = "x-reglament-probe-sent"
"""When, by the clock of the consumer's database."""
_EVENTS_ARGUMENTS: dict[str, Any] = {"alternate-exchange": UNROUTED}
_UNROUTED_LIMIT = 10_000
_MAX_DELIVERIES = 2**31 - 1
"""RabbitMQ 4 drops a message of a quorum queue at its 20th return, which a database that is away for half a minute
reaches.  A number and not -1, which is "no limit" to RabbitMQ 4 and "no return" to RabbitMQ 3."""


def queue_name(consumer: str, event_type: str) -> str:
    """For example `billing.orders.order.placed.v1`."""
    return f"{consumer}.{event_type}"


def event_queue(consumer: str, event_type: str, kind: QueueKind) -> RabbitQueue:
    """FastStream's description of a consumer's queue.

    FastStream must not declare it: aio-pika would silently make a deleted queue again, and nobody would ask for what
    it has missed.
    """
    name = queue_name(consumer, event_type)
    if kind == "quorum":
        return RabbitQueue(name, queue_type=QueueType.QUORUM, durable=True, declare=False)
    return RabbitQueue(name, queue_type=QueueType.CLASSIC, durable=True, declare=False)


def queue_arguments(kind: QueueKind) -> dict[str, Any]:
    """Return the arguments of a queue whose messages stay until somebody has recorded what became of them."""
    return {"x-queue-type": kind} | ({"x-delivery-limit": _MAX_DELIVERIES} if kind == "quorum" else {})


def own_queue_arguments(kind: QueueKind) -> dict[str, Any]:
    """Of the queues beside those of events.  Quorum wherever those are: a queue on one node stops all when that one
    does.
    """
    return queue_arguments(kind) if kind == "quorum" else {}


def republish_queue(producer: str) -> str:
    """Consumers that had to repair a queue ask its producer here; its absence tells of a wiped broker."""
    return f"{producer}.republish"


async def declare_exchanges(channel: AbstractChannel, kind: QueueKind) -> AbstractExchange:
    """The `events` exchange and what catches the unrouted."""
    unrouted = await channel.declare_exchange(UNROUTED, ExchangeType.FANOUT, durable=True)
    queue = await channel.declare_queue(
        UNROUTED,
        durable=True,
        arguments={"x-queue-type": kind, "x-max-length": _UNROUTED_LIMIT, "x-overflow": "drop-head"},
    )
    await queue.bind(unrouted)
    return await channel.declare_exchange(EVENTS, ExchangeType.TOPIC, durable=True, arguments=_EVENTS_ARGUMENTS)
