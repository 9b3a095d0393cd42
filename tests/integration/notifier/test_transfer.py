"""An obligation moves to another office: its rest is counted there, its past stays as it was."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import httpx
import pytest

from shared.contracts.notifier import ObligationClosed, ObligationOpened
from shared.identity.roles import Role
from shared.persistence.database import new_id
from shared.vocabulary.worktime import add_working_minutes, working_minutes_between
from tests.integration.notifier.conftest import World
from tests.integration.notifier.test_engine import fast_contact, levels, until
from tests.integration.notifier.test_handling import asked, post, the_obligation
from tests.support.notifier import EVENINGS, calendar, minutes

WHY = "Клиент переехал, заказ выдаёт другой офис"


@pytest.fixture
async def other(world: World) -> World:
    """An office that works one hour a day, in another zone."""
    other = replace(world, office_id=new_id(), staff={}, office_name="ПроДеталь-Обь")
    await other.open_office(calendar=EVENINGS, time_zone="Asia/Novosibirsk")
    await other.hire("petrov", "manager")
    await other.hire("chief", "senior_manager")
    return other


async def moved(world: World, obligation_id: UUID, to: World, *, to_whom: str | None = None) -> httpx.Response:
    body = {"office_id": str(to.office_id), "reason": WHY}
    if to_whom:
        body["staff_id"] = str(to.staff[to_whom])
    return await post(world.notifier.http(Role.HEAD_OFFICE), obligation_id, "office", **body)


async def test_what_was_left_of_the_time_is_left_by_the_other_offices_calendar(world: World, other: World) -> None:
    obligation_id = await asked(world)
    before = await the_obligation(world, obligation_id)
    answer = await moved(world, obligation_id, other, to_whom="petrov")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert await world.obligations(id=obligation_id) == []
    (after,) = await other.obligations(id=obligation_id)
    (entry,) = [entry for entry in shown["history"] if entry["event"] == "transferred"]
    moment = datetime.fromisoformat(entry["at"])
    left = working_minutes_between(calendar(), moment, before.due_at)
    assert after.due_at == add_working_minutes(EVENINGS, moment, left)
    assert (after.generation, after.rule_version, after.opened_at) == (2, before.rule_version, before.opened_at)
    assert after.responsible_staff_id == other.staff["petrov"]
    assert after.next_at == datetime.fromisoformat(after.schedule[0]["at"]) > before.next_at
    assert (entry["details"]["from"], entry["details"]["to"]) == (str(world.office_id), str(other.office_id))
    assert shown["remarks"][0]["text"] == WHY

    (ended,) = await world.notifier.published(ObligationClosed, obligation_id=obligation_id)
    assert (ended.office_id, ended.outcome, ended.generation) == (world.office_id, "superseded", 1)
    opened = await world.notifier.published(ObligationOpened, obligation_id=obligation_id)
    assert [(event.office_id, event.generation) for event in opened] == [(world.office_id, 1), (other.office_id, 2)]

    arrived = next(sentence for sentence in shown["explanation"] if "«ПроДеталь-Обь»" in sentence)
    assert "Asia/Novosibirsk" in arrived
    assert shown["explanation"][-3] == "Всего засчитано 2 ч рабочего времени."
    async with world.staff_http() as http:
        assert (await http.get(f"/obligations/{obligation_id}")).status_code == 404
    async with other.staff_http(who="petrov") as http:
        seen = (await http.get(f"/obligations/{obligation_id}")).json()
    assert [entry["event"] for entry in seen["history"]] == ["opened", "transferred"]
    assert len(seen["remarks"]) == 1


async def test_a_passed_deadline_stays_passed_and_the_climb_goes_on_at_the_other_office(
    world: World, other: World
) -> None:
    await other.open_office(version=2)  # Around the clock.
    await world.with_people()
    await world.register()
    await fast_contact(world, duration={"amount": 1, "unit": "seconds"}, warnings=[])
    order = await world.place()
    obligation = await world.obligation(order, "ORD-04")
    await until(lambda: levels(world.notifier, obligation.id), bool)
    answer = await moved(world, obligation.id, other)
    assert answer.status_code == 200, answer.text
    (after,) = await other.obligations(id=obligation.id)
    assert (after.due_at, after.breached_at is not None) == (obligation.due_at, True)
    fired = await until(lambda: levels(world.notifier, obligation.id), lambda found: len(found) >= 2)
    assert fired[0].told == [str(world.staff["ivanov"])]
    assert {row.office_id for row in fired} == {other.office_id}
    later = await until(lambda: levels(world.notifier, obligation.id), lambda found: found[-1].generation == 2)
    assert str(other.staff["chief"]) in later[-1].told


async def test_what_was_agreed_with_the_client_is_not_moved(world: World, other: World) -> None:
    obligation_id = await asked(world)
    due = (await the_obligation(world, obligation_id)).due_at + minutes(60)
    await post(world.staff_http(), obligation_id, "deadline", due_at=due.isoformat(), reason=WHY)
    assert (await moved(world, obligation_id, other)).status_code == 200
    (after,) = await other.obligations(id=obligation_id)
    assert (after.due_at, after.agreed_due_at) == (due, due)
    breach, *climb = [datetime.fromisoformat(step["at"]) for step in after.schedule if step["kind"] != "warning"]
    assert breach == due
    assert climb[0] == add_working_minutes(EVENINGS, due, 20)


async def test_an_obligation_that_waits_for_the_client_moves_with_its_clock_paused(world: World, other: World) -> None:
    obligation_id = await asked(world)
    before = await the_obligation(world, obligation_id)
    waiting = {"holder": "client", "reason": "Уточняем сторону"}
    shown = (await post(world.staff_http(), obligation_id, "waiting", **waiting)).json()
    paused = datetime.fromisoformat(shown["paused_at"])
    assert (await moved(world, obligation_id, other)).status_code == 200
    (after,) = await other.obligations(id=obligation_id)
    left = working_minutes_between(calendar(), paused, before.due_at)
    assert (after.paused_at, after.next_at) == (paused, None)
    assert after.due_at == add_working_minutes(EVENINGS, paused, left)
    answered = {"holder": "manager", "reason": "Клиент ответил"}
    gone_on = (await post(other.staff_http(who="petrov"), obligation_id, "waiting", **answered)).json()
    resumed = datetime.fromisoformat(gone_on["spans"][0]["ended_at"])
    assert datetime.fromisoformat(gone_on["due_at"]) == add_working_minutes(EVENINGS, resumed, left)
    assert gone_on["explanation"][-3] == "Всего засчитано 2 ч рабочего времени."


async def test_events_go_on_counting_by_the_calendar_of_the_office_that_has_the_obligation(
    world: World, other: World
) -> None:
    """The order is still the first office's, and so are its events."""
    await world.with_people()
    await world.register()
    order = await world.place(check_requested=True)
    obligation = await world.obligation(order, "ORD-06")
    assert (await moved(world, obligation.id, other)).status_code == 200
    await world.notifier.deliver(world.order_paid(order))
    (after,) = await other.obligations(id=obligation.id)
    assert after.rule_code == "ORD-06-PAID"
    assert after.due_at == add_working_minutes(EVENINGS, after.opened_at, 30)
    await world.change_client(2, manager_id=await world.hire("sidorov", "manager"))
    assert (await other.obligations(id=obligation.id))[0].responsible_staff_id is None


async def test_who_may_not_and_what_cannot_be(world: World, other: World) -> None:
    obligation_id = await asked(world)
    body = {"office_id": str(other.office_id), "reason": WHY}
    director = world.staff_http(Role.DIRECTOR, "director")
    assert (await post(director, obligation_id, "office", **body)).status_code == 403
    assert (await moved(world, obligation_id, world)).status_code == 409
    nowhere = replace(world, office_id=new_id())
    assert (await moved(world, obligation_id, nowhere)).status_code == 422
    stranger = await post(
        world.notifier.http(Role.HEAD_OFFICE), obligation_id, "office", **body, staff_id=str(world.staff["ivanov"])
    )
    assert stranger.status_code == 422
    never = replace(other, office_id=new_id())
    await never.open_office(calendar=calendar(weekly=((),) * 7))
    assert (await moved(world, obligation_id, never)).status_code == 409
    assert (await the_obligation(world, obligation_id)).generation == 1
    assert (await moved(world, new_id(), other)).status_code == 404
