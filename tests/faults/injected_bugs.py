"""Bugs that lose things or do them twice, injected into a child process: the checker must report each.

`REGLAMENT_INJECTED_BUGS=without_inbox` is read by `tests.faults.child`; the product knows nothing of it.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from aio_pika import DeliveryMode
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage
from prometheus_client import Counter
from sqlalchemy import ARRAY, BigInteger, Row, any_, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base import fault_points
from shared.messaging import failures, relay
from shared.messaging.consumers import Dispatcher
from shared.messaging.delivery import Delivery
from shared.messaging.relay import OutboxRow, Relay
from shared.messaging.subscriptions import Subscriptions, _keep_raw_body
from shared.messaging.topology import PROBE, PROBE_SENT, event_queue
from shared.persistence.database import Database
from shared.persistence.scope import Scope
from shared.persistence.tables import outbox
from shared.web import idempotency
from tests.faults import injected_notifier_bugs, injected_service_bugs

VARIABLE = "REGLAMENT_INJECTED_BUGS"
LATE_SECONDS = 1.0
CANCELLED_SHARE, CANCELLED_OFTEN = 0.1, 0.85
CANCELLED_WITHIN_SECONDS = 0.03


def inject(names: str | None) -> None:
    """Inject bugs by name, separated by commas.  Raises KeyError for an unknown name."""
    for name in (names or "").split(","):
        if name:
            INJECTED_BUGS[name]()


def short_retry_delays() -> None:
    """Not a bug: compress a day of retries into a second."""
    failures.RETRY_DELAYS = (timedelta(milliseconds=100),) * 3
    failures.RETRY_LEASE = timedelta(seconds=1)


def hasty_retries() -> None:
    """Not a bug: keep external failures in a row from adding up to minutes of waiting."""
    failures.RETRY_DELAYS = (timedelta(milliseconds=200),) * 100
    failures.RETRY_LEASE = timedelta(seconds=2)


def cancellations(of_commands: float = CANCELLED_SHARE) -> None:
    """Not a bug: cancel a share of requests and deliveries at whatever they await."""
    counted = Counter("reglament_faults_cancelled", "Tasks cancelled by the harness", ["what"])
    chance = random.Random(os.getpid())

    def cancel_soon(what: str, share: float) -> None:
        task = asyncio.current_task()
        assert task is not None

        def cancel() -> None:
            if task.cancel():
                counted.labels(what).inc()

        if chance.random() < share:
            asyncio.get_running_loop().call_later(chance.uniform(0, CANCELLED_WITHIN_SECONDS), cancel)

    app, deliver = Database.app, Dispatcher.deliver

    @asynccontextmanager
    async def cancelled_app(self: Database, scope: Scope, **info: Any) -> AsyncIterator[AsyncSession]:
        cancel_soon("command", of_commands)
        async with app(self, scope, **info) as session:
            yield session

    async def cancelled_deliver(self: Dispatcher, delivery: Delivery) -> None:
        if not delivery.headers.get("x-retry"):  # The loop of retries is one task for all messages.
            cancel_soon("delivery", CANCELLED_SHARE)
        await deliver(self, delivery)

    Database.app = cancelled_app  # type: ignore[method-assign]
    Dispatcher.deliver = cancelled_deliver  # type: ignore[method-assign]


def many_cancellations() -> None:
    """Not a bug: cancel most commands; their clients repeat them.

    Not most deliveries: redelivered messages are handled one at a time and would still wait an hour later.
    """
    cancellations(CANCELLED_OFTEN)


def ack_before_commit() -> None:
    """Acknowledge the message before handling it: a crash in between loses it."""

    def subscribe(self: Subscriptions, broker: RabbitBroker, channel: Channel, event_type: str) -> None:
        @broker.subscriber(
            event_queue(self._service, event_type, self._kind),
            channel=channel,
            ack_policy=AckPolicy.MANUAL,
            decoder=_keep_raw_body,
        )
        async def consume(message: RabbitMessage) -> None:
            raw = message.raw_message
            await raw.ack()
            if PROBE in raw.headers:
                await self._watch.probe_arrived(event_type, raw.headers.get(PROBE_SENT))
                return
            await self._dispatcher.deliver(Delivery(event_type, raw.body, raw.headers, message_id=raw.message_id or ""))

    Subscriptions._subscribe = subscribe  # type: ignore[method-assign]


def without_inbox() -> None:
    """Run the handler also for events that were applied before."""

    async def apply(self: Dispatcher, delivery: Delivery) -> bool:
        event = self._parse(delivery)
        async with self._database.worker() as session:
            await self._handlers[event.type](event, session)
        fault_points.reach("consumer.after_commit")
        return True

    Dispatcher.apply = apply  # type: ignore[method-assign]


def confirmed_before_published() -> None:
    """Let the relay mark its rows before it publishes them."""
    settle = Relay._record_outcomes

    async def relay_batch(self: Relay) -> None:
        lease = UUID(int=1)
        rows = await self._claim(lease, self._batch)
        await settle(self, lease, [row.id for row in rows], [])
        if rows:
            fault_points.reach("relay.claimed")
        await asyncio.gather(*(self._publish(row) for row in rows))

    Relay.relay_batch = relay_batch  # type: ignore[method-assign]


def claim_without_lease() -> None:
    """Let every relay take unconfirmed rows, also those that another relay is publishing."""

    async def claim(self: Relay, lease: UUID, limit: int) -> list[Row[Any]]:
        async with self._database.worker() as session:
            pending = select(outbox).where(outbox.c.confirmed_at.is_(None)).order_by(outbox.c.id).limit(limit)
            return list((await session.execute(pending)).all())

    async def settle(self: Relay, lease: UUID, confirmed: list[int], failed: list[int]) -> int:
        async with self._database.worker() as session:
            mine = outbox.c.id == any_(literal(confirmed, ARRAY(BigInteger)))
            await session.execute(update(outbox).where(mine).values(confirmed_at=func.clock_timestamp()))
        return len(confirmed)

    Relay._claim = claim  # type: ignore[assignment, method-assign]
    Relay._record_outcomes = settle  # type: ignore[method-assign]


def cursor_over_ids() -> None:
    """Let the relay continue after the last id it has seen: a row with a lower id that commits later is skipped."""
    claim = Relay._claim
    last = 0

    async def claim_after_last(self: Relay, lease: UUID, limit: int) -> list[OutboxRow]:
        nonlocal last
        rows = [row for row in await claim(self, lease, limit) if row.id > last]
        last = max([last, *(row.id for row in rows)])
        return rows

    Relay._claim = claim_after_last  # type: ignore[method-assign]


def transient_messages() -> None:
    """Publish transient messages, which a restart of the broker loses."""
    setattr(relay, "DeliveryMode", SimpleNamespace(PERSISTENT=DeliveryMode.NOT_PERSISTENT))  # noqa: B010 (an import)


def answer_before_commit() -> None:
    """Send the answer before the commit."""
    begin, background = Database.app, set[asyncio.Task[None]]()

    @asynccontextmanager
    async def app(self: Database, scope: Scope, **info: Any) -> AsyncIterator[AsyncSession]:
        transaction = begin(self, scope, **info)
        yield await transaction.__aenter__()

        async def commit_later() -> None:
            await asyncio.sleep(LATE_SECONDS)
            await transaction.__aexit__(None, None, None)

        task = asyncio.create_task(commit_later())
        background.add(task)
        task.add_done_callback(background.discard)

    Database.app = app  # type: ignore[method-assign]


def forgotten_keys() -> None:
    """Run a repeated request again."""

    async def find_stored_response(*_: object) -> None:
        return None

    async def store(*_: object) -> None:
        return None

    idempotency.find_stored_response = find_stored_response  # type: ignore[assignment]
    idempotency.store = store  # type: ignore[assignment]


def sent_before_state() -> None:
    """Send the letter while its row still says `queued`."""
    from services.notifier.delivery.loops import sender
    from services.notifier.delivery.models.notices import Notice
    from shared.runtime.service import ServiceContext

    deliver = sender._deliver

    async def send_first(context: ServiceContext, claimed: sender.Claimed, send: sender.Send) -> None:
        async def say(state: str) -> None:
            async with context.database.worker() as session:
                await session.execute(update(Notice).where(Notice.id == claimed.letter.id).values(state=state))

        async def send_then_say(letter: Any) -> Any:
            outcome = await send(letter)
            fault_points.reach("notice.after_sending")
            await say("sending")
            return outcome

        await say("queued")
        await deliver(context, claimed, send_then_say)

    sender._deliver = send_first


INJECTED_BUGS: dict[str, Callable[[], None]] = {
    bug.__name__: bug
    for bug in (
        short_retry_delays,
        hasty_retries,
        cancellations,
        many_cancellations,
        ack_before_commit,
        without_inbox,
        confirmed_before_published,
        claim_without_lease,
        cursor_over_ids,
        transient_messages,
        answer_before_commit,
        forgotten_keys,
        sent_before_state,
        *injected_notifier_bugs.BUGS,
        *injected_service_bugs.BUGS,
    )
}
