"""Calls, the list of calls to make and the cold list."""

from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import update

from services.clients.models import Client
from shared.base.clock import now
from shared.contracts.clients import CallLogged, ClientChanged
from shared.contracts.notifier import (
    ObligationBreached,
    ObligationClosed,
    ObligationOpened,
    ObligationWarned,
)
from shared.contracts.orders import OrderPlaced
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.clients.conftest import TestOffice, open_office, problem, staff_event
from tests.support.harness import ServiceHarness

E = TypeVar("E", ObligationOpened, ObligationWarned, ObligationBreached, ObligationClosed)


def duty(event_class: type[E], office: TestOffice, client_id: str, **changes: Any) -> E:
    moment = now()
    facts = {
        "office_id": office.id,
        "version": 1,
        "occurred_at": moment,
        "obligation_id": new_id(),
        "rule_code": "CALL-01",
        "clause": "CALL-01",
        "rule_version": 1,
        "generation": 1,
        "subject_kind": "client",
        "subject_id": UUID(client_id),
        "client_id": UUID(client_id),
        "opened_at": moment,
        "due_at": moment + timedelta(minutes=20),
        "breached_at": moment,
        "penalty_points": 1,
        "outcome": "done",
        "breached": False,
        "closed_at": moment,
    }
    return event_class.model_validate(facts | changes)


