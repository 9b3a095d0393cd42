"""A long SMS goes in parts, each with receipts of its own: together they show what became of the message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from services.notifier.delivery.commands import receipts as receipt_commands
from services.notifier.delivery.loops import sender
from services.notifier.delivery.sms.port import SmsStatus
from services.notifier.delivery.sms.route import SmsRoute
from services.notifier.delivery.sms.smpp import SmppGateway
from services.notifier.settings import NotifierSettings
from tests.integration.notifier.conftest import World
from tests.integration.notifier.test_delivery import notice
from tests.integration.notifier.test_limits import queue_sms
from tests.support.smpp_server import SmppServer, running_smpp_server

LONG = "Заказ 15 готов к выдаче, ждём вас. " * 5
PARTS = 3


@asynccontextmanager
async def operator(world: World) -> AsyncIterator[tuple[SmppServer, SmsRoute]]:
    """An SMPP server, and our connection that listens to it."""
    async with running_smpp_server() as server:
        route = SmsRoute([SmppGateway("127.0.0.1", server.port, "test", "secret", timeout_seconds=3)])
        database = world.notifier.app.state.database
        listening = asyncio.create_task(route.listen(lambda message: sender.handle_incoming(database, message)))
        try:
            yield server, route
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await route.aclose()


async def claimed(world: World, phone: str) -> tuple[UUID, sender.Claimed]:
    """By hand: no loop of the service looks at such a channel."""
    await world.open_office()
    await world.register(phone=phone)
    return await claimed_text(world, LONG)


async def claimed_text(world: World, text: str) -> tuple[UUID, sender.Claimed]:
    notice_id = await queue_sms(world, text=text, channel="sms in parts")
    mine = await sender.claim(world.notifier.app.state.database, "sms in parts", NotifierSettings())
    assert mine is not None
    return notice_id, mine


async def send(world: World, route: SmsRoute, mine: sender.Claimed) -> None:
    outcome = await sender.send_sms(route, mine.letter)
    await sender.record(world.notifier.app.state.database, mine, outcome, NotifierSettings())


async def acknowledged(server: SmppServer, number: int) -> None:
    async with asyncio.timeout(10):
        while len(server.acknowledged) < number:  # noqa: ASYNC110 (polls the running server)
            await asyncio.sleep(0.02)
    assert set(server.acknowledged) == {0}


def send_receipt(server: SmppServer, part: int, state: str) -> None:
    server.send_receipt(
        f"id:{server.submitted[part].id} sub:001 dlvrd:001 submit date:2611212330 stat:{state} err:000 text:"
    )


@pytest.mark.parametrize(
    ("last", "state", "phone"), [("DELIVRD", "delivered", "+79220006101"), ("UNDELIV", "failed", "+79220006102")]
)
async def test_it_is_delivered_when_all_parts_are_and_fails_with_one(
    world: World, last: str, state: str, phone: str
) -> None:
    notice_id, mine = await claimed(world, phone)
    async with operator(world) as (server, route):
        await send(world, route, mine)  # Each server counts from the same id: no earlier message's receipt may count.
        assert len(server.submitted) == PARTS
        for part in (2, 0, 2):
            send_receipt(server, part, "DELIVRD")
        await acknowledged(server, 3)
        assert (await notice(world, notice_id)).state == "sent"
        send_receipt(server, 1, last)
        await acknowledged(server, 4)
        updated = await notice(world, notice_id)
        assert updated.state == state and (updated.delivered_at is not None) == (state == "delivered")


async def test_receipts_of_parts_that_come_before_the_answer_are_not_lost(world: World) -> None:
    notice_id, mine = await claimed(world, "+79220006103")
    async with operator(world) as (_, route):
        outcome = await sender.send_sms(route, mine.letter)
        for part in reversed(outcome.part_ids):
            async with world.notifier.session() as session:
                await receipt_commands.record_receipt(session, "smpp", part, SmsStatus.DELIVERED)
        assert (await notice(world, notice_id)).state == "sending"
        await sender.record(world.notifier.app.state.database, mine, outcome, NotifierSettings())
        assert (await notice(world, notice_id)).state == "delivered"


async def test_a_receipt_at_the_moment_of_the_answer_is_not_lost(world: World) -> None:
    """Neither of the two transactions sees the other; so one waits."""
    notice_id, mine = await claimed(world, "+79220006104")
    async with operator(world) as (_, route):
        outcome = await sender.send_sms(route, mine.letter)
        *early, last = outcome.part_ids
        async with world.notifier.session() as session:
            for part in early:
                await receipt_commands.record_receipt(session, "smpp", part, SmsStatus.DELIVERED)
        async with world.notifier.session() as session:
            await receipt_commands.record_receipt(session, "smpp", last, SmsStatus.DELIVERED)
            recording = asyncio.create_task(
                sender.record(world.notifier.app.state.database, mine, outcome, NotifierSettings())
            )
            await asyncio.sleep(0.2)
        await recording
        assert (await notice(world, notice_id)).state == "delivered"


async def test_an_id_that_the_operator_uses_again_speaks_for_the_newer_message(world: World) -> None:
    older, mine = await claimed(world, "+79220006105")
    async with operator(world) as (server, route):
        await send(world, route, mine)
        first = server.submitted[0].id
    newer, mine = await claimed_text(world, "Заказ 15 готов")
    async with operator(world) as (server, route):
        await send(world, route, mine)
        assert server.submitted[0].id == first
        send_receipt(server, 0, "DELIVRD")
        await acknowledged(server, 1)
    assert [(await notice(world, notice_id)).state for notice_id in (older, newer)] == ["sent", "delivered"]
