"""What people do with an obligation: move its deadline, acknowledge, wait, assign, reopen."""

import asyncio
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.base.clock import now
from shared.contracts.notifier import ObligationClosed, ObligationOpened
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.integration.notifier.rules import ladder, publish, seconds
from tests.integration.notifier.test_engine import fast_contact, levels, until
from tests.support.harness import ServiceHarness
from tests.support.notifier import calendar, minutes

WHY = "Договорились с клиентом по телефону"

PAUSED_BY_EVENTS: dict[str, Any] = {
    "cancels": [],
    "pauses_for": ["client"],
    "waits": [{"event": "orders.applicability.checked.v1", "holder": "client"}],
    "resumes": [{"event": "orders.order.processed.v1"}],
}


async def post(http: httpx.AsyncClient, obligation_id: UUID, action: str, **body: Any) -> httpx.Response:
    async with http:
        return await http.post(f"/obligations/{obligation_id}/{action}", json=body)


async def asked(world: World) -> UUID:
    """A VIN request, whose two hours may be moved (VIN-05); returns the obligation's id."""
    await world.with_people()
    await world.register()
    request = world.vin_request(new_id())
    await world.notifier.deliver(request)
    return (await world.obligation(request.request_id, "VIN-05")).id


async def the_obligation(world: World, obligation_id: UUID) -> Any:
    (only,) = await world.obligations(id=obligation_id)
    return only


# ── Moving a deadline ──


@pytest.mark.clause("VIN-05")
async def test_a_deadline_agreed_with_the_client_is_moved_and_everything_about_it_is_on_record(world: World) -> None:
    """VIN-05: «если иное не согласовано с клиентом»."""
    obligation_id = await asked(world)
    before = await the_obligation(world, obligation_id)
    due = before.due_at + minutes(300)
    answer = await post(world.staff_http(), obligation_id, "deadline", due_at=due.isoformat(), reason=WHY)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    after = await the_obligation(world, obligation_id)
    assert (after.due_at, after.agreed_due_at, after.generation, after.opened_at) == (due, due, 2, before.opened_at)
    (moved,) = [entry for entry in shown["history"] if entry["event"] == "moved"]
    assert moved["details"] == {
        "from": before.due_at.isoformat(),
        "to": due.isoformat(),
        "staff_id": str(world.staff["ivanov"]),
    }
    (remark,) = shown["remarks"]
    assert (remark["text"], remark["staff_name"]) == (WHY, "Ivanov manager")
    assert any("По согласованию с клиентом срок перенесён" in sentence for sentence in shown["explanation"])
    opened = await world.notifier.published(ObligationOpened, obligation_id=obligation_id)
    closed = await world.notifier.published(ObligationClosed, obligation_id=obligation_id)
    assert [(event.generation, event.due_at) for event in opened] == [(1, before.due_at), (2, due)]
    assert [(event.outcome, event.generation) for event in closed] == [("superseded", 1)]


@pytest.mark.clause("VIN-05")
async def test_how_far_depends_on_the_role_and_small_steps_come_no_further(world: World) -> None:
    obligation_id = await asked(world)
    own_due = (await the_obligation(world, obligation_id)).due_at

    async def move(http: httpx.AsyncClient, by: timedelta) -> int:
        answer = await post(http, obligation_id, "deadline", due_at=(own_due + by).isoformat(), reason=WHY)
        return answer.status_code

    assert await move(world.staff_http(), timedelta(hours=8)) == 200
    assert await move(world.staff_http(), timedelta(hours=9)) == 403
    senior = world.staff_http(Role.SENIOR_MANAGER, "senior")
    assert await move(senior, timedelta(days=2)) == 200
    assert await move(world.staff_http(Role.SENIOR_MANAGER, "senior"), timedelta(days=4)) == 403
    assert await move(world.staff_http(Role.ASSISTANT, "ivanov"), timedelta(hours=1)) == 403


async def test_a_clause_that_leaves_nothing_to_agree_is_not_moved(world: World) -> None:
    await world.with_people()
    await world.register()
    order = await world.place()
    obligation = await world.obligation(order, "ORD-07")
    answer = await post(
        world.staff_http(Role.DIRECTOR, "director"),
        obligation.id,
        "deadline",
        due_at=(obligation.due_at + minutes(10)).isoformat(),
        reason=WHY,
    )
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:reglament:problem:deadline-not-movable")


