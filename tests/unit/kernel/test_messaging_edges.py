"""What ties messages together, without servers: ids from outside, a message's own id, rows of the outbox, queues."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from faststream.rabbit import QueueType

from shared.contracts import notifier
from shared.messaging import context, topology
from shared.messaging.delivery import Delivery
from shared.messaging.outbox import outbox_rows

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.mark.parametrize("correlation", ["a", "order-45_1.2:3/4", "a" * 100])
def test_ids_from_outside_are_taken_over(correlation: str) -> None:
    context.accept(correlation, TRACE)
    assert (context.correlation_id.get(), context.traceparent.get()) == (correlation, TRACE)


@pytest.mark.parametrize(
    ("correlation", "trace"),
    [("", ""), ("a" * 101, TRACE + "0"), ("a b", TRACE.upper()), ("заказ", "x" + TRACE), ("a\n", TRACE + "\n")],
)
def test_malformed_ids_are_ignored(correlation: str, trace: str) -> None:
    context.accept(correlation, trace)
    assert (context.correlation_id.get(), context.traceparent.get()) == ("", "")


def test_a_message_without_an_id_has_one_of_its_content() -> None:
    known = UUID(int=7)
    assert Delivery("a.v1", b"x", message_id=str(known)).event_id == known
    bare = Delivery("a.v1", b"\x01\xff", message_id="not-an-id")
    assert bare.event_id == uuid5(NAMESPACE_URL, "a.v1 not-an-id 01ff")
    others = [Delivery("b.v1", b"\x01\xff", message_id="not-an-id"), Delivery("a.v1", b"", message_id="not-an-id")]
    assert len({bare.event_id, *(other.event_id for other in others), Delivery("a.v1", b"\x01\xff").event_id}) == 4


def test_headers_come_as_text_or_bytes() -> None:
    delivery = Delivery("a.v1", b"", {"text": "a", "bytes": "ё".encode(), "broken": b"\xff", "number": 3})
    assert [delivery.header(name) for name in ("text", "bytes", "broken", "number", "none")] == [
        "a",
        "ё",
        "\ufffd",
        "3",
        "",
    ]


def event(**changes: Any) -> notifier.ConsentWithdrawn:
    body = {
        "office_id": UUID(int=1),
        "client_id": UUID(int=2),
        "version": 1,
        "purpose": "advertising",
        "source": "link",
    }
    at = datetime(2026, 3, 16, 9, tzinfo=UTC)
    return notifier.ConsentWithdrawn.model_validate({**body, "occurred_at": at, "withdrawn_at": at, **changes})


def test_a_row_of_the_outbox_has_the_event_and_what_it_belongs_to() -> None:
    context.accept("order-45", TRACE)
    context.causation_id.set("cause")
    first, second = event(), event(office_id=UUID(int=3))
    rows = outbox_rows([first, second])
    assert [row["office_id"] for row in rows] == [UUID(int=1), UUID(int=3)]
    assert rows[0]["event_id"] != rows[1]["event_id"]
    assert {name: value for name, value in rows[0].items() if name != "event_id"} == {
        "type": "notifier.consent.withdrawn.v1",
        "subject": first.subject,
        "office_id": UUID(int=1),
        "body": first.model_dump_json().encode(),
        "headers": {
            "correlation-id": "order-45",
            "causation-id": "cause",
            "traceparent": TRACE,
            "time": "2026-03-16T09:00:00+00:00",
        },
    }


def test_an_event_that_nobody_asked_for_correlates_with_itself() -> None:
    context.accept("", "")
    context.causation_id.set("")
    [row] = outbox_rows([event()])
    assert row["headers"]["correlation-id"] == str(row["event_id"])
    assert (row["headers"]["causation-id"], row["headers"]["traceparent"]) == ("", "")
    assert outbox_rows([]) == []


def test_queues_are_durable_and_never_declared_by_the_client_library() -> None:
    for kind, expected in (("classic", QueueType.CLASSIC), ("quorum", QueueType.QUORUM)):
        queue = topology.event_queue("billing", "orders.order.placed.v1", kind)  # type: ignore[arg-type]
        assert queue.name == "billing.orders.order.placed.v1"
        assert queue.durable is True
        assert queue.declare is False
        assert queue.arguments is not None
        assert queue.arguments["x-queue-type"] == expected.value


def test_the_arguments_of_other_queues() -> None:
    assert topology.queue_arguments("classic") == {"x-queue-type": "classic"}
    # RabbitMQ 4 drops a message of a quorum queue at its 20th return unless the queue says otherwise.
    assert topology.own_queue_arguments("quorum") == {"x-queue-type": "quorum", "x-delivery-limit": 2**31 - 1}
    assert topology.own_queue_arguments("classic") == {}
    assert topology.republish_queue("orders") == "orders.republish"
