"""Head office's board: duties, inquiries, turnover and hints of every office, the broker, the other services."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from time import monotonic
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from services.control.settings import ControlSettings
from shared.base.clock import now
from shared.base.settings import SERVICES
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.control.conftest import Team, open_office, settings
from tests.integration.control.events import Duty, call_logged, inquiry_recorded, payment_received
from tests.support.harness import ServiceHarness


async def board(head_office: httpx.AsyncClient) -> dict[str, Any]:
    answer = await head_office.get("/board")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def office_of(head_office: httpx.AsyncClient, team: Team) -> dict[str, Any]:
    return next(office for office in (await board(head_office))["offices"] if office["office_id"] == team.office["id"])


async def test_the_board_counts_the_duties_of_each_office(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    """NTF-03."""
    team, other = await open_office(head_office), await open_office(head_office)
    office = team.office_id
    warned, breached, done, late = Duty(office), Duty(office, hours=-2), Duty(office), Duty(office, hours=-2)
    for heard in (
        Duty(office).opened(),
        warned.opened(),
        warned.warned(),
        breached.opened(),
        breached.breached(),
        done.opened(),
        done.closed(),
        late.opened(),
        late.breached(),
        late.closed(breached=True),
        Duty(other.office_id).opened(),
    ):
        await control.deliver(heard)
    shown = await office_of(head_office, team)
    assert shown["obligations"] == {"open": 3, "overdue": 1, "breached": 2}
    assert (await office_of(head_office, other))["obligations"] == {"open": 1, "overdue": 0, "breached": 0}
    whole = await board(head_office)
    for name in ("open", "overdue", "breached"):
        assert whole["obligations"][name] == sum(office["obligations"][name] for office in whole["offices"])


@pytest.mark.clause("INQ-01")
async def test_the_board_counts_inquiries_and_calls(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    """INQ-01."""
    team = await open_office(head_office)
    for heard in (
        inquiry_recorded(team.office_id, status="won"),
        inquiry_recorded(team.office_id, channel="phone"),
        inquiry_recorded(team.office_id, channel="email", status="lost", lost_reason="Дорого"),
        call_logged(team.office_id),
    ):
        await control.deliver(heard)
    figures = (await office_of(head_office, team))["figures"]
    assert (figures["visits"], figures["calls"], figures["messages"]) == (1, 1, 1)
    assert (figures["conversion_percent"], figures["calls_made"]) == ("33.3", 1)


@pytest.mark.clause("K12", "ORG-03")
async def test_a_turnover_over_the_threshold_asks_for_a_director(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    """ORG-03, K12."""
    team = await open_office(head_office, "manager", "manager", "senior_manager")
    await control.deliver(payment_received(team.office_id, "600000.00", now()))
    shown = await office_of(head_office, team)
    assert shown["hints"] == []
    assert shown["acting_director_role_label"] == "старший менеджер"
    await control.deliver(payment_received(team.office_id, "400000.01", now()))
    shown = await office_of(head_office, team)
    assert Decimal(shown["turnover_this_month"]) == Decimal("1000000.01")
    assert [hint["code"] for hint in shown["hints"]] == ["director-due", "helper-due"]
    assert shown["hints"][0]["clause"] == "ORG-03"
    assert shown["hints"][0]["text"].endswith("назначьте управляющего.")


async def test_a_new_office_without_people_is_told_to_hire(head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office)
    shown = await office_of(head_office, team)
    assert [hint["code"] for hint in shown["hints"]] == ["senior-missing", "managers-missing"]
    assert shown["acting_director"] is None
    await head_office.patch(f"/offices/{team.office_id}", json={"active": False}, headers={"If-Match": '"1"'})
    assert (await office_of(head_office, team))["hints"] == []


async def test_the_board_is_head_offices(control: ServiceHarness) -> None:
    for role in (Role.DIRECTOR, Role.SENIOR_MANAGER, Role.MANAGER, Role.MYSTERY_CHECKER):
        async with control.http(role, office_id=new_id()) as http:
            assert (await http.get("/board")).status_code == 403


async def test_the_board_shows_the_brokers_queues(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    """The management API collects its statistics every few seconds, hence the patience."""
    async with asyncio.timeout(60):
        while True:
            broker = (await board(head_office))["broker"]
            assert broker["state"] == "ok", broker
            queues = {queue["name"]: queue for queue in broker["queues"]}
            mine = queues.get("control.orders.inquiry.recorded.v1")
            if mine is not None and mine["consumers"]:
                break
            await asyncio.sleep(1)
    assert mine["consumers"] == 1
    assert mine["depth"] == mine["ready"] + mine["unacknowledged"]


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[str]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def answering(status: str, body: str, heard: list[str] | None = None) -> Handler:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if heard is not None:
            heard.append(request.decode())
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    return answer


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def trickling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer that never ends, a byte at a time: each read is in time, the whole is not."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await asyncio.sleep(0.05)
    writer.close()


@pytest.fixture
def own_settings(control: ServiceHarness) -> Iterator[ControlSettings]:
    """The service's settings, to be changed for one test."""
    usual = settings(control)
    changed = usual.model_copy()
    control.app.state.settings = changed
    yield changed
    control.app.state.settings = usual


