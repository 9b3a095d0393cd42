"""What a damaged or wiped broker has lost is published again."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue
from sqlalchemy import delete, func, insert, select

from devtools.testing.infrastructure import Infrastructure, isolated_virtual_host
from shared.base.timeouts import wait_at_most
from shared.contracts.vin import VinRequestAnswered
from shared.messaging import Consumers, publish, republish
from shared.messaging.republish import _unconfirm, last_good_check, record_check, request_republish
from shared.messaging.topology import EVENTS, queue_arguments, queue_name, republish_queue
from shared.messaging.watchdog import QueueWatch
from shared.persistence.database import Database, new_id
from shared.persistence.tables import inbox, outbox
from tests.integration.kernel.messages import QUEUE, answered, count_notes, until
from tests.support.harness import ServiceHarness, running_service
from tests.support.sample_service.app import Note
from tests.support.sample_service.app import service as sample_service


async def answer_as_vin(connection: AbstractConnection) -> list[str]:
    """Serve one request as `vin`, the producer of VIN events, would; return the requested types."""
    channel = await connection.channel()
    requests = await channel.declare_queue(republish_queue("vin"), durable=True)
    while (request := await requests.get(fail=False)) is None:  # noqa: ASYNC110 (asks the broker)
        await asyncio.sleep(0.05)
    wanted: dict[str, Any] = json.loads(request.body)
    await request_republish(connection, "sample", wanted["types"], datetime.fromisoformat(wanted["since"]), "classic")
    await request.ack()
    await channel.close()
    types: list[str] = wanted["types"]
    return types


async def without_requests(connection: AbstractConnection) -> tuple[AbstractChannel, AbstractQueue]:
    """Return a channel and the queue of requests, without the requests that earlier tests caused."""
    channel = await connection.channel()
    requests = await channel.declare_queue(republish_queue("vin"), durable=True)
    await requests.purge()
    return channel, requests


async def test_a_deleted_queue_comes_back_and_what_it_missed_is_published_again(sample: ServiceHarness) -> None:
    """The queue is deleted; its event is published meanwhile, confirmed, and goes to the unrouted events."""
    connection = await aio_pika.connect(sample.amqp_url)
    event = answered()
    async with connection:
        channel, _ = await without_requests(connection)
        await channel.queue_delete(QUEUE)
        async with sample.session() as session:
            await publish(session, event)

        async def lost() -> bool:
            async with sample.session() as session:
                row = outbox.c.subject == event.subject
                return await session.scalar(select(outbox.c.confirmed_at).where(row)) is not None

        await until(lost)
        async with asyncio.timeout(10):
            assert await answer_as_vin(connection) == [VinRequestAnswered.type]

    async def applied() -> bool:
        return await count_notes(sample, event.number) == 1

    await until(applied)


async def test_what_a_relay_has_claimed_is_published_again_too(sample: ServiceHarness) -> None:
    """The broker confirmed and lost it, while the relay still waits for the rest of its batch."""
    values = {"event_id": new_id(), "type": "claimed", "subject": "x", "body": b"{}", "headers": {}, "lease": uuid4()}
    async with sample.session() as session:
        await session.execute(insert(outbox).values(**values, leased_until=func.now() + timedelta(minutes=1)))
    assert await _unconfirm(sample.app.state.database, ["claimed"], datetime.now(UTC)) == 1
    async with sample.session() as session:
        lease = select(outbox.c.lease).where(outbox.c.event_id == values["event_id"])
        assert await session.scalar(lease) != values["lease"]  # The sample's own relay may have it by now.
        await session.execute(delete(outbox).where(outbox.c.event_id == values["event_id"]))


async def test_much_is_made_unconfirmed_in_several_transactions(
    sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only events of the requested types that were confirmed since the moment; the others stay confirmed."""
    monkeypatch.setattr(republish, "BATCH", 3)
    kind, begin = f"much-{new_id()}", datetime.now(UTC)
    moments = [begin - timedelta(hours=1)] * 2 + [begin - timedelta(seconds=number // 2) for number in range(8)]
    rows = [
        {"event_id": new_id(), "type": kind, "subject": "x", "body": b"{}", "headers": {}, "confirmed_at": moment}
        for moment in moments
    ]
    other = rows[-1] | {"event_id": new_id(), "type": f"other-{new_id()}"}
    async with sample.session() as session:
        await session.execute(insert(outbox), [*rows, other])
    database, statements = sample.app.state.database, list[str]()
    execute_autocommit = database.execute_autocommit

    async def counted(statement: str, *arguments: Any) -> list[Any]:
        statements.append(statement)
        return list(await execute_autocommit(statement, *arguments))

    with monkeypatch.context() as patched:
        patched.setattr(database, "execute_autocommit", counted)
        assert await _unconfirm(database, [kind], begin) == 8
    assert statements.count(republish._UNCONFIRM) == 3
    async with sample.session() as session:
        mine, left = outbox.c.type.in_([kind, other["type"]]), [*moments[:2], other["confirmed_at"]]
        untouched = select(func.count()).where(mine, outbox.c.confirmed_at.in_(left))
        assert await session.scalar(untouched) == 3
        await session.execute(delete(outbox).where(outbox.c.type.in_([kind, other["type"]])))


async def test_a_request_that_cannot_be_read_does_not_stop_the_relay(sample: ServiceHarness) -> None:
    connection = await aio_pika.connect(sample.amqp_url)
    async with connection:
        channel = await connection.channel()
        name = republish_queue("sample")
        for body in (b"{}", b"not JSON", b'{"types": [], "since": "yesterday"}'):
            await channel.default_exchange.publish(aio_pika.Message(body), routing_key=name)
        event = answered()
        async with sample.session() as session:
            await publish(session, event)

        async def taken() -> bool:
            state = await republish.inspect_queue(connection, name)
            return state is not None and not state.messages and await count_notes(sample, event.number) == 1

        await until(taken)


async def test_a_request_that_cannot_be_served_is_not_lost(
    sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection to the broker stays open; the request must not stay with a channel that is not read."""
    database, producer, tried = sample.app.state.database, f"failing-{new_id()}", list[object]()

    async def fail_once(_: Database, types: object, __: datetime) -> int:
        tried.append(types)
        if len(tried) == 1:
            raise ConnectionError("the database is unavailable")
        return 0

    monkeypatch.setattr(republish, "_unconfirm", fail_once)
    connection = await aio_pika.connect(sample.amqp_url)
    async with connection:
        await request_republish(connection, producer, ["x"], datetime.now(UTC), "classic")
        with pytest.raises(ConnectionError):
            await republish.serve_republish_requests(producer, database, connection, "classic")
        await republish.serve_republish_requests(producer, database, connection, "classic")
        assert tried == [["x"], ["x"]]
        await (await connection.channel()).queue_delete(republish_queue(producer))


async def test_a_probe_speaks_of_the_time_when_it_was_sent(sample: ServiceHarness) -> None:
    """It may have waited behind others; what was published after it may still wait."""
    database = sample.app.state.database
    watch = QueueWatch(f"late-{new_id()}", ["vin.request.answered.v1"], database, "classic")
    queue = queue_name(watch._service, "vin.request.answered.v1")
    sent = datetime.now(UTC) - timedelta(minutes=5)
    for sent_at in (sent.isoformat(), (sent - timedelta(minutes=1)).isoformat(), None, "yesterday"):
        await watch.probe_arrived("vin.request.answered.v1", sent_at)
        async with sample.session() as session:
            assert await last_good_check(session, queue) == sent


async def test_an_interrupted_repair_is_resumed(sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue exists again and looks healthy; its producer has received no request."""
    service, kind = f"broken-{new_id()}", "broken.repair.v1"
    watch = QueueWatch(service, [kind], sample.app.state.database, "classic")
    queue, since = queue_name(service, kind), datetime.now(UTC) - timedelta(hours=1)
    async with sample.session() as session:
        await record_check(session, queue, since)
    asked = []

    async def fail_to_request(*_: object) -> None:
        raise ConnectionError("interrupted")

    async def note(_: AbstractConnection, producer: str, types: list[str], moment: datetime, kind: str) -> None:
        asked.append((producer, types, moment, kind))

    connection = await aio_pika.connect(sample.amqp_url)
    async with connection:
        monkeypatch.setattr("shared.messaging.watchdog.request_republish", fail_to_request)
        with pytest.raises(ConnectionError):
            await watch.check(connection)
        assert await republish.inspect_queue(connection, queue) is not None
        async with sample.session() as session:
            await record_check(session, queue)  # A probe of another replica has arrived.
        monkeypatch.setattr("shared.messaging.watchdog.request_republish", note)
        await watch.check(connection)
        assert asked == [("broken", [kind], since, "classic")]
        await watch.check(connection)
        assert len(asked) == 1, "asked once"
        await (await connection.channel()).queue_delete(queue)


async def test_a_lost_binding_comes_back_and_what_it_missed_is_published_again(sample: ServiceHarness) -> None:
    """The queue exists and stays empty; only a probe shows it."""
    connection = await aio_pika.connect(sample.amqp_url)
    event = answered()
    async with connection:
        channel, requests = await without_requests(connection)
        queue = await channel.get_queue(QUEUE)
        await queue.unbind(EVENTS, routing_key=VinRequestAnswered.type)
        async with sample.session() as session:
            await publish(session, event)
        async with asyncio.timeout(15):
            assert await answer_as_vin(connection) == [VinRequestAnswered.type]

        async def applied() -> bool:
            return await count_notes(sample, event.number) == 1

        await until(applied)
        await asyncio.sleep(2.5)
        assert await requests.get(fail=False) is None, "a healthy queue is not repaired again"


async def test_a_service_that_starts_for_the_first_time_asks_for_what_it_missed(infrastructure: Infrastructure) -> None:
    """Other services may have published before: head office's account is created while the notifier still starts."""
    listening = Consumers("latecomer")
    listening.handlers.update(sample_service.consumers.handlers)
    late_service = replace(sample_service, name="latecomer", consumers=listening)
    async with running_service(late_service, infrastructure) as harness:
        connection = await aio_pika.connect(harness.amqp_url)
        async with connection:
            channel = await connection.channel()
            requests = await channel.declare_queue(republish_queue("vin"), durable=True)
            request = await requests.get()
            assert request is not None
            wanted = json.loads(request.body)
            await request.ack()
            assert wanted["types"] == [VinRequestAnswered.type]
            assert datetime.fromisoformat(wanted["since"]) < datetime(2001, 1, 1, tzinfo=UTC)
            assert await requests.get(fail=False) is None, "asked once"


async def test_a_wiped_broker_is_filled_from_the_outbox(sample: ServiceHarness) -> None:
    events = [answered() for _ in range(5)]
    async with sample.session() as session:
        await publish(session, *events)

    async def all_applied() -> bool:
        async with sample.session() as session:
            numbers = [event.number for event in events]
            found = await session.scalar(select(func.count()).select_from(Note).where(Note.text.in_(numbers)))
            return found == len(events)

    await until(all_applied)
    async with sample.session() as session:
        # As if the consumer had never received them: the broker lost them after its confirm.
        ids = select(outbox.c.event_id).where(outbox.c.subject.in_([event.subject for event in events]))
        lost = (await session.scalars(ids)).all()
        await session.execute(delete(inbox).where(inbox.c.event_id.in_(lost)))
        await session.execute(delete(Note).where(Note.text.in_([event.number for event in events])))
    connection = await aio_pika.connect(sample.amqp_url)
    async with connection:
        channel = await connection.channel()
        await channel.exchange_delete(EVENTS)
        await channel.queue_delete(QUEUE)
        await channel.queue_delete(republish_queue("sample"))

        # Each deletion may be found by a check of its own, and each request has to be answered, as `vin` would.
        async def answer_all() -> None:
            while True:
                await answer_as_vin(connection)

        answering = asyncio.create_task(wait_at_most(60, answer_all()))  # Closing a channel may take forever.
        await until(all_applied, seconds=30)
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


async def test_with_quorum_queues_none_depends_on_one_node(infrastructure: Infrastructure) -> None:
    """Every relay declares all of them, so a classic queue would stop all relays when its node is down."""
    settings = {"queue_type": "quorum", "topology_check_seconds": 0.5}
    async with running_service(sample_service, infrastructure, purpose="quorum", **settings) as service:
        event = answered()
        async with service.session() as session:
            await publish(session, event)
        await until(lambda: noted(service, event.number))
        name = quote(service.amqp_url.rpartition("/")[2], safe="")
        async with httpx.AsyncClient(trust_env=False) as http:
            queues = (await http.get(f"{infrastructure.management_url}/api/queues/{name}")).json()
    kinds = {queue["name"]: queue["type"] for queue in queues}
    assert {QUEUE, "events.unrouted", "sample.republish", "vin.republish"} <= kinds.keys()
    assert set(kinds.values()) == {"quorum"}


async def test_a_message_of_a_quorum_queue_may_be_returned_as_often_as_the_database_is_away(
    sample: ServiceHarness,
) -> None:
    """RabbitMQ 4 drops it at the 20th return where nothing is said, RabbitMQ 3 at the first where -1 is."""
    async with await aio_pika.connect(sample.amqp_url) as connection:
        channel = await connection.channel()
        name = f"returned-{uuid4()}"
        queue = await channel.declare_queue(name, durable=True, arguments=queue_arguments("quorum"))
        await channel.default_exchange.publish(aio_pika.Message(b"1"), routing_key=name)
        for _ in range(50):
            async with asyncio.timeout(10):
                while (message := await queue.get(fail=False)) is None:  # noqa: ASYNC110 (asks the broker)
                    await asyncio.sleep(0.01)
            await message.nack(requeue=True)
        await channel.queue_delete(name)


async def test_a_queue_of_requests_that_an_older_version_made_is_used_as_it_is(
    infrastructure: Infrastructure,
) -> None:
    """It lacks the limit of deliveries, and nobody may declare it with another one."""
    name, types = republish_queue("vin"), ["vin.request.answered.v1"]
    with isolated_virtual_host(infrastructure, "older") as own:
        async with await aio_pika.connect(own.amqp_url) as connection:
            channel = await connection.channel()
            await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
            await request_republish(connection, "vin", types, datetime.now(UTC), "quorum")
            _, requests = await republish._take_requests(connection, name, "quorum")
            assert [json.loads(request.body)["types"] for request in requests] == [types]


async def noted(service: ServiceHarness, number: str) -> bool:
    return await count_notes(service, number) == 1