async def test_a_passed_deadline_is_not_moved(world: World) -> None:
    await world.with_people()
    await world.register()
    request = world.vin_request(new_id(), submitted_at=now() - timedelta(hours=3))
    await world.notifier.deliver(request)
    obligation = await world.obligation(request.request_id, "VIN-05")
    later = (now() + minutes(60)).isoformat()
    answer = await post(world.staff_http(), obligation.id, "deadline", due_at=later, reason=WHY)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:reglament:problem:deadline-passed")


async def test_another_offices_obligation_is_not_found(world: World, notifier: ServiceHarness) -> None:
    obligation_id = await asked(world)
    stranger = notifier.http(Role.DIRECTOR, office_id=new_id())
    answer = await post(stranger, obligation_id, "deadline", due_at=(now() + minutes(5)).isoformat(), reason=WHY)
    assert answer.status_code == 404
    assert (
        await post(notifier.http(Role.DIRECTOR, office_id=new_id()), obligation_id, "acknowledgement")
    ).status_code == 404


# ── «Взял в работу» ──


async def test_i_have_it_stops_the_climb_until_its_own_time_runs_out(world: World) -> None:
    await world.with_people()
    await world.register()
    await fast_contact(world, duration=seconds(1), warnings=[], ladder=ladder(0, 3, 4))
    order = await world.place()
    obligation = await world.obligation(order, "ORD-04")
    answer = await post(world.staff_http(), obligation.id, "acknowledgement", minutes=5)
    assert answer.status_code == 200, answer.text
    fired = await until(lambda: levels(world.notifier, obligation.id), bool)
    await asyncio.sleep(3.5)
    assert (
        [row.kind for row in await levels(world.notifier, obligation.id)] == [row.kind for row in fired] == ["breach"]
    )
    after = await the_obligation(world, obligation.id)
    assert after.due_at == obligation.due_at
    assert after.next_at == after.acknowledged_until
    steps = [datetime.fromisoformat(step["at"]) for step in after.schedule]
    assert steps[2] - steps[1] == timedelta(seconds=1)  # The levels keep their distance.


async def test_the_ladder_cannot_be_held_for_ever(world: World) -> None:
    obligation_id = await asked(world)
    assert (await post(world.staff_http(), obligation_id, "acknowledgement")).status_code == 200
    assert (await post(world.staff_http(), obligation_id, "acknowledgement")).status_code == 409
    assert (
        await post(world.staff_http(Role.DIRECTOR, "director"), obligation_id, "acknowledgement")
    ).status_code == 200


# ── Waiting ──


async def test_while_the_client_is_asked_the_clock_stands_still_and_goes_on_with_what_was_left(world: World) -> None:
    obligation_id = await asked(world)
    before = await the_obligation(world, obligation_id)
    answer = await post(world.staff_http(), obligation_id, "waiting", holder="client", reason="Уточняем сторону")
    assert answer.json()["waits_for"] == "client"
    paused = await the_obligation(world, obligation_id)
    assert (paused.next_at, paused.generation) == (None, 1)
    await asyncio.sleep(0.3)
    answer = await post(world.staff_http(), obligation_id, "waiting", holder="manager", reason="Клиент ответил")
    assert answer.status_code == 200, answer.text
    after = await the_obligation(world, obligation_id)
    span = after.spans[0]
    paused_for = datetime.fromisoformat(span["ended_at"]) - datetime.fromisoformat(span["began_at"])
    assert paused_for >= timedelta(seconds=0.3)
    assert after.due_at - before.due_at == paused_for
    assert [step["level"] for step in after.schedule] == [step["level"] for step in before.schedule]
    assert after.generation == 2
    events = [entry["event"] for entry in answer.json()["history"]]
    assert events == ["opened", "paused", "resumed"]
    assert any("отсчёт стоял (ждали: клиент)" in sentence for sentence in answer.json()["explanation"])


