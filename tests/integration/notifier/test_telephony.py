"""Calls as Asterisk and Mango Office report them: repeated, out of order, measured against the third ring."""

import hashlib
import json
import time
from datetime import timedelta
from itertools import permutations
from typing import Any

import httpx
import pytest

from shared.base.clock import now
from shared.contracts.notifier import PhoneCallEnded
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import MANGO_KEY, MANGO_SALT, World, signed

CLIENT = "+79221234567"
START = float(int(time.time()) - 600)


def line_of(world: World) -> str:
    """A telephone line of its own for every office."""
    return f"+7343{int(str(world.office_id)[-6:], 16) % 10_000_000:07d}"


async def opened(world: World) -> World:
    await world.open_office(phones=[line_of(world)])
    await world.register(phone=CLIENT)
    return world


def asterisk(world: World, call: str, name: str, seconds: float, **changes: Any) -> dict[str, Any]:
    reported = {
        "Event": name,
        "Linkedid": call,
        "Uniqueid": call,
        "CallerIDNum": "89221234567",
        "Channel": "SIP/trunk-1",
    }
    return {**reported, "Exten": line_of(world), "Context": "from-trunk", "Timestamp": START + seconds, **changes}


async def post_call_event(world: World, event: dict[str, Any]) -> httpx.Response:
    async with world.notifier.http() as exchange:
        return await exchange.post("/webhooks/telephony/asterisk", **signed(event))


async def calls(world: World) -> list[dict[str, Any]]:
    async with world.staff_http() as http:
        items: list[dict[str, Any]] = (await http.get("/calls")).json()["items"]
        return items


async def statistics(world: World) -> dict[str, Any]:
    period = {"since": (now() - timedelta(hours=1)).isoformat(), "until": (now() + timedelta(hours=1)).isoformat()}
    async with world.staff_http() as http:
        reported: dict[str, Any] = (await http.get("/calls/statistics", params=period)).json()
        return reported


@pytest.mark.clause("CALL-09")
@pytest.mark.parametrize("order", [*permutations(range(3))])
async def test_a_call_is_the_same_in_whatever_order_its_events_arrive(world: World, order: tuple[int, ...]) -> None:
    """CALL-09: answered after 9 seconds."""
    await opened(world)
    call = f"{new_id()}"
    answer = asterisk(world, call, "BridgeEnter", 9, Uniqueid="other-leg")
    events = [asterisk(world, call, "Newchannel", 0), answer, asterisk(world, call, "Hangup", 69)]
    for number in [*order, *order]:
        assert (await post_call_event(world, events[number])).status_code == 200
    (row,) = await calls(world)
    assert (row["phone"], row["client_id"], row["in_time"]) == (CLIENT, str(world.client_id), True)
    assert row["began_at"] < row["answered_at"] < row["ended_at"]
    reported = (await world.notifier.published(PhoneCallEnded, office_id=world.office_id))[-1]
    assert (reported.in_time, reported.version, reported.client_id) == (True, 2, world.client_id)


@pytest.mark.clause("CALL-09")
async def test_the_third_ring_is_measured_by_the_policy(world: World) -> None:
    await opened(world)
    for seconds, talk in ((5, 60), (15, 60), (16, 60), (None, 40), (None, 4)):
        call = f"{new_id()}"
        await post_call_event(world, asterisk(world, call, "Newchannel", 0))
        if seconds is not None:
            await post_call_event(world, asterisk(world, call, "DialEnd", seconds, Uniqueid="leg", DialStatus="ANSWER"))
        await post_call_event(world, asterisk(world, call, "Hangup", talk))
    outgoing = asterisk(world, f"{new_id()}", "Newchannel", 0, Context="from-internal", Exten="89221234567")
    await post_call_event(world, {**outgoing, "CallerIDNum": line_of(world)})
    assert await statistics(world) == {
        "incoming": 5,
        "answered": 3,
        "missed": 2,
        "in_time": 2,
        "late": 2,
        "in_time_percent": 50.0,
        "median_answer_seconds": 15.0,
        "outgoing": 1,
    }


