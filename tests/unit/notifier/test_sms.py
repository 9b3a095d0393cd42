"""The SMS adapter against the gateway's simulator and against servers that misbehave, all over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from services.notifier.delivery.sms.port import SmsGateway, SmsOutcomeUnknown, SmsRejected, SmsStatus, SmsUnavailable
from services.notifier.delivery.sms.smsc import SmscGateway
from simulators.sms.gateways import RunningSmsSimulator, running_sms_simulator

MESSAGE_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
PHONE = "+79221234567"
TEXT = "Заказ 15 готов к выдаче. ПроДеталь-Мира 45"


@asynccontextmanager
async def gateway_at(
    url: str, *, password: str = "demo", timeout_seconds: float = 5, phone_prefixes: tuple[str, ...] = ("+7",)
) -> AsyncIterator[SmsGateway]:
    gateway = SmscGateway(
        url, "demo", password, sender="PRODETAL", timeout_seconds=timeout_seconds, phone_prefixes=phone_prefixes
    )
    try:
        yield gateway
    finally:
        await gateway.aclose()


@pytest.fixture
async def simulator() -> AsyncIterator[RunningSmsSimulator]:
    async with running_sms_simulator() as running:
        yield running


@pytest.fixture
async def sms(simulator: RunningSmsSimulator) -> AsyncIterator[SmsGateway]:
    async with gateway_at(simulator.http_url) as gateway:
        yield gateway


async def test_a_message_arrives_as_it_was_written(sms: SmsGateway, simulator: RunningSmsSimulator) -> None:
    accepted = await sms.send(MESSAGE_ID, PHONE, TEXT)
    assert (accepted.provider_id, accepted.parts, accepted.cost) == (str(MESSAGE_ID), 1, Decimal("3.20"))
    (message,) = simulator.messages
    assert (message.phone, message.text, message.sender) == ("79221234567", TEXT, "PRODETAL")
    assert await sms.status(accepted.provider_id, PHONE) is SmsStatus.DELIVERED


async def test_the_status_follows_the_message() -> None:
    async with running_sms_simulator(delay_seconds=60) as simulator, gateway_at(simulator.http_url) as sms:
        await sms.send(MESSAGE_ID, PHONE, TEXT)
        assert await sms.status(str(MESSAGE_ID), PHONE) is SmsStatus.QUEUED
        simulator.messages[0].accepted_at -= timedelta(seconds=31)
        assert await sms.status(str(MESSAGE_ID), PHONE) is SmsStatus.SENT
        simulator.messages[0].accepted_at -= timedelta(seconds=31)
        assert await sms.status(str(MESSAGE_ID), PHONE) is SmsStatus.DELIVERED


@pytest.mark.parametrize(
    ("digits", "status"),
    [("9103", SmsStatus.EXPIRED), ("9120", SmsStatus.FAILED), ("9122", SmsStatus.FAILED), ("9130", SmsStatus.SENT)],
)
async def test_what_became_of_a_message(sms: SmsGateway, digits: str, status: SmsStatus) -> None:
    phone = f"+7922123{digits}"
    accepted = await sms.send(MESSAGE_ID, phone, TEXT)
    assert await sms.status(accepted.provider_id, phone) is status


async def test_a_message_that_was_never_sent_has_an_unknown_status(sms: SmsGateway) -> None:
    assert await sms.status(str(MESSAGE_ID), PHONE) is SmsStatus.UNKNOWN


@pytest.mark.parametrize("phone", ["+12025550123", "79221234567", "+7922abc4567", "", "+7"])
async def test_only_russian_numbers_by_default(sms: SmsGateway, simulator: RunningSmsSimulator, phone: str) -> None:
    with pytest.raises(SmsRejected):
        await sms.send(MESSAGE_ID, phone, TEXT)
    assert simulator.messages == []


async def test_other_countries_can_be_allowed(simulator: RunningSmsSimulator) -> None:
    async with gateway_at(simulator.http_url, phone_prefixes=("+7", "+375")) as sms:
        await sms.send(MESSAGE_ID, "+375291234567", TEXT)
    assert simulator.messages[0].phone == "375291234567"


@pytest.mark.parametrize("code", [1, 5, 6, 7, 8])
async def test_errors_that_are_final(sms: SmsGateway, code: int) -> None:
    with pytest.raises(SmsRejected, match=f"error {code}"):
        await sms.send(MESSAGE_ID, f"+7922123900{code}", TEXT)


@pytest.mark.parametrize("code", [2, 3, 4, 9])
async def test_errors_that_pass(sms: SmsGateway, code: int) -> None:
    with pytest.raises(SmsUnavailable, match=f"error {code}"):
        await sms.send(MESSAGE_ID, f"+7922123900{code}", TEXT)


async def test_wrong_credentials_are_not_the_messages_fault(simulator: RunningSmsSimulator) -> None:
    async with gateway_at(simulator.http_url, password="wrong") as sms:
        with pytest.raises(SmsUnavailable):
            await sms.send(MESSAGE_ID, PHONE, TEXT)
        with pytest.raises(SmsUnavailable):
            await sms.status(str(MESSAGE_ID), PHONE)


async def test_sending_again_finds_the_first_message(sms: SmsGateway, simulator: RunningSmsSimulator) -> None:
    await sms.send(MESSAGE_ID, PHONE, TEXT)
    again = await sms.send(MESSAGE_ID, PHONE, TEXT)
    assert again.provider_id == str(MESSAGE_ID)
    assert len(simulator.messages) == 1


async def test_a_time_out_after_sending_is_unknown_and_can_be_looked_up(simulator: RunningSmsSimulator) -> None:
    phone = "+79221239600"
    async with gateway_at(simulator.http_url, timeout_seconds=0.5) as sms:
        with pytest.raises(SmsOutcomeUnknown):
            await sms.send(MESSAGE_ID, phone, TEXT)
        assert await sms.status(str(MESSAGE_ID), phone) is SmsStatus.DELIVERED


@pytest.mark.parametrize(("digits", "accepted"), [("9500", False), ("9601", True)])
async def test_an_answer_without_a_result_is_unknown(sms: SmsGateway, digits: str, accepted: bool) -> None:
    phone = f"+7922123{digits}"
    with pytest.raises(SmsOutcomeUnknown):
        await sms.send(MESSAGE_ID, phone, TEXT)
    assert (await sms.status(str(MESSAGE_ID), phone) is SmsStatus.DELIVERED) is accepted


async def test_too_many_questions_are_unavailable(sms: SmsGateway) -> None:
    await sms.send(MESSAGE_ID, PHONE, TEXT)
    for _ in range(5):
        await sms.status(str(MESSAGE_ID), PHONE)
    with pytest.raises(SmsUnavailable):
        await sms.status(str(MESSAGE_ID), PHONE)


async def test_a_repetition_that_cannot_be_looked_up_is_unknown(sms: SmsGateway) -> None:
    await sms.send(MESSAGE_ID, PHONE, TEXT)
    for _ in range(5):
        await sms.status(str(MESSAGE_ID), PHONE)
    with pytest.raises(SmsOutcomeUnknown):
        await sms.send(MESSAGE_ID, PHONE, TEXT)


async def test_a_gateway_that_does_not_listen_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with gateway_at(f"http://127.0.0.1:{port}") as sms:
        with pytest.raises(SmsUnavailable):
            await sms.send(MESSAGE_ID, PHONE, TEXT)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", SmsOutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", SmsOutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]", SmsOutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", SmsOutcomeUnknown),
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", SmsOutcomeUnknown),
        (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", SmsUnavailable),
        (b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n", SmsUnavailable),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", SmsUnavailable),
        (b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n", SmsUnavailable),
    ],
)
async def test_a_gateway_that_answers_nonsense(answer: bytes, error: type[Exception]) -> None:
    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        # Closing with unread data would reset the connection and could swallow the answer.
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(misbehave, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with gateway_at(f"http://127.0.0.1:{port}") as sms:
            with pytest.raises(error):
                await sms.send(MESSAGE_ID, PHONE, TEXT)