async def test_a_paused_obligation_is_not_overdue_and_fires_nothing(world: World) -> None:
    await world.with_people()
    await world.register()
    await publish(
        world.notifier, "VIN-05", world.office_id, duration=seconds(2), warnings=[], ladder=ladder(0), moves=[]
    )
    request = world.vin_request(new_id())
    await world.notifier.deliver(request)
    obligation = await world.obligation(request.request_id, "VIN-05")
    await post(world.staff_http(), obligation.id, "waiting", holder="client", reason="Уточняем сторону")
    await asyncio.sleep(2.5)
    assert await levels(world.notifier, obligation.id) == []
    async with world.staff_http() as http:
        shown = (await http.get(f"/obligations/{obligation.id}")).json()
        overdue = (await http.get("/obligations", params={"state": "overdue"})).json()
    assert (shown["overdue"], overdue["counts"]["overdue"]) == (False, 0)
    await post(world.staff_http(), obligation.id, "waiting", holder="manager", reason="Клиент ответил")
    assert [row.kind for row in await until(lambda: levels(world.notifier, obligation.id), bool)] == ["breach"]


async def test_where_the_rule_does_not_pause_only_the_blame_is_divided(world: World) -> None:
    await world.with_people()
    await world.register()
    order = await world.place()
    obligation = await world.obligation(order, "ORD-07")
    answer = await post(world.staff_http(), obligation.id, "waiting", holder="supplier", reason="Ждём остатки")
    shown = answer.json()
    assert (shown["waits_for"], shown["paused_at"]) == ("supplier", None)
    assert (await the_obligation(world, obligation.id)).next_at == obligation.next_at
    again = await post(world.staff_http(), obligation.id, "waiting", holder="supplier", reason="Ждём остатки")
    assert again.status_code == 409


async def test_a_fact_that_changes_the_rule_keeps_the_paused_time(world: World) -> None:
    """GLPI loses the time a ticket has waited when its rule changes."""
    await world.with_people()
    await world.register()
    for code in ("ORD-06-PAID", "ORD-06-UNPAID"):
        await publish(world.notifier, code, None, pauses_for=["client"])
    order = await world.place(check_requested=True)
    obligation = await world.obligation(order, "ORD-06")
    await post(world.staff_http(), obligation.id, "waiting", holder="client", reason="Ждём VIN")
    await asyncio.sleep(0.3)
    await post(world.staff_http(), obligation.id, "waiting", holder="manager", reason="Прислал")
    await world.notifier.deliver(world.order_paid(order))
    after = await the_obligation(world, obligation.id)
    span = after.spans[0]
    paused_for = datetime.fromisoformat(span["ended_at"]) - datetime.fromisoformat(span["began_at"])
    assert after.rule_code == "ORD-06-PAID"
    assert after.due_at == after.opened_at + minutes(30) + paused_for


@pytest.mark.parametrize("arrivals", list(permutations(("placed", "checked", "processed"))), ids="-".join)
async def test_events_say_whom_an_obligation_waits_for_in_whatever_order_they_arrive(
    world: World, arrivals: tuple[str, ...]
) -> None:
    await world.with_people()
    await world.register()
    await publish(world.notifier, "ORD-04", world.office_id, **PAUSED_BY_EVENTS)
    order, placed = new_id(), now()
    events = {
        "placed": world.placed(order, at=placed),
        "checked": world.checked(order, at=placed + minutes(3)),
        "processed": world.processed(order, at=placed + minutes(5)),
    }
    for name in arrivals:
        await world.notifier.deliver(events[name])
    obligation = await world.obligation(order, "ORD-04")
    assert [(span["holder"], span["pauses"]) for span in obligation.spans] == [("client", True)]
    assert datetime.fromisoformat(obligation.spans[0]["began_at"]) == placed + minutes(3)
    assert datetime.fromisoformat(obligation.spans[0]["ended_at"]) == placed + minutes(5)
    assert (obligation.paused_at, obligation.due_at) == (None, placed + minutes(42))


async def test_what_events_pause_goes_on_by_the_calendar_of_its_deadline(world: World) -> None:
    """A new calendar leaves given deadlines as they are, and so the time that is left of them."""
    await world.with_people()
    await world.register()
    await publish(world.notifier, "ORD-04", world.office_id, **PAUSED_BY_EVENTS)
    order, placed = new_id(), now()
    await world.notifier.deliver(world.placed(order, at=placed))
    day_after_tomorrow = tuple((("09:00", "10:00"),) if day == (placed.weekday() + 2) % 7 else () for day in range(7))
    await world.open_office(version=2, calendar=calendar(weekly=day_after_tomorrow, version=2))
    await world.notifier.deliver(world.checked(order, at=placed + minutes(3)))
    await world.notifier.deliver(world.processed(order, at=placed + minutes(5)))
    assert (await world.obligation(order, "ORD-04")).due_at == placed + minutes(42)


