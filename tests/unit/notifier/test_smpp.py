"""SMPP over real sockets: every end a message can have, receipts acknowledged only once they are stored."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from services.notifier.delivery.sms.port import SmsOutcomeUnknown, SmsRejected, SmsStatus, SmsUnavailable
from services.notifier.delivery.sms.route import build_route
from services.notifier.delivery.sms.smpp import Incoming, Receipt, SmppGateway
from services.notifier.settings import NotifierSettings
from tests.support.smpp_server import SmppServer, running_smpp_server

MESSAGE_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
PHONE = "+79221234567"


@pytest.fixture
async def server() -> AsyncIterator[SmppServer]:
    async with running_smpp_server() as running:
        yield running


@asynccontextmanager
async def gateway_at(server: SmppServer, password: str = "secret", timeout: float = 3) -> AsyncIterator[SmppGateway]:
    gateway = SmppGateway("127.0.0.1", server.port, "test", password, sender="PRODETAL", timeout_seconds=timeout)
    try:
        yield gateway
    finally:
        await gateway.aclose()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 (polls the running server)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("text", ["Order 15 is ready", "Заказ 15 готов к выдаче"])
async def test_a_message_arrives_as_it_was_written(server: SmppServer, text: str) -> None:
    async with gateway_at(server) as smpp:
        accepted = await smpp.send(MESSAGE_ID, PHONE, text)
        (message,) = server.submitted
        assert (message.phone, message.sender, message.text) == ("79221234567", "PRODETAL", text)
        assert (accepted.gateway, accepted.provider_id, accepted.parts) == ("smpp", message.id, 1)
        assert await smpp.status(accepted.provider_id, PHONE) is SmsStatus.DELIVERED
        assert await smpp.status("999", PHONE) is SmsStatus.UNKNOWN


async def test_a_long_text_goes_in_parts_over_one_connection(server: SmppServer) -> None:
    text = "Заказ готов к выдаче. " * 10
    async with gateway_at(server) as smpp:
        accepted = await smpp.send(MESSAGE_ID, PHONE, text)
        await smpp.send(MESSAGE_ID, PHONE, "И ещё одно")
        assert server.bound == 1
    assert accepted.parts == 4
    assert "".join(message.text for message in server.submitted[:4]) == text
    assert accepted.provider_id == server.submitted[3].id


@pytest.mark.parametrize(
    ("status", "error"), [(0x0B, SmsRejected), (0x14, SmsUnavailable), (0x58, SmsUnavailable), (0x45, SmsUnavailable)]
)
async def test_what_the_operator_refuses(server: SmppServer, status: int, error: type[Exception]) -> None:
    server.refuse_with = status
    async with gateway_at(server) as smpp:
        with pytest.raises(error):
            await smpp.send(MESSAGE_ID, PHONE, "Заказ готов")
        server.refuse_with = 0
        await smpp.send(MESSAGE_ID, PHONE, "Заказ готов")


async def test_a_connection_lost_after_the_message_left_is_unknown(server: SmppServer) -> None:
    server.silent = True
    async with gateway_at(server) as smpp:
        with pytest.raises(SmsOutcomeUnknown):
            await smpp.send(MESSAGE_ID, PHONE, "Заказ готов")
        server.silent = False
        await smpp.send(MESSAGE_ID, PHONE, "Другой заказ")
    assert len(server.submitted) == 2


async def test_a_wrong_password_and_a_closed_port_are_unavailable(server: SmppServer) -> None:
    async with gateway_at(server, password="wrong") as smpp:
        with pytest.raises(SmsUnavailable):
            await smpp.send(MESSAGE_ID, PHONE, "Заказ готов")
    dead = SmppServer(port=1)
    async with gateway_at(dead) as smpp:
        with pytest.raises(SmsUnavailable):
            await smpp.send(MESSAGE_ID, PHONE, "Заказ готов")
    assert server.submitted == []


async def test_receipts_and_answers_are_acknowledged_once_stored(server: SmppServer) -> None:
    received: list[Receipt | Incoming] = []
    broken = True

    async def receive(what: Receipt | Incoming) -> None:
        if broken:
            raise ConnectionError("no database")
        received.append(what)

    async with gateway_at(server) as smpp:
        await smpp.send(MESSAGE_ID, PHONE, "Заказ готов")
        listening = asyncio.create_task(smpp.listen(receive))
        receipt = f"id:{server.submitted[0].id} sub:001 dlvrd:001 submit date:2611212330 stat:DELIVRD err:000 text:"
        server.send_receipt(receipt)
        await until(lambda: len(server.acknowledged) == 1)
        broken = False
        server.send_receipt(receipt)
        server.send_receipt("Стоп", receipt=False)
        await until(lambda: len(server.acknowledged) == 3)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert server.acknowledged[0] != 0 and server.acknowledged[1:] == [0, 0]
    assert received == [
        Receipt("smpp", server.submitted[0].id, SmsStatus.DELIVERED),
        Incoming("smpp", "+79221234567", "Стоп"),
    ]


async def test_an_operator_that_reports_without_end_does_not_block_sending(server: SmppServer) -> None:
    """Receipts come faster than they are stored; the answer to what is sent comes after those that are there."""
    received = list[Receipt | Incoming]()

    async def receive(one: Receipt | Incoming) -> None:
        await asyncio.sleep(0.03)
        received.append(one)

    async def send_receipt() -> None:
        for number in itertools.count():
            server.send_receipt(
                f"id:{number} sub:001 dlvrd:001 submit date:2611212330 stat:DELIVRD err:000 text:", to=0
            )
            await asyncio.sleep(0.01)

    async with gateway_at(server, timeout=0.5) as smpp:
        listening = asyncio.create_task(smpp.listen(receive))
        await until(lambda: server.bound == 1)
        reporting = asyncio.create_task(send_receipt())
        await until(lambda: len(received) > 3)
        async with asyncio.timeout(10):
            accepted = await smpp.send(MESSAGE_ID, PHONE, "Заказ готов")
        assert [message.id for message in server.submitted] == [accepted.provider_id]
        for task in (reporting, listening):
            task.cancel()
        await asyncio.gather(reporting, listening, return_exceptions=True)


async def test_smpp_is_chosen_by_its_address(server: SmppServer) -> None:
    sms = build_route(NotifierSettings(sms_url=f"smpp://test:secret@127.0.0.1:{server.port}", sms_sender="PRODETAL"))
    try:
        assert (await sms.send(MESSAGE_ID, PHONE, "Заказ готов")).gateway == "smpp"
    finally:
        await sms.aclose()
