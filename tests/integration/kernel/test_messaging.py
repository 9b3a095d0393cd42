"""Nothing lost, nothing twice: outbox, relay, inbox, retry, parking."""

import asyncio
import json
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import aio_pika
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.orders import OrderProcessed
from shared.contracts.vin import VinRequestAnswered
from shared.identity.roles import Role
from shared.messaging import Consumers, consumers, failures, publish
from shared.messaging.consumers import Dispatcher
from shared.messaging.delivery import Delivery
from shared.messaging.relay import OutboxRow, Relay
from shared.messaging.topology import EVENTS
from shared.persistence.database import new_id
from shared.persistence.listener import Wakeup
from shared.persistence.tables import failed_message, outbox
from tests.integration.kernel.messages import answered, count_notes, failed, processed, until
from tests.support.harness import ServiceHarness
from tests.support.sample_service.app import Note, failing


async def test_a_committed_event_reaches_the_broker_with_its_envelope(sample: ServiceHarness) -> None:
    connection = await aio_pika.connect(sample.amqp_url)
    async with connection:
        channel = await connection.channel()
        observer_queue = await channel.declare_queue(exclusive=True)
        await observer_queue.bind(EVENTS, routing_key=OrderProcessed.type)
        event = processed()
        async with sample.session() as session:
            await publish(session, event)
        async with asyncio.timeout(10):
            async for message in observer_queue.iterator():
                await message.ack()
                if json.loads(message.body)["order_id"] == str(event.order_id):
                    break
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert message.type == message.routing_key == message.headers["cloudEvents:type"] == "orders.order.processed.v1"
    assert message.headers["cloudEvents:subject"] == f"order/{event.order_id}"
    assert message.headers["office-id"] == str(event.office_id)
    assert UUID(message.message_id) == UUID(str(message.headers["cloudEvents:id"]))


async def test_a_rolled_back_event_never_leaves(sample: ServiceHarness) -> None:
    event = processed()
    with pytest.raises(ZeroDivisionError):
        async with sample.session() as session:
            await publish(session, event)
            raise ZeroDivisionError
    assert await sample.published(OrderProcessed, order_id=event.order_id) == []


async def test_a_late_commit_is_not_skipped(sample: ServiceHarness) -> None:
    """A cursor over ids would pass the slow writer's row by."""
    slow, fast = processed(), processed()

    async def confirmed(event: OrderProcessed) -> bool:
        async with sample.session() as session:
            row = outbox.c.subject == event.subject
            return await session.scalar(select(outbox.c.confirmed_at).where(row)) is not None

    async with sample.session() as session:
        await publish(session, slow)
        async with sample.session() as other:
            await publish(other, fast)
        await until(lambda: confirmed(fast))
    await until(lambda: confirmed(slow))


async def test_a_relay_stopped_past_its_lease_changes_nothing(sample: ServiceHarness) -> None:
    """Its rows pass to another relay; what it marks afterwards, by its old token, has no effect."""
    stopped = Relay("sample", sample.app.state.database, sample.amqp_url, Wakeup(), lease_seconds=1)
    event, token = processed(), new_id()
    mine = outbox.c.subject == event.subject
    async with sample.session() as session:
        await publish(session, event)
        # Claimed before the running relay can see it.
        await session.execute(
            update(outbox).where(mine).values(lease=token, leased_until=func.now() + timedelta(seconds=1))
        )
        row_id = await session.scalar(select(outbox.c.id).where(mine))
    assert row_id is not None

    async def confirmed_at() -> datetime | None:
        async with sample.session() as session:
            return await session.scalar(select(outbox.c.confirmed_at).where(mine))

    async def taken_over() -> bool:
        async with sample.session() as session:
            await session.execute(text("NOTIFY outbox"))
        return await confirmed_at() is not None

    assert await confirmed_at() is None, "a leased row was taken by another relay"
    await until(taken_over)
    before = await confirmed_at()
    await stopped._record_outcomes(token, [row_id], [])
    assert await confirmed_at() == before


async def test_a_redelivered_event_is_applied_once(sample: ServiceHarness) -> None:
    event = answered()
    event_id = await sample.deliver(event)
    await sample.deliver(event, event_id=event_id)
    barrier = answered()
    await sample.deliver(barrier)
    assert await count_notes(sample, event.number) == 1


