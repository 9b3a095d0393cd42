"""A pause is no way out: the clock goes on by itself when the rule's limit for the role is used up."""

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.notifier.clock.domain.waiting import Span
from services.notifier.clock.loops.pauses import end_pauses
from shared.base.clock import now
from shared.contracts import billing
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.integration.notifier.rules import publish, seconds
from tests.integration.notifier.test_engine import until
from tests.integration.notifier.test_handling import post, the_obligation

ASKED = {"holder": "client", "reason": "Уточняем у клиента"}


def limits(**by_role: int) -> list[dict[str, Any]]:
    return [
        {"up_to": seconds(amount)} if role == "events" else {"role": role, "up_to": seconds(amount)}
        for role, amount in by_role.items()
    ]


async def limited(world: World, **by_role: int) -> Any:
    await world.with_people()
    await world.register()
    await publish(world.notifier, "ORD-04", world.office_id, pauses_for=["client"], longest_pauses=limits(**by_role))
    return await world.obligation(await world.place(), "ORD-04")


async def test_the_clock_goes_on_by_itself_and_the_client_is_still_waited_for(world: World) -> None:
    before = await limited(world, events=1)
    shown = (await post(world.staff_http(), before.id, "waiting", **ASKED)).json()
    limit = datetime.fromisoformat(shown["spans"][0]["until"])
    began = datetime.fromisoformat(shown["paused_at"])
    assert limit - began == timedelta(seconds=1)
    assert "не дольше чем до" in shown["explanation"][-1]

    async def look() -> Any:
        return await the_obligation(world, before.id)

    after = await until(look, lambda found: found.paused_at is None, timeout=5)
    assert after.due_at - before.due_at == timedelta(seconds=1)
    paused, waiting = map(Span.of, after.spans)
    assert (paused.ended_at, paused.pauses) == (limit, True)
    assert (waiting.holder, waiting.pauses, waiting.began_at, waiting.ended_at) == ("client", False, limit, None)
    async with world.staff_http() as http:
        shown = (await http.get(f"/obligations/{before.id}")).json()
    assert shown["waits_for"] == "client"
    (resumed,) = [entry for entry in shown["history"] if entry["event"] == "resumed"]
    assert resumed["details"]["limit"] is True


async def test_what_is_used_up_is_used_up_for_the_role_and_not_for_its_superior(world: World) -> None:
    obligation = await limited(world, manager=1, senior_manager=3600)
    await post(world.staff_http(), obligation.id, "waiting", **ASKED)
    await asyncio.sleep(1.1)
    async with world.notifier.app.state.database.worker() as session:
        await end_pauses(session)
    assert (
        await post(world.staff_http(), obligation.id, "waiting", holder="manager", reason="Ответил")
    ).status_code == 200
    refused = await post(world.staff_http(), obligation.id, "waiting", **ASKED)
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (403, "pause-limit-reached")
    senior = world.staff_http(Role.SENIOR_MANAGER, "senior")
    shown = (await post(senior, obligation.id, "waiting", **ASKED)).json()
    began, limit = (datetime.fromisoformat(shown["spans"][-1][name]) for name in ("began_at", "until"))
    assert limit - began == timedelta(seconds=3599)


async def test_a_pause_that_is_over_ends_at_its_limit_however_late_that_is_seen(world: World) -> None:
    """The manager goes on long after it; the clock had gone on before."""
    obligation = await limited(world, events=1)
    async with world.notifier.session() as session:  # Nothing wakes the loop: the row is as after a crash.
        row = await session.get_one(type(obligation), obligation.id)
        began = row.opened_at - timedelta(hours=1)
        row.opened_at = began - timedelta(minutes=1)
        row.spans = [Span("client", True, began, until=began + timedelta(seconds=1)).row]
        row.paused_at, row.next_at = began, None
    shown = (await post(world.staff_http(), obligation.id, "waiting", holder="manager", reason="Ответил")).json()
    ended = [datetime.fromisoformat(span["ended_at"]) for span in shown["spans"]]
    assert ended[0] == began + timedelta(seconds=1)
    assert ended[1] > began + timedelta(minutes=59)
    assert datetime.fromisoformat(shown["due_at"]) - obligation.due_at == timedelta(seconds=1)


@pytest.mark.clause("BILL-06")
async def test_a_client_who_does_not_answer_is_waited_for_and_the_next_conversation_ends_that(world: World) -> None:
    """CALL-02 about BILL-06 as the default set has it: the clock is paused without a request."""
    await world.with_people()
    await world.register()
    opened = now() - timedelta(hours=2)
    invoice = billing.InvoiceIssued(
        **world.event(occurred_at=opened),
        invoice_id=new_id(),
        number="1-2026",
        client_id=world.client_id,
        payer_name="ООО «Вектор»",
        amount=Decimal("1500.00"),
        issued_at=opened,
    )
    await world.notifier.deliver(invoice)
    obligation = await world.obligation(invoice.invoice_id, "BILL-06")
    attempt, talk = opened + timedelta(minutes=30), opened + timedelta(minutes=90)
    await world.call("payment_check", outcome="no_answer", at=attempt)
    paused = await the_obligation(world, obligation.id)
    assert (paused.paused_at, paused.next_at) == (attempt, None)
    assert Span.of(paused.spans[0]).until == attempt + timedelta(minutes=480)
    await world.call("order_offer", at=talk)
    after = await the_obligation(world, obligation.id)
    assert (after.paused_at, after.due_at - obligation.due_at) == (None, timedelta(minutes=60))
    async with world.staff_http() as http:
        shown = (await http.get(f"/obligations/{obligation.id}")).json()
    shares = {share["holder"]: share["minutes"] for share in shown["minutes"]}
    assert shares == {"manager": 60, "client": 60, "supplier": 0}


async def test_where_minutes_count_an_unanswered_call_divides_the_blame_and_stops_nothing(world: World) -> None:
    """ORD-04: 40 minutes, whether the client answers or not."""
    await world.with_people()
    await world.register()
    opened = now() - timedelta(minutes=20)
    order = await world.place(at=opened)
    obligation = await world.obligation(order, "ORD-04")
    await world.call("order_contact", outcome="no_answer", order_id=order, at=opened + timedelta(minutes=5))
    waiting = await the_obligation(world, obligation.id)
    assert (waiting.due_at, waiting.paused_at) == (obligation.due_at, None)
    assert Span.of(waiting.spans[0]).holder == "client"
    await world.call("order_contact", order_id=order, at=opened + timedelta(minutes=15))
    async with world.staff_http() as http:
        shown = (await http.get(f"/obligations/{obligation.id}")).json()
    assert shown["state"] == "done"
    assert {share["holder"]: share["minutes"] for share in shown["minutes"]} == {
        "manager": 5,
        "client": 10,
        "supplier": 0,
    }