async def test_an_obligation_closed_while_it_waited_is_not_late(world: World) -> None:
    await world.with_people()
    await world.register()
    order = await world.place()
    obligation = await world.obligation(order, "ORD-04")
    await publish(world.notifier, "ORD-04", world.office_id, pauses_for=["client"], duration=seconds(1), warnings=[])
    order = await world.place()
    obligation = await world.obligation(order, "ORD-04")
    await post(world.staff_http(), obligation.id, "waiting", holder="client", reason="Перезвонит сам")
    await asyncio.sleep(1.5)
    await world.call("order_contact", order_id=order)
    (closed,) = await world.closed(order, "ORD-04")
    assert (closed.outcome, closed.breached) == ("done", False)
    assert (await the_obligation(world, obligation.id)).spans[0]["ended_at"] is not None


# ── Handing over, reopening ──


async def test_a_senior_assigns_an_obligation_and_the_new_person_is_notified(world: World) -> None:
    await world.with_people()
    petrov = await world.hire("petrov", "manager")
    await world.register()
    await fast_contact(world, warnings=[])
    order = await world.place()
    obligation = await world.obligation(order, "ORD-04")
    body = {"staff_id": str(petrov), "reason": "Иванов в отпуске"}
    assert (await post(world.staff_http(), obligation.id, "assignment", **body)).status_code == 403
    senior = world.staff_http(Role.SENIOR_MANAGER, "senior")
    assert (await post(senior, obligation.id, "assignment", **body)).status_code == 200
    fired = await until(lambda: levels(world.notifier, obligation.id), bool)
    assert fired[0].told == [str(petrov)]
    stranger = {"staff_id": str(new_id()), "reason": "Иванов в отпуске"}
    answer = await post(world.staff_http(Role.SENIOR_MANAGER, "senior"), obligation.id, "assignment", **stranger)
    assert answer.status_code == 422


async def test_an_obligation_closed_by_mistake_resumes_with_the_time_that_was_left(world: World) -> None:
    await world.with_people()
    await world.register()
    order = await world.place()
    before = await world.obligation(order, "ORD-04")
    await world.call("order_contact", order_id=order)
    closed = await the_obligation(world, before.id)
    senior = world.staff_http(Role.SENIOR_MANAGER, "senior")
    answer = await post(senior, before.id, "reopening", reason="Звонок не тому клиенту")
    assert answer.status_code == 200, answer.text
    after = await the_obligation(world, before.id)
    reopened = datetime.fromisoformat(after.spans[0]["ended_at"])
    assert (after.state, after.generation, after.closed_at) == ("open", 2, None)
    assert after.due_at - before.due_at == reopened - closed.closed_at
    assert after.next_at == datetime.fromisoformat(after.schedule[0]["at"])
    again = await post(world.staff_http(Role.SENIOR_MANAGER, "senior"), before.id, "reopening", reason="Ещё раз")
    assert again.status_code == 409
    await world.call("order_contact", order_id=order)
    assert (await the_obligation(world, before.id)).state == "done"


async def test_what_an_event_closes_no_tick_closes(world: World) -> None:
    obligation_id = await asked(world)
    answer = await post(world.staff_http(), obligation_id, "completion")
    assert answer.status_code == 403


async def test_an_offices_new_calendar_leaves_given_deadlines_and_says_so(world: World) -> None:
    obligation_id = await asked(world)
    before = await the_obligation(world, obligation_id)
    async with world.staff_http() as http:
        assert (await http.get(f"/obligations/{obligation_id}")).json()["calendar_is_current"] is True
    hours = ((("09:00", "18:00"),),) * 5 + ((), ())
    await world.open_office(version=2, calendar=calendar(weekly=hours, version=2))
    after = await the_obligation(world, obligation_id)
    assert (after.due_at, after.calendar_digest) == (before.due_at, before.calendar_digest)
    async with world.staff_http() as http:
        assert (await http.get(f"/obligations/{obligation_id}")).json()["calendar_is_current"] is False