async def test_a_service_that_does_not_answer_is_a_state_and_not_an_error(
    head_office: httpx.AsyncClient, own_settings: ControlSettings
) -> None:
    heard: list[str] = []
    operations = (
        '{"service": "orders", "outbox_backlog": 3, "outbox_oldest_seconds": 1.5, "retrying": 2, "parked": 1,'
        ' "consumers_healthy": true, "queues": []}'
    )
    async with (
        listening(answering("200 OK", operations, heard)) as good,
        listening(answering("500 Internal Server Error", "{}")) as failing,
        listening(answering("200 OK", "<html>")) as garbled,
        listening(silent) as mute,
        listening(trickling) as slow,
    ):
        own_settings.orders_url = f"{good}/api/orders"
        own_settings.vin_url, own_settings.billing_url = failing, garbled
        own_settings.notifier_url, own_settings.clients_url = mute, slow
        own_settings.control_url = "http://127.0.0.1:1/api/control"
        own_settings.amqp_management_url = mute
        own_settings.board_timeout_seconds = 0.5
        started = monotonic()
        shown = await board(head_office)
        assert monotonic() - started < 3
    assert [row["service"] for row in shown["services"]] == list(SERVICES)
    states = {row["service"]: (row["state"], row["state_label"]) for row in shown["services"]}
    assert states.pop("orders") == ("ok", "отвечает")
    assert set(states.values()) == {("no_answer", "не отвечает")}
    orders = next(row for row in shown["services"] if row["service"] == "orders")
    assert {name: orders[name] for name in ("outbox_backlog", "outbox_oldest_seconds", "retrying", "parked")} == {
        "outbox_backlog": 3,
        "outbox_oldest_seconds": 1.5,
        "retrying": 2,
        "parked": 1,
    }
    assert (shown["broker"]["state"], shown["broker"]["queues"]) == ("no_answer", [])
    [request] = heard
    assert request.startswith("GET /api/orders/operations ")
    assert head_office.headers["Authorization"] in request


async def test_without_a_management_address_the_board_says_so(
    head_office: httpx.AsyncClient, own_settings: ControlSettings
) -> None:
    own_settings.amqp_management_url = None
    assert (await board(head_office))["broker"] == {
        "state": "not_configured",
        "state_label": "адрес не задан",
        "queues": [],
    }


async def test_no_transaction_is_open_while_others_are_asked(
    control: ServiceHarness, head_office: httpx.AsyncClient, own_settings: ControlSettings
) -> None:
    """Connections in use are counted at the moment when the asked service answers."""
    engine = control.app.state.database._app.engine.sync_engine
    in_use: list[int] = []
    checked_out = 0

    @event.listens_for(engine, "checkout")
    def _out(*_: Any) -> None:
        nonlocal checked_out
        checked_out += 1

    @event.listens_for(engine, "checkin")
    def _in(*_: Any) -> None:
        nonlocal checked_out
        checked_out -= 1

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        in_use.append(checked_out)
        await answering("200 OK", "[]")(reader, writer)

    try:
        async with listening(look) as url:
            own_settings.amqp_management_url = url
            assert (await board(head_office))["broker"]["state"] == "ok"
    finally:
        event.remove(engine, "checkout", _out)
        event.remove(engine, "checkin", _in)
    assert in_use == [0]
    assert checked_out == 0