async def test_other_legs_and_other_events_change_nothing(world: World) -> None:
    await opened(world)
    call = f"{new_id()}"
    await post_call_event(world, asterisk(world, call, "Newchannel", 0))
    for name in ("Newchannel", "Hangup", "VarSet", "DialEnd"):
        reported = await post_call_event(world, asterisk(world, call, name, 3, Uniqueid="leg", DialStatus="BUSY"))
        assert reported.json() == {"call_id": None}
    (row,) = await calls(world)
    assert row["answered_at"] is None and row["ended_at"] is None


async def mango(world: World, kind: str, body: dict[str, Any] | str, **changes: str) -> httpx.Response:
    content = body if isinstance(body, str) else json.dumps(body)
    sign = hashlib.sha256(f"{MANGO_KEY}{content}{MANGO_SALT}".encode()).hexdigest()
    form = {"vpbx_api_key": MANGO_KEY, "sign": sign, "json": content, **changes}
    async with world.notifier.http() as exchange:
        return await exchange.post(f"/webhooks/telephony/mango/events/{kind}", data=form)


@pytest.mark.clause("CALL-09")
async def test_mango_office_reports_a_call_and_sums_it_up(world: World) -> None:
    await opened(world)
    known = {"entry_id": f"{new_id()}", "from": {"number": "79221234567"}, "to": {"line_number": line_of(world)[1:]}}
    leg = {**known, "call_id": "1", "seq": 1, "timestamp": START}
    assert (await mango(world, "call", {**leg, "call_state": "Appeared", "location": "ivr"})).status_code == 200
    menu = {**leg, "call_state": "Connected", "location": "ivr", "timestamp": START + 1}
    assert (await mango(world, "call", menu)).json() == {"call_id": None}
    person = {**leg, "call_state": "Connected", "location": "abonent", "timestamp": START + 20}
    await mango(world, "call", person)
    summary = {**known, "create_time": START, "talk_time": START + 20, "end_time": START + 80, "entry_result": 1}
    summary |= {"line_number": line_of(world)[1:], "to": {"extension": "101"}}
    for _ in range(2):
        assert (await mango(world, "summary", summary)).status_code == 200
    (row,) = await calls(world)
    assert (row["phone"], row["line"], row["in_time"]) == (CLIENT, line_of(world), False)
    assert len(await world.notifier.published(PhoneCallEnded, office_id=world.office_id)) == 1


async def test_what_is_not_signed_or_not_ours_is_refused(world: World) -> None:
    await opened(world)
    event = asterisk(world, "1", "Newchannel", 0)
    async with world.notifier.http() as exchange:
        for spoiled in ({"secret": "wrong"}, {"at": time.time() - 400}):
            answer = await exchange.post("/webhooks/telephony/asterisk", **signed(event, **spoiled))
            assert answer.status_code == 401
    assert (await mango(world, "call", {"entry_id": "1"}, sign="0" * 64)).status_code == 401
    assert (
        await post_call_event(world, {**event, "Exten": "84951234567", "Linkedid": "7", "Uniqueid": "7"})
    ).status_code == 404
    assert await calls(world) == []


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"entry_id": 5}', '{"entry_id": "1", "timestamp": "x"}', "[" * 9000]
)
async def test_a_notice_that_cannot_be_read_is_the_senders_fault(world: World, content: str) -> None:
    assert (await mango(world, "call", content)).status_code == 422


@pytest.mark.parametrize("wrong", [{"Timestamp": "x"}, {"Timestamp": -1}, {"Timestamp": 1e12}, {"Linkedid": ""}])
async def test_an_event_that_cannot_be_read_is_the_senders_fault(world: World, wrong: dict[str, Any]) -> None:
    assert (await post_call_event(world, asterisk(world, "1", "Newchannel", 0, **wrong))).status_code == 422


async def test_calls_of_another_office_do_not_show(world: World) -> None:
    await opened(world)
    await post_call_event(world, asterisk(world, f"{new_id()}", "Newchannel", 0))
    async with world.notifier.http(Role.DIRECTOR, office_id=new_id()) as stranger:
        assert (await stranger.get("/calls", params={"office_id": str(world.office_id)})).json()["items"] == []