async def test_a_failing_message_is_retried_and_then_applied(sample: ServiceHarness) -> None:
    event, event_id = answered(), new_id()
    failing.add(event.number)
    await sample.publish_raw(event.type, event.model_dump_json().encode(), str(event_id))

    async def recorded() -> bool:
        return await failed(sample, event_id) is not None

    await until(recorded)
    row = await failed(sample, event_id)
    assert (row.state, row.attempts) == ("retrying", 1)
    assert "always fails" in row.error
    assert await count_notes(sample, event.number) == 0, "the failed attempt left something behind"
    failing.discard(event.number)

    async def applied() -> bool:
        return await count_notes(sample, event.number) == 1

    await until(applied)
    assert await failed(sample, event_id) is None


async def test_a_retry_without_an_outcome_does_not_hold_up_the_others(
    sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database cuts one connection: what was claimed together does not wait for the end of the lease."""
    monkeypatch.setattr(failures, "RETRY_DELAYS", (timedelta(hours=1),) * 3)
    dispatcher: Dispatcher = sample.app.state.dispatcher
    deliver, cut = dispatcher.deliver, list[str]()
    events = {new_id(): answered() for _ in range(3)}
    failing.update(event.number for event in events.values())
    for event_id, event in events.items():
        await sample.publish_raw(event.type, event.model_dump_json().encode(), str(event_id))

    async def all_failed() -> bool:
        return all([await failed(sample, event_id) is not None for event_id in events])

    await until(all_failed)
    failing.difference_update(event.number for event in events.values())

    async def cut_once(delivery: Delivery) -> None:
        if not cut:
            cut.append(delivery.message_id)
            raise ConnectionResetError
        await deliver(delivery)

    monkeypatch.setattr(dispatcher, "deliver", cut_once)
    mine = failed_message.c.event_id.in_(events)
    async with sample.session() as session:
        await session.execute(update(failed_message).where(mine).values(next_attempt_at=func.now()))

    async def only_the_cut_one_is_left() -> bool:
        return [str(event_id) for event_id in events if await failed(sample, event_id) is not None] == cut

    await until(only_the_cut_one_is_left)


async def test_a_claimed_retry_is_not_taken_by_another_replica_before_its_lease_ends(
    sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, dispatcher = sample.app.state.database, sample.app.state.dispatcher
    event, event_id = answered(), new_id()
    failing.add(event.number)
    await sample.publish_raw(event.type, event.model_dump_json().encode(), str(event_id))

    async def recorded() -> bool:
        return await failed(sample, event_id) is not None

    await until(recorded)
    claims, release = list[str](), asyncio.Event()

    async def hold(delivery: Delivery) -> None:
        claims.append(delivery.message_id)
        await release.wait()

    async def make_due() -> None:
        async with sample.session() as session:
            mine = failed_message.c.event_id == event_id
            await session.execute(update(failed_message).where(mine).values(next_attempt_at=func.now()))

    async def claimed() -> bool:
        return bool(claims)

    # The running retry loop is a replica too: it may hold the message instead of the first call here.
    monkeypatch.setattr(dispatcher, "deliver", hold)
    await make_due()
    replicas = [asyncio.create_task(failures.retry_due(database, hold))]
    try:
        await until(claimed)
        async with asyncio.timeout(5):  # It would hold what it claims.
            assert await failures.retry_due(database, hold) == 0
        async with sample.session() as session:
            left = select(failed_message.c.next_attempt_at - func.now()).where(failed_message.c.event_id == event_id)
            lease = await session.scalar(left)
        assert lease is not None
        assert failures.RETRY_LEASE - timedelta(seconds=30) < lease <= failures.RETRY_LEASE
        assert claims == [str(event_id)]
        await make_due()  # The lease has ended: the replica that had claimed the message is gone.
        replicas.append(asyncio.create_task(failures.retry_due(database, hold)))

        async def taken_over() -> bool:
            return len(claims) == 2

        await until(taken_over)
    finally:
        release.set()
        failing.discard(event.number)
        await asyncio.gather(*replicas)
    assert claims == [str(event_id)] * 2


async def test_after_the_last_attempt_a_message_is_parked_and_replayed_once(
    sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "RETRY_DELAYS", ())
    event, event_id = answered(), new_id()
    failing.add(event.number)
    await sample.publish_raw(event.type, event.model_dump_json().encode(), str(event_id))

    async def parked() -> bool:
        row = await failed(sample, event_id)
        return row is not None and row.state == "parked"

    await until(parked)
    async with sample.http(Role.HEAD_OFFICE) as http, sample.http(Role.DIRECTOR, office_id=new_id()) as director:
        assert (await director.get("/parked")).status_code == 403
        listed = (await http.get("/parked", params={"limit": 200})).json()["items"]
        [mine] = [item for item in listed if item["event_id"] == str(event_id)]
        details = (await http.get(f"/parked/{mine['id']}")).json()
        assert json.loads(details["body"])["number"] == event.number
        failing.discard(event.number)
        assert (await http.post(f"/parked/{mine['id']}/replay")).json() == {"replayed": 1}

        async def applied() -> bool:
            row = await failed(sample, event_id)
            return bool(row.state == "resolved")

        await until(applied)
        assert (await http.post(f"/parked/{mine['id']}/replay")).status_code == 404
    await sample.deliver(event, event_id=event_id)
    assert await count_notes(sample, event.number) == 1


@pytest.mark.parametrize(
    ("body", "message_id", "reason"),
    [
        (b"{", "valid", "the body is not a"),
        (b"\xff\xfe", "valid", "the body is not a"),
        (b'{"number": 1}', "valid", "the body is not a"),
        (b"{}", "not-a-uuid", "is not a UUID"),
    ],
)
async def test_an_unreadable_message_is_parked_with_its_bytes(
    sample: ServiceHarness, body: bytes, message_id: str, reason: str
) -> None:
    marked = body + b" " * (uuid4().int % 1000)
    message_id = str(new_id()) if message_id == "valid" else message_id
    event_id = Delivery(VinRequestAnswered.type, marked, message_id=message_id).event_id
    await sample.publish_raw(VinRequestAnswered.type, marked, message_id)

    async def parked() -> bool:
        return await failed(sample, event_id) is not None

    await until(parked)
    row = await failed(sample, event_id)
    assert row.state == "parked"
    assert reason in row.error
    assert bytes(row.body) == marked


async def test_what_crashes_the_process_is_parked_at_the_fifth_redelivery(sample: ServiceHarness) -> None:
    event, event_id = answered(), new_id()
    delivery = Delivery(event.type, event.model_dump_json().encode(), message_id=str(event_id), redelivered=True)
    database = sample.app.state.database
    # The process crashes after the attempt is recorded and before any outcome.
    for _ in range(4):
        assert not await failures.begin_attempt(database, "sample", delivery)
    await sample.app.state.dispatcher.deliver(delivery)
    row = await failed(sample, event_id)
    assert (row.state, row.attempts) == ("parked", 5)
    assert await count_notes(sample, event.number) == 0


async def test_what_only_loses_its_connections_is_not_taken_for_a_crash(
    sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is alive and uncounts the attempts, whichever replica receives the message next."""
    event, database = answered(), sample.app.state.database
    delivery = Delivery(event.type, event.model_dump_json().encode(), {}, message_id=str(new_id()), redelivered=True)
    here, there = (Dispatcher(sample.service.consumers, database) for _ in range(2))

    async def lost(_: Delivery) -> bool:
        raise asyncio.CancelledError

    for dispatcher in (*[here] * 5, there, here):
        with monkeypatch.context() as patched, pytest.raises(asyncio.CancelledError):
            patched.setattr(dispatcher, "apply", lost)
            await dispatcher.deliver(delivery)
        if dispatcher is there:
            await there.uncount_attempts()
    row = await failed(sample, delivery.event_id)
    assert row.state == "delivering"
    await here.uncount_attempts()
    assert (await failed(sample, delivery.event_id)).attempts == 0
    await there.deliver(delivery)
    assert await count_notes(sample, event.number) == 1


async def test_a_crash_counts_for_one_message_and_not_for_those_beside_it(
    sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redelivered ones are counted and handled one after the other; others do not wait for them."""
    dispatcher = Dispatcher(sample.service.consumers, sample.app.state.database, concurrency=2)
    handled, counted = list[bool](), list[int | None]()
    apply = Dispatcher.apply

    async def slowly(self: Dispatcher, delivery: Delivery) -> bool:
        handled.append(delivery.redelivered)
        if delivery.redelivered:
            async with sample.session() as session:
                counted.append(
                    await session.scalar(select(func.count()).where(failed_message.c.event_id.in_(suspects)))
                )
            while handled.count(False) < 3:  # noqa: ASYNC110 (those beside it)
                await asyncio.sleep(0.01)
        return await apply(self, delivery)

    monkeypatch.setattr(Dispatcher, "apply", slowly)
    events = [answered() for _ in range(6)]
    deliveries = [
        Delivery(event.type, event.model_dump_json().encode(), {}, message_id=str(new_id()), redelivered=number < 3)
        for number, event in enumerate(events)
    ]
    suspects = [delivery.event_id for delivery in deliveries if delivery.redelivered]
    async with asyncio.timeout(20):
        await asyncio.gather(*(dispatcher.deliver(delivery) for delivery in deliveries))
    assert counted == [1, 1, 1]
    assert [await count_notes(sample, event.number) for event in events] == [1] * 6


async def test_a_crash_at_the_start_of_a_process_counts_for_no_message(
    sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "STARTUP_GRACE_SECONDS", 60)
    dispatcher, event = Dispatcher(sample.service.consumers, sample.app.state.database), answered()
    delivery = Delivery(event.type, event.model_dump_json().encode(), {}, message_id=str(new_id()), redelivered=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await dispatcher.deliver(delivery)
    assert await failed(sample, delivery.event_id) is None
    await sample.app.state.dispatcher.deliver(delivery)
    assert await count_notes(sample, event.number) == 1


async def test_a_redelivery_that_succeeds_leaves_no_trace(sample: ServiceHarness) -> None:
    event, event_id = answered(), new_id()
    delivery = Delivery(event.type, event.model_dump_json().encode(), message_id=str(event_id), redelivered=True)
    await sample.app.state.dispatcher.deliver(delivery)
    assert await failed(sample, event_id) is None
    assert await count_notes(sample, event.number) == 1


async def test_a_cancelled_handler_gives_its_message_back(
    sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection stays open, so the broker would not."""
    dispatcher: Dispatcher = sample.app.state.dispatcher
    deliver, cancelled = dispatcher.deliver, asyncio.Event()

    async def cancelled_once(delivery: Delivery) -> None:
        if not cancelled.is_set():
            cancelled.set()
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
        await deliver(delivery)

    monkeypatch.setattr(dispatcher, "deliver", cancelled_once)
    event = answered()
    await sample.deliver(event)
    assert cancelled.is_set()
    assert await count_notes(sample, event.number) == 1


async def test_batches_shrink_until_they_fit_into_a_lease(
    sample: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a slow broker, rows would otherwise pass from batch to batch forever."""
    monkeypatch.setattr(sample.app.state.relay, "_batch", 0)  # The service's own takes nothing meanwhile.
    relay = Relay("sample", sample.app.state.database, sample.amqp_url, Wakeup(), lease_seconds=0.2)
    published: list[str] = []
    one_by_one = asyncio.Lock()

    async def slowly(row: OutboxRow) -> None:
        async with one_by_one:
            await asyncio.sleep(0.01)
            published.append(row.subject)

    monkeypatch.setattr(relay, "_publish", slowly)
    events = [processed() for _ in range(60)]
    mine = outbox.c.subject.in_([event.subject for event in events])
    async with sample.session() as session:
        await publish(session, *events)

    async def all_confirmed() -> bool:
        async with sample.session() as session:
            left = select(func.count()).select_from(outbox).where(mine, outbox.c.confirmed_at.is_(None))
            return await session.scalar(left) == 0

    async def keep_relaying() -> None:
        while not await all_confirmed():
            await relay.relay_batch()

    async with asyncio.timeout(30):
        await asyncio.gather(keep_relaying(), keep_relaying())
    assert {event.subject for event in events} <= set(published)
    assert len(published) > len(events), "no batch has outlived its lease"


async def test_events_with_one_lock_key_see_what_those_before_them_wrote(sample: ServiceHarness) -> None:
    registry, before = Consumers("sample"), []
    office_id, client_id = new_id(), new_id()

    @registry.on(VinRequestAnswered, serialize_by=lambda event: f"client/{event.client_id}")
    async def count_and_write(event: VinRequestAnswered, session: AsyncSession) -> None:
        before.append(await session.scalar(select(func.count()).where(Note.client_id == client_id)))
        await asyncio.sleep(0.02)
        session.add(Note(id=new_id(), office_id=office_id, client_id=client_id, text=event.number))

    dispatcher = Dispatcher(registry, sample.app.state.database)
    bodies = [answered().model_copy(update={"client_id": client_id}).model_dump_json().encode() for _ in range(6)]
    deliveries = [Delivery(VinRequestAnswered.type, body, message_id=str(new_id())) for body in bodies]
    assert all(await asyncio.gather(*(dispatcher.apply(delivery) for delivery in deliveries)))
    assert before == [0, 1, 2, 3, 4, 5]
    assert not any(await asyncio.gather(*(dispatcher.apply(delivery) for delivery in deliveries)))
