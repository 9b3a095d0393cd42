"""A second gateway, SMS.ru's protocol, and the rule that nothing is sent twice."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.delivery.domain.delivery import state_after_receipt
from services.notifier.delivery.sms.port import (
    SmsAccepted,
    SmsGateway,
    SmsOutcomeUnknown,
    SmsRejected,
    SmsStatus,
    SmsUnavailable,
)
from services.notifier.delivery.sms.route import SmsRoute, build_route
from services.notifier.delivery.sms.smsru import SmsRuGateway
from services.notifier.settings import NotifierSettings
from simulators.sms.gateways import RunningSmsSimulator, running_sms_simulator

MESSAGE_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
PHONE = "+79221234567"
TEXT = "Заказ 15 готов к выдаче. ПроДеталь-Мира 45"


@pytest.fixture
async def simulator() -> AsyncIterator[RunningSmsSimulator]:
    async with running_sms_simulator() as running:
        yield running


@asynccontextmanager
async def smsru_at(url: str, api_id: str = "demo", timeout: float = 5) -> AsyncIterator[SmsRuGateway]:
    gateway = SmsRuGateway(url, api_id, sender="PRODETAL", timeout_seconds=timeout)
    try:
        yield gateway
    finally:
        await gateway.aclose()


@pytest.fixture
async def smsru(simulator: RunningSmsSimulator) -> AsyncIterator[SmsRuGateway]:
    async with smsru_at(simulator.http_url) as gateway:
        yield gateway


# ── SMS.ru ──


async def test_a_message_arrives_through_sms_ru(smsru: SmsRuGateway, simulator: RunningSmsSimulator) -> None:
    accepted = await smsru.send(MESSAGE_ID, PHONE, TEXT)
    (message,) = simulator.messages
    assert (message.phone, message.text, message.sender) == ("79221234567", TEXT, "PRODETAL")
    assert (accepted.gateway, accepted.provider_id) == ("smsru", message.id)
    assert await smsru.status(accepted.provider_id, PHONE) is SmsStatus.DELIVERED


async def test_the_status_follows_the_message_through_sms_ru() -> None:
    async with running_sms_simulator(delay_seconds=60) as simulator, smsru_at(simulator.http_url) as smsru:
        accepted = await smsru.send(MESSAGE_ID, PHONE, TEXT)
        assert await smsru.status(accepted.provider_id, PHONE) is SmsStatus.QUEUED
        simulator.messages[0].accepted_at -= timedelta(seconds=31)
        assert await smsru.status(accepted.provider_id, PHONE) is SmsStatus.SENT


@pytest.mark.parametrize(
    ("digits", "status"),
    [("9103", SmsStatus.EXPIRED), ("9120", SmsStatus.FAILED), ("9125", SmsStatus.FAILED), ("9130", SmsStatus.SENT)],
)
async def test_what_became_of_a_message_at_sms_ru(smsru: SmsRuGateway, digits: str, status: SmsStatus) -> None:
    accepted = await smsru.send(MESSAGE_ID, f"+7922123{digits}", TEXT)
    assert await smsru.status(accepted.provider_id, PHONE) is status
    assert await smsru.status("202611-9", PHONE) is SmsStatus.UNKNOWN


@pytest.mark.parametrize("code", [202, 205, 207, 209, 216])
async def test_errors_of_sms_ru_that_are_final(smsru: SmsRuGateway, code: int) -> None:
    with pytest.raises(SmsRejected, match=str(code)):
        await smsru.send(MESSAGE_ID, f"+79221239{code}", TEXT)


@pytest.mark.parametrize("code", [201, 206, 220, 230, 231])
async def test_errors_of_sms_ru_that_pass(smsru: SmsRuGateway, code: int) -> None:
    with pytest.raises(SmsUnavailable, match=str(code)):
        await smsru.send(MESSAGE_ID, f"+79221239{code}", TEXT)


@pytest.mark.parametrize("digits", ["9500", "9501", "9601"])
async def test_an_answer_of_sms_ru_without_a_result_is_unknown(smsru: SmsRuGateway, digits: str) -> None:
    with pytest.raises(SmsOutcomeUnknown) as caught:
        await smsru.send(MESSAGE_ID, f"+7922123{digits}", TEXT)
    assert (caught.value.gateway, caught.value.provider_id) == ("smsru", None)


async def test_a_time_out_at_sms_ru_is_unknown(simulator: RunningSmsSimulator) -> None:
    async with smsru_at(simulator.http_url, timeout=0.5) as smsru:
        with pytest.raises(SmsOutcomeUnknown):
            await smsru.send(MESSAGE_ID, "+79221239600", TEXT)
    assert len(simulator.messages) == 1


async def test_a_wrong_key_is_not_the_messages_fault(simulator: RunningSmsSimulator) -> None:
    async with smsru_at(simulator.http_url, api_id="wrong") as smsru:
        with pytest.raises(SmsUnavailable):
            await smsru.send(MESSAGE_ID, PHONE, TEXT)
        with pytest.raises(SmsUnavailable):
            await smsru.status("202611-1000001", PHONE)


# ── The route ──


@asynccontextmanager
async def route(main: str, fallback: str = "", **changes: object) -> AsyncIterator[SmsRoute]:
    settings = NotifierSettings(sms_url=main, sms_fallback_url=fallback, **changes)  # type: ignore[arg-type]
    found = build_route(settings)
    try:
        yield found
    finally:
        await found.aclose()


def address(simulator: RunningSmsSimulator, kind: str) -> str:
    host = simulator.http_url.removeprefix("http://")
    return f"smsc+http://demo:demo@{host}" if kind == "smsc" else f"smsru+http://demo@{host}"


def nobody_listens() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("kind", ["smsc", "smsru"])
async def test_the_gateway_is_chosen_by_its_address(simulator: RunningSmsSimulator, kind: str) -> None:
    async with route(address(simulator, kind)) as sms:
        accepted = await sms.send(MESSAGE_ID, PHONE, TEXT)
        assert accepted.gateway == kind
        assert await sms.status(kind, accepted.provider_id, PHONE) is SmsStatus.DELIVERED


@pytest.mark.parametrize(("main", "fallback"), [("smsc", "smsru"), ("smsru", "smsc")])
async def test_what_the_first_gateway_surely_has_not_taken_goes_through_the_second(
    simulator: RunningSmsSimulator, main: str, fallback: str
) -> None:
    dead = f"{main}+http://a:b@{nobody_listens()}"
    async with route(dead, address(simulator, fallback)) as sms:
        assert (await sms.send(MESSAGE_ID, PHONE, TEXT)).gateway == fallback
    assert len(simulator.messages) == 1


async def test_money_missing_at_the_first_gateway_leads_to_the_second(simulator: RunningSmsSimulator) -> None:
    async with route(address(simulator, "smsc"), address(simulator, "smsru")) as sms:
        assert (await sms.send(MESSAGE_ID, "+79221239003", TEXT)).gateway == "smsru"


@pytest.mark.parametrize("digits", ["9500", "9600", "9601"])
async def test_after_an_unknown_outcome_no_other_gateway_is_tried(simulator: RunningSmsSimulator, digits: str) -> None:
    async with route(address(simulator, "smsc"), address(simulator, "smsru"), send_timeout_seconds=1) as sms:
        with pytest.raises(SmsOutcomeUnknown) as caught:
            await sms.send(MESSAGE_ID, f"+7922123{digits}", TEXT)
    assert (caught.value.gateway, caught.value.provider_id) == ("smsc", str(MESSAGE_ID))
    assert all(message.id == str(MESSAGE_ID) for message in simulator.messages)


async def test_a_message_that_a_gateway_refuses_for_good_is_not_offered_to_the_other(
    simulator: RunningSmsSimulator,
) -> None:
    async with route(address(simulator, "smsc"), address(simulator, "smsru")) as sms:
        with pytest.raises(SmsRejected):
            await sms.send(MESSAGE_ID, "+79221239006", TEXT)
    assert simulator.messages == []


async def test_when_no_gateway_takes_it_both_say_why() -> None:
    async with route(f"smsc+http://a:b@{nobody_listens()}", f"smsru+http://a@{nobody_listens()}") as sms:
        with pytest.raises(SmsUnavailable, match=r"smsc: .*; smsru: "):
            await sms.send(MESSAGE_ID, PHONE, TEXT)


async def test_a_gateway_that_failed_is_asked_last_for_a_while(simulator: RunningSmsSimulator) -> None:
    async with route(address(simulator, "smsc"), address(simulator, "smsru")) as sms:
        assert (await sms.send(MESSAGE_ID, "+79221239003", TEXT)).gateway == "smsru"
        assert (await sms.send(MESSAGE_ID, PHONE, TEXT)).gateway == "smsru"


@pytest.mark.parametrize(
    ("main", "fallback"),
    [("ftp://host", ""), ("pigeon+http://host", ""), ("smsc+http://a", "smsc+http://b"), ("", "")],
)
def test_a_configuration_that_makes_no_sense_is_refused_at_once(main: str, fallback: str) -> None:
    with pytest.raises(ValueError, match=r"REGLAMENT_SMS|unknown kind"):
        build_route(NotifierSettings(sms_url=main, sms_fallback_url=fallback))


class Scripted:
    """A gateway that follows a script; it remembers what it has truly sent."""

    supports_client_ids = True

    def __init__(self, name: str, script: Sequence[type[Exception] | None], sent_although: bool) -> None:
        self.name, self._script, self._sent_although = name, list(script), sent_although
        self.sent: list[UUID] = []

    async def send(self, message_id: UUID, phone: str, text: str) -> SmsAccepted:
        error = self._script.pop(0) if self._script else None
        if error is None or (error is SmsOutcomeUnknown and self._sent_although):
            self.sent.append(message_id)
        if error is not None:
            raise error("scripted")
        return SmsAccepted(str(message_id), self.name)

    async def status(self, provider_id: str, phone: str) -> SmsStatus:
        raise SmsUnavailable("scripted")

    async def aclose(self) -> None: ...


_ENDS = st.lists(st.sampled_from([None, SmsUnavailable, SmsOutcomeUnknown, SmsRejected]), max_size=4)


@given(first=_ENDS, second=_ENDS, sent_although=st.booleans())
def test_whatever_gateways_answer_no_message_is_sent_twice(
    first: list[type[Exception] | None], second: list[type[Exception] | None], sent_although: bool
) -> None:
    """As the sender does it: again only after SmsUnavailable."""
    one, other = Scripted("one", first, sent_although), Scripted("other", second, sent_although)
    gateways: list[SmsGateway] = [one, other]

    async def send() -> None:
        sms = SmsRoute(gateways)
        for _ in range(6):
            try:
                await sms.send(MESSAGE_ID, PHONE, TEXT)
            except SmsUnavailable:
                continue
            except (SmsRejected, SmsOutcomeUnknown):
                pass
            return

    asyncio.run(send())
    assert len(one.sent) + len(other.sent) <= 1


# ── Receipts ──


@given(
    start=st.sampled_from(["sending", "unknown", "sent"]),
    receipts=st.lists(st.sampled_from([status.value for status in SmsStatus]), max_size=5),
)
def test_receipts_twice_and_in_any_order_make_the_same_state(start: str, receipts: list[str]) -> None:
    def after(told: Sequence[str]) -> str:
        state = start
        for receipt in told:
            state = state_after_receipt(state, receipt)
        return state

    assert {after(order) for order in permutations(receipts)} == {after([*receipts, *receipts])}


@pytest.mark.parametrize(
    ("state", "receipt", "then"),
    [
        ("sent", "delivered", "delivered"),
        ("delivered", "expired", "delivered"),
        ("expired", "delivered", "delivered"),
        ("unknown", "queued", "sent"),
        ("failed", "sent", "failed"),
        ("queued", "failed", "queued"),
        ("sent", "unknown", "sent"),
    ],
)
def test_what_a_receipt_does(state: str, receipt: str, then: str) -> None:
    assert state_after_receipt(state, receipt) == then