async def call_list(office: TestOffice, **params: Any) -> list[dict[str, Any]]:
    async with office.manager() as http:
        answer = await http.get("/call-list", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.clause("CL-05", "CL-12", "CL-13")
async def test_a_call_is_logged_in_the_form_of_the_regulation(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create(name_verified=False)
    async with office.manager() as http:
        answer = await http.post(
            f"/clients/{card['id']}/calls",
            json={
                "outcome": "reached",
                "goals": ["first_call"],
                "rating": 5,
                "comment": "Сайт удобный, закажет к выходным",
                "source": "листовка в автомойке",
                "full_name": "Иванов Иван Сергеевич",
                "called_at": "2026-03-14T13:45:00Z",
            },
        )
        assert answer.status_code == 201, answer.text
        after = (await http.get(f"/clients/{card['id']}")).json()
        log = (await http.get(f"/clients/{card['id']}/calls")).json()["items"]
    call = answer.json()
    assert call["entry"] == "18:45, 14.03.26. Оценка 5. Сайт удобный, закажет к выходным. М.А."
    assert call["rating_label"] == "Все понравилось, уже составляет заказ, либо уже заказал"
    assert (call["goal_labels"], call["outcome_label"]) == (["Первый звонок"], "Дозвонились")
    assert log == [call]
    assert (after["rating"], after["source"], after["full_name"], after["name_verified"]) == (
        5,
        "листовка в автомойке",
        "Иванов Иван Сергеевич",
        True,
    )
    (event,) = await clients.published(CallLogged, client_id=UUID(card["id"]))
    assert (event.call_id, event.staff_id) == (UUID(call["id"]), office.managers[0])
    assert (event.outcome, event.goals, event.rating, event.first_attempt) == ("reached", ["first_call"], 5, True)
    (changed,) = await clients.published(ClientChanged, client_id=UUID(card["id"]))
    assert (changed.full_name, changed.name_verified) == ("Иванов Иван Сергеевич", True)


@pytest.mark.clause("CALL-02")
async def test_only_the_first_call_ever_is_a_first_attempt(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create()
    async with office.manager() as http:
        for call in (
            {"outcome": "no_answer", "goals": ["first_call"]},
            {"outcome": "reached", "goals": ["first_call"], "rating": 4},
        ):
            assert (await http.post(f"/clients/{card['id']}/calls", json=call)).status_code == 201
    events = await clients.published(CallLogged, client_id=UUID(card["id"]))
    assert [event.first_attempt for event in events] == [True, False]
    assert events[0].version < events[1].version


@pytest.mark.clause("K2")
async def test_one_call_serves_several_goals(clients: ServiceHarness, office: TestOffice) -> None:
    card, order_id = await office.create(), new_id()
    async with office.manager() as http:
        await http.post(
            f"/clients/{card['id']}/calls",
            json={
                "outcome": "reached",
                "goals": ["order_contact", "order_offer", "order_contact"],
                "order_id": str(order_id),
            },
        )
    (event,) = await clients.published(CallLogged, client_id=UUID(card["id"]))
    assert (event.goals, event.order_id) == (["order_contact", "order_offer"], order_id)


async def test_a_repeated_request_logs_one_call(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create()
    key = {"idempotency-key": str(new_id())}
    async with office.manager() as http:
        call = {"outcome": "no_answer", "goals": ["first_call"]}
        answers = [await http.post(f"/clients/{card['id']}/calls", json=call, headers=key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert len(await clients.published(CallLogged, client_id=UUID(card["id"]))) == 1


@pytest.mark.clause("CL-12")
async def test_a_rating_belongs_to_a_conversation(office: TestOffice) -> None:
    card = await office.create()
    async with office.manager() as http:
        for call, field in (
            ({"outcome": "no_answer", "goals": ["first_call"], "rating": 5}, "rating"),
            ({"outcome": "reached", "goals": ["first_call"]}, "rating"),
            ({"outcome": "no_answer", "goals": ["other"], "called_at": "2090-01-01T00:00:00Z"}, "called_at"),
        ):
            answer = await http.post(f"/clients/{card['id']}/calls", json=call)
            assert (answer.status_code, problem(answer)) == (422, "invalid")
            assert answer.json()["errors"][0]["location"] == field
        assert (await http.get(f"/clients/{card['id']}/calls")).json()["items"] == []


@pytest.mark.clause("CL-11")
async def test_the_log_tells_the_time_of_the_office_and_keeps_the_newest_first(clients: ServiceHarness) -> None:
    office = await open_office(clients, time_zone="Asia/Kamchatka", city="Петропавловск-Камчатский")
    card = await office.create()
    async with office.manager() as http:
        for called_at in ("2025-03-01T20:00:00Z", "2025-03-01T21:30:00Z"):
            await http.post(
                f"/clients/{card['id']}/calls",
                json={"outcome": "no_answer", "goals": ["other"], "called_at": called_at},
            )
        log = (await http.get(f"/clients/{card['id']}/calls", params={"limit": 1})).json()
        older = (await http.get(f"/clients/{card['id']}/calls", params={"limit": 1, "cursor": log["next"]})).json()
    assert log["items"][0]["entry"] == "09:30, 02.03.25. Не берёт трубку. М.А."
    assert older["items"][0]["entry"] == "08:00, 02.03.25. Не берёт трубку. М.А."
    assert older["next"] is None


@pytest.mark.clause("CALL-01")
async def test_the_list_says_whom_to_call_how_soon_and_with_what_words(clients: ServiceHarness) -> None:
    office = await open_office(clients)
    card = await office.create(full_name="Петров Пётр", phone="+79125830149")
    order_id = new_id()
    later = duty(ObligationOpened, office, card["id"], due_at=now() + timedelta(minutes=40))
    sooner = duty(
        ObligationOpened,
        office,
        card["id"],
        rule_code="ORD-04",
        clause="ORD-04",
        subject_kind="order",
        subject_id=order_id,
    )
    for event in (later, sooner):
        await clients.deliver(event)
    first, second = await call_list(office)
    assert (first["goal"], first["goal_label"]) == ("order_contact", "Узнать, когда планируется оплата")
    assert (first["order_id"], second["order_id"]) == (str(order_id), None)
    assert (first["client_name"], first["phone_shown"]) == ("Петров Пётр", "+7 912 583-01-49")
    assert 1100 < first["seconds_left"] <= 1200 < second["seconds_left"] <= 2400
    assert (first["overdue"], first["attempts"], first["last_attempt"]) == (False, 0, None)
    assert second["script"].startswith(
        "Добрый день! Меня зовут Мария, магазин автозапчастей ПроДеталь-Мира 45. Спасибо за регистрацию!"
    )
    assert [item["goal"] for item in await call_list(office, goal="first_call")] == ["first_call"]
    async with office.manager() as http:
        pages = await http.get("/call-list", params={"limit": 1})
        rest = await http.get("/call-list", params={"limit": 1, "cursor": pages.json()["next"]})
    assert datetime.fromisoformat(pages.json()["server_time"]) <= now()
    assert [page.json()["items"][0]["obligation_id"] for page in (pages, rest)] == [
        first["obligation_id"],
        second["obligation_id"],
    ]


async def test_attempts_are_shown_while_the_duty_stays_open(clients: ServiceHarness) -> None:
    office = await open_office(clients)
    card = await office.create()
    await clients.deliver(duty(ObligationOpened, office, card["id"]))
    async with office.manager() as http:
        for outcome in ("no_answer", "cannot_talk"):
            await http.post(f"/clients/{card['id']}/calls", json={"outcome": outcome, "goals": ["first_call"]})
        await http.post(f"/clients/{card['id']}/calls", json={"outcome": "no_answer", "goals": ["payment_check"]})
    (item,) = await call_list(office)
    assert (item["attempts"], item["last_attempt"]["outcome_label"]) == (2, "Не может сейчас разговаривать")


async def test_a_duty_is_followed_in_whatever_order_its_events_come(clients: ServiceHarness) -> None:
    office = await open_office(clients)
    card = await office.create()
    facts: dict[str, Any] = {"obligation_id": new_id(), "due_at": now() - timedelta(minutes=1)}
    await clients.deliver(duty(ObligationBreached, office, card["id"], version=3, **facts))
    await clients.deliver(duty(ObligationWarned, office, card["id"], version=2, **facts))
    (item,) = await call_list(office, overdue=True)
    assert (item["overdue"], item["warned"]) == (True, True)
    assert item["seconds_left"] <= -60
    await clients.deliver(duty(ObligationClosed, office, card["id"], version=4, **facts))
    await clients.deliver(duty(ObligationOpened, office, card["id"], version=1, **facts))
    assert await call_list(office) == []
    # Changed facts set the clock anew: the next generation is open again.
    await clients.deliver(duty(ObligationOpened, office, card["id"], version=5, generation=2, **facts))
    assert len(await call_list(office)) == 1


async def test_duties_that_are_no_calls_are_not_on_the_list(clients: ServiceHarness) -> None:
    office = await open_office(clients)
    card = await office.create()
    await clients.deliver(duty(ObligationOpened, office, card["id"], rule_code="ORD-07", clause="ORD-07"))
    await clients.deliver(duty(ObligationOpened, office, card["id"], rule_code="CALL-01-TAGIL"))
    assert [item["rule_code"] for item in await call_list(office)] == ["CALL-01-TAGIL"]


async def test_the_list_is_the_offices_own_and_can_be_narrowed_to_mine(clients: ServiceHarness) -> None:
    office, other = await open_office(clients), await open_office(clients)
    colleague = new_id()
    await clients.deliver(staff_event(colleague, office.id, "manager"))
    mine = await office.create(manager_id=str(office.managers[0]))
    theirs = await office.create(manager_id=str(colleague))
    for card in (mine, theirs):
        await clients.deliver(duty(ObligationOpened, office, card["id"]))
    assert len(await call_list(office)) == 2
    assert [item["client_id"] for item in await call_list(office, mine=True)] == [mine["id"]]
    assert await call_list(other) == []
    async with clients.http(Role.HEAD_OFFICE) as http:
        seen = (await http.get("/call-list", params={"office_id": str(office.id)})).json()["items"]
    assert len(seen) == 2


@pytest.mark.clause("CALL-04")
async def test_whoever_opted_out_is_not_called_cold(clients: ServiceHarness) -> None:
    office = await open_office(clients)
    willing, unwilling = await office.create(consents=["calls"]), await office.create()
    for card in (willing, unwilling):
        await clients.deliver(duty(ObligationOpened, office, card["id"], rule_code="CALL-04", clause="CALL-04"))
    assert [item["client_id"] for item in await call_list(office)] == [willing["id"]]
    async with office.client(willing["id"]) as http:
        answer = await http.put(f"/clients/{willing['id']}/consents/calls", json={"given": False})
        assert answer.status_code == 204, answer.text
    assert await call_list(office) == []


@pytest.mark.clause("CALL-04")
async def test_the_cold_list_is_those_of_7_to_10_days_without_an_order(clients: ServiceHarness) -> None:
    office = await open_office(clients)
    ages = {"young": 6, "seven": 7.1, "ordered": 8, "asked": 8.5, "unwilling": 9, "ten": 9.9, "old": 10.1}
    cards = {
        name: await office.create(consents=[] if name == "unwilling" else ["calls"], full_name=f"{name} client")
        for name in ages
    }
    async with clients.session() as session:
        for name, days in ages.items():
            await session.execute(
                update(Client)
                .where(Client.client_id == UUID(cards[name]["id"]))
                .values(registered_at=now() - timedelta(days=days)),
            )
    await clients.deliver(
        OrderPlaced(
            office_id=office.id,
            version=1,
            occurred_at=now(),
            order_id=new_id(),
            number="1",
            client_id=UUID(cards["ordered"]["id"]),
            client_category="internet",
            wholesale=False,
            channel="cabinet",
            positions=[],
            total="0",
            check_requested=False,
            placed_at=now(),
        )
    )
    async with office.manager() as http:
        await http.post(
            f"/clients/{cards['asked']['id']}/calls",
            json={
                "outcome": "reached",
                "goals": ["cold_call"],
                "objection": "price",
                "comment": "Дорого, предложен аналог",
            },
        )
        answer = await http.get("/cold-list")
        assert (await http.get(f"/clients/{cards['ordered']['id']}")).json()["first_order_at"] is not None
    assert [item["full_name"] for item in answer.json()["items"]] == ["ten client", "seven client"]
    assert "Меня зовут Мария, магазин автозапчастей ПроДеталь-Мира 45" in answer.json()["script"]
    assert "ошибки" in answer.json()["script"]


@pytest.mark.clause("CALL-05")
async def test_scripts_carry_the_callers_and_the_offices_name(office: TestOffice) -> None:
    async with office.manager() as http:
        answer = await http.get("/scripts")
    assert answer.status_code == 200, answer.text
    scripts = answer.json()
    introduced = [
        "Меня зовут Мария" in text["body"] and "ПроДеталь-Мира 45" in text["body"]
        for text in scripts["scripts"].values()
    ]
    assert introduced == [True] * 6
    assert [text["title"] for text in scripts["objections"]] == ["Высокие цены", "Большие сроки поставки", "Предоплата"]
