"""The SMS gateway's simulator over real HTTP, asked like the real gateway."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from simulators.sms.gateways import RunningSmsSimulator, running_sms_simulator
from tests.support import ROOT

PHONE = "+79221234567"


@pytest.fixture
async def gateway() -> AsyncIterator[RunningSmsSimulator]:
    async with running_sms_simulator() as running:
        yield running


async def call(gateway: RunningSmsSimulator, page: str, **parameters: str) -> Any:
    known = {"login": "demo", "psw": "demo", "fmt": "3", "charset": "utf-8"}
    async with httpx.AsyncClient(base_url=gateway.http_url) as http:
        return (await http.post(f"/sys/{page}.php", data=known | parameters)).json()


async def test_a_message_is_accepted_delivered_and_can_be_read(gateway: RunningSmsSimulator) -> None:
    accepted = await call(gateway, "send", phones=PHONE, mes="Заказ 15 готов к выдаче", id="a-1", cost="3")
    assert accepted == {"id": "a-1", "cnt": 1, "cost": "3.20", "balance": "9996.80"}
    status = await call(gateway, "status", phone=PHONE, id="a-1", all="1")
    assert (status["status"], status["err"], status["message"]) == (1, 0, "Заказ 15 готов к выдаче")
    assert status["status_name"] == "Доставлено"
    assert await call(gateway, "balance", cur="1") == {"balance": "9996.80", "currency": "RUR"}
    async with httpx.AsyncClient(base_url=gateway.http_url) as http:
        (read,) = (await http.get("/api/messages", params={"phone": "+7 (922) 123-45-67"})).json()
        assert (read["phone"], read["text"], read["status"]) == (PHONE, "Заказ 15 готов к выдаче", 1)
        assert (await http.get("/api/messages", params={"phone": "+79990000000"})).json() == []
        await http.delete("/api/messages")
        assert (await http.get("/api/messages")).json() == []


async def test_a_message_waits_goes_to_the_operator_and_arrives() -> None:
    async with running_sms_simulator(delay_seconds=60) as gateway:
        await call(gateway, "send", phones=PHONE, mes="Заказ готов", id="7")
        assert (await call(gateway, "status", phone=PHONE, id="7"))["status"] == -1
        message = gateway.messages[0]
        message.accepted_at -= timedelta(seconds=31)
        assert (await call(gateway, "status", phone=PHONE, id="7"))["status"] == 0
        message.accepted_at -= timedelta(seconds=31)
        assert (await call(gateway, "status", phone=PHONE, id="7"))["status"] == 1


async def test_the_character_set_is_windows_1251_unless_the_request_names_another(gateway: RunningSmsSimulator) -> None:
    query = {"login": "demo", "psw": "demo", "fmt": "3", "phones": PHONE, "mes": "Заказ готов"}
    async with httpx.AsyncClient(base_url=gateway.http_url) as http:
        await http.get(f"/sys/send.php?{urlencode(query, encoding='cp1251')}")
        await http.get(f"/sys/send.php?{urlencode(query, encoding='utf-8')}")
        await http.get(f"/sys/send.php?{urlencode(query | {'charset': 'utf-8', 'id': '2'}, encoding='utf-8')}")
    right, garbled, also_right = [message.text for message in gateway.messages]
    assert right == also_right == "Заказ готов"
    assert garbled != right


async def test_an_identical_request_within_a_minute_is_a_duplicate(gateway: RunningSmsSimulator) -> None:
    await call(gateway, "send", phones=PHONE, mes="Заказ готов", id="a-1")
    repeated = await call(gateway, "send", phones=PHONE, mes="Заказ готов", id="a-1")
    assert repeated == {"error": "duplicate request, wait a minute", "error_code": 9, "id": "a-1"}
    assert len(gateway.messages) == 1


async def test_an_id_need_not_be_unique_and_the_last_message_answers_for_it(gateway: RunningSmsSimulator) -> None:
    await call(gateway, "send", phones=PHONE, mes="Первое", id="a-1")
    await call(gateway, "send", phones=PHONE, mes="Второе", id="a-1")
    assert (await call(gateway, "status", phone=PHONE, id="a-1", all="1"))["message"] == "Второе"


async def test_the_sixth_question_for_a_status_within_a_minute_is_refused(gateway: RunningSmsSimulator) -> None:
    await call(gateway, "send", phones=PHONE, mes="Заказ готов", id="a-1")
    answers = [await call(gateway, "status", phone=PHONE, id="a-1") for _ in range(6)]
    assert [answer.get("error_code") for answer in answers] == [None] * 5 + [9]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"psw": "wrong"}, 2),
        ({"fmt": "1"}, 1),
        ({"phones": ""}, 1),
        ({"mes": ""}, 1),
        ({"id": "ид"}, 1),
        ({"id": "0"}, 1),
        ({"id": "x" * 41}, 1),
        ({"phones": "+7922"}, 7),
        ({"phones": "phone"}, 7),
        *[({"phones": f"+7922123900{code}"}, code) for code in range(1, 10)],
    ],
)
async def test_errors_of_sending(gateway: RunningSmsSimulator, changes: dict[str, str], code: int) -> None:
    answer = await call(gateway, "send", **({"phones": PHONE, "mes": "Заказ готов"} | changes))
    assert answer["error_code"] == code
    assert gateway.messages == []


async def test_errors_of_the_status(gateway: RunningSmsSimulator) -> None:
    assert (await call(gateway, "status", phone=PHONE, id="none"))["status"] == -3
    assert (await call(gateway, "status", phone=PHONE))["error_code"] == 1
    assert (await call(gateway, "status", phone=PHONE, id="1", login="x"))["error_code"] == 2
    assert (await call(gateway, "balance", login="x"))["error_code"] == 2


@pytest.mark.parametrize(("digits", "status"), [("9103", 3), ("9120", 20), ("9122", 22), ("9125", 25), ("9130", 0)])
async def test_the_last_digits_decide_what_becomes_of_it(
    gateway: RunningSmsSimulator, digits: str, status: int
) -> None:
    phone = f"+7922123{digits}"
    await call(gateway, "send", phones=phone, mes="Заказ готов", id="a-1")
    assert (await call(gateway, "status", phone=phone, id="a-1"))["status"] == status


@pytest.mark.parametrize(
    ("text", "parts"), [("a" * 160, 1), ("a" * 161, 2), ("я" * 70, 1), ("я" * 71, 2), ("я" * 134, 2), ("я" * 135, 3)]
)
async def test_the_price_counts_parts(gateway: RunningSmsSimulator, text: str, parts: int) -> None:
    answer = await call(gateway, "send", phones=f"{PHONE};89221234568", mes=text, cost="1")
    assert answer == {"cost": str(Decimal("3.20") * parts * 2), "cnt": parts * 2}
    assert gateway.messages == []


async def test_without_money_nothing_is_sent() -> None:
    async with running_sms_simulator(balance=Decimal("3.20")) as gateway:
        assert "id" in await call(gateway, "send", phones=PHONE, mes="Первое")
        assert (await call(gateway, "send", phones=PHONE, mes="Второе"))["error_code"] == 3
        assert [message.text for message in gateway.messages] == ["Первое"]


async def test_a_busy_port_is_an_error(gateway: RunningSmsSimulator) -> None:
    with pytest.raises(OSError, match="in use"):
        async with running_sms_simulator(http_port=int(gateway.http_url.rpartition(":")[2])):
            pass


async def test_the_process_ends_quickly_on_sigterm_even_with_a_hanging_request() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.sms.gateways", "--http-port", "0"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        url = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().split()[-1]
        parameters = {"login": "demo", "psw": "demo", "fmt": "3", "phones": "+79221239600", "mes": "x"}
        async with httpx.AsyncClient(base_url=url) as http:
            hanging = asyncio.create_task(http.get("/sys/send.php", params=parameters))
            while not (await http.get("/api/messages")).json():  # noqa: ASYNC110, it happens in another process
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 5) == 0
            with pytest.raises(httpx.HTTPError):
                (await hanging).raise_for_status()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
