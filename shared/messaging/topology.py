"""Names and arguments of every exchange and queue.

Everything is durable and declared by its owner.  Events without a consumer are legitimate: they go to the bounded
queue behind the alternate exchange.
"""

from typing import Any, Literal

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange
from faststream.rabbit import QueueType, RabbitQueue

QueueKind = Literal["classic", "quorum"]

EVENTS = "events"
UNROUTED = "events.unrouted"
PROBE = "x-reglament-probe"
"""Header of a probe, a message that only shows that the exchange reaches a consumer's queue; names the consumer."""
PROBE_SENT = "x-reglament-probe-sent"
"""Time of sending, by the clock of the consumer's database."""
_EVENTS_ARGUMENTS: dict[str, Any] = {"alternate-exchange": UNROUTED}
_UNROUTED_LIMIT = 10_000
_MAX_DELIVERIES = 2**31 - 1
"""RabbitMQ 4 drops a message of a quorum queue at its 20th return, which a database that is away for half a minute
reaches.  A number and not -1, which is "no limit" to RabbitMQ 4 and "no return" to RabbitMQ 3."""


def queue_name(consumer: str, event_type: str) -> str:
    """Return the name of a consumer's queue, for example `billing.orders.order.placed.v1`."""
    return f"{consumer}.{event_type}"


def event_queue(consumer: str, event_type: str, kind: QueueKind) -> RabbitQueue:
    """Return FastStream's description of a consumer's queue.

    FastStream must not declare it: aio-pika would silently create a deleted queue again, and the events that it missed
    would never be requested.
    """
    name = queue_name(consumer, event_type)
    if kind == "quorum":
        return RabbitQueue(name, queue_type=QueueType.QUORUM, durable=True, declare=False)
    return RabbitQueue(name, queue_type=QueueType.CLASSIC, durable=True, declare=False)


def queue_arguments(kind: QueueKind) -> dict[str, Any]:
    """Return the arguments of a consumer's queue: a message stays until its outcome is recorded."""
    return {"x-queue-type": kind} | ({"x-delivery-limit": _MAX_DELIVERIES} if kind == "quorum" else {})


def own_queue_arguments(kind: QueueKind) -> dict[str, Any]:
    """Return the arguments of a service's queue that holds no events.

    It is a quorum queue wherever those of events are: a queue on one node would stop every service with that node.
    """
    return queue_arguments(kind) if kind == "quorum" else {}


def republish_queue(producer: str) -> str:
    """Return the name of the queue in which consumers leave republish requests for the producer.

    If it is missing, the broker was wiped.
    """
    return f"{producer}.republish"


async def declare_exchanges(channel: AbstractChannel, kind: QueueKind) -> AbstractExchange:
    """Declare the `events` exchange, and the exchange and queue for unrouted events."""
    unrouted = await channel.declare_exchange(UNROUTED, ExchangeType.FANOUT, durable=True)
    queue = await channel.declare_queue(
        UNROUTED,
        durable=True,
        arguments={"x-queue-type": kind, "x-max-length": _UNROUTED_LIMIT, "x-overflow": "drop-head"},
    )
    await queue.bind(unrouted)
    return await channel.declare_exchange(EVENTS, ExchangeType.TOPIC, durable=True, arguments=_EVENTS_ARGUMENTS)
