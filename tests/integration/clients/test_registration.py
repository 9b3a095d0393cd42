"""Registration, confirmation of the e-mail and sign-in (CL-07)."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from services.clients.models import EmailConfirmation
from shared.base.clock import now
from shared.contracts.clients import ClientChanged, ClientRegistered, EmailConfirmationRequested
from shared.persistence.database import new_id
from tests.integration.clients.conftest import (
    PASSWORD,
    TestOffice,
    office_event,
    open_office,
    problem,
    real_tokens,
    registration_body,
    staff_event,
)
from tests.support.harness import ServiceHarness


async def mailed_token(clients: ServiceHarness, client_id: str) -> str:
    """The token of the last letter's link."""
    letters = await clients.published(EmailConfirmationRequested, client_id=UUID(client_id))
    return parse_qs(urlsplit(letters[-1].confirmation_url).query)["token"][0]


async def sign_in(http: httpx.AsyncClient, login: str, password: str = PASSWORD) -> httpx.Response:
    return await http.post("/sessions", json={"login": login, "password": password})


@pytest.mark.clause("CL-07")
async def test_a_visitor_registers_confirms_the_email_and_signs_in(clients: ServiceHarness, office: TestOffice) -> None:
    body = registration_body(office.id, email="Petrov.A@Mail.Example", city="Невьянск")
    async with real_tokens(clients) as http:
        registered = await http.post("/registrations", json=body)
        assert registered.status_code == 201, registered.text
        client_id = registered.json()["client_id"]
        assert registered.json()["login"] == "petrov.a@mail.example"
        assert (await sign_in(http, "petrov.a@mail.example")).status_code == 401

        confirmed = await http.post("/email-confirmations", json={"token": await mailed_token(clients, client_id)})
        assert confirmed.status_code == 200, confirmed.text
        session = await sign_in(http, "PETROV.A@mail.example")
        assert session.status_code == 200, session.text
        me = await http.get("/me", headers={"Authorization": f"Bearer {session.json()['access_token']}"})

    assert me.status_code == 200, me.text
    card = me.json()
    assert (card["id"], card["full_name"], card["name_verified"]) == (client_id, "Иванов Иван", False)
    assert (card["email_confirmed"], card["city"], card["category_label"]) == (True, "Невьянск", "Интернет")
    assert (card["office_name"], card["manager_name"]) == ("ПроДеталь-Мира 45", "Андреева Мария")
    assert card["contacts_warning"] is None

    (event,) = await clients.published(ClientRegistered, client_id=UUID(client_id))
    assert (event.office_id, event.kind, event.category, event.active) == (office.id, "online", "internet", True)
    assert (event.email_confirmed, event.time_zone, event.manager_id) == (
        False,
        "Asia/Yekaterinburg",
        office.managers[0],
    )
    assert event.consents == ["service", "calls"]
    (changed,) = await clients.published(ClientChanged, client_id=UUID(client_id))
    assert changed.email_confirmed
    assert changed.version > event.version


async def test_the_letter_carries_a_link_to_the_public_site(clients: ServiceHarness, office: TestOffice) -> None:
    registered = await office.register()
    (letter,) = await clients.published(EmailConfirmationRequested, client_id=UUID(registered["client_id"]))
    assert letter.confirmation_url.startswith("https://shop.example/confirm-email?token=")
    assert letter.email == registered["email"]
    assert timedelta(hours=23) < letter.expires_at - now() <= timedelta(hours=24)


async def test_a_repeated_registration_request_makes_one_client(clients: ServiceHarness, office: TestOffice) -> None:
    body = registration_body(office.id)
    async with clients.http() as http:
        key = {"idempotency-key": str(new_id())}
        first = await http.post("/registrations", json=body, headers=key)
        second = await http.post("/registrations", json=body, headers=key)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert len(await clients.published(ClientRegistered, email=body["email"])) == 1


async def test_a_login_is_taken_once_in_the_whole_network(clients: ServiceHarness, office: TestOffice) -> None:
    login = f"user{new_id().hex}"
    await office.register(login=login)
    other = await open_office(clients)
    async with clients.http() as http:
        answer = await http.post("/registrations", json=registration_body(other.id, login=login.upper()))
    assert (answer.status_code, problem(answer)) == (409, "login-taken")


async def test_without_consent_to_process_personal_data_there_is_no_registration(
    clients: ServiceHarness, office: TestOffice
) -> None:
    async with clients.http() as http:
        answer = await http.post("/registrations", json=registration_body(office.id, consents=["advertising"]))
    assert (answer.status_code, answer.json()["errors"][0]["location"]) == (422, "consents")


async def offices_of_the_form(http: httpx.AsyncClient) -> set[str]:
    """The offices on all pages of the list, for other tests may have opened more than one page holds."""
    found: set[str] = set()
    params: dict[str, Any] = {"limit": 200}
    while True:
        page = (await http.get("/public/offices", params=params)).json()
        found |= {office["id"] for office in page["items"]}
        if page["next"] is None:
            return found
        params["cursor"] = page["next"]


async def test_registration_needs_an_open_office(clients: ServiceHarness) -> None:
    closed, opened = await open_office(clients, active=False), await open_office(clients)
    body = registration_body(closed.id)
    async with clients.http() as http:
        for office_id in (closed.id, new_id()):
            answer = await http.post("/registrations", json=body | {"office_id": str(office_id)})
            assert (answer.status_code, problem(answer)) == (404, "not-found")
        listed = await offices_of_the_form(http)
        assert (str(opened.id) in listed, str(closed.id) in listed) == (True, False)
        assert await clients.published(ClientRegistered, email=body["email"]) == []
        # Once it is open, the same visitor finds it and registers.
        await clients.deliver(office_event(closed.id, version=2))
        assert str(closed.id) in await offices_of_the_form(http)
        assert (await http.post("/registrations", json=body)).status_code == 201


async def test_a_second_click_on_the_link_is_answered_like_the_first(
    clients: ServiceHarness, office: TestOffice
) -> None:
    client_id = (await office.register())["client_id"]
    token = {"token": await mailed_token(clients, client_id)}
    async with clients.http() as http:
        answers = [await http.post("/email-confirmations", json=token) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(await clients.published(ClientChanged, client_id=UUID(client_id))) == 1


@pytest.mark.clause("CL-07")
async def test_a_wrong_or_expired_link_opens_nothing(clients: ServiceHarness, office: TestOffice) -> None:
    registered = await office.register()
    token = await mailed_token(clients, registered["client_id"])
    async with clients.session() as session:
        await session.execute(
            update(EmailConfirmation)
            .where(EmailConfirmation.client_id == UUID(registered["client_id"]))
            .values(expires_at=now() - timedelta(seconds=1))
        )
    async with clients.http() as http:
        for wrong in (token, "no-such-token"):
            answer = await http.post("/email-confirmations", json={"token": wrong})
            assert (answer.status_code, problem(answer)) == (422, "confirmation-invalid")
        assert (await sign_in(http, registered["login"])).status_code == 401


async def test_another_letter_is_sent_no_more_than_once_a_minute(clients: ServiceHarness, office: TestOffice) -> None:
    registered = await office.register()
    client_id = UUID(registered["client_id"])
    async with clients.http() as http:

        async def ask(login: str) -> httpx.Response:
            return await http.post("/email-confirmations/requests", json={"login": login})

        answers = [await ask(registered["login"]), await ask("nobody@mail.example")]
        assert len(await clients.published(EmailConfirmationRequested, client_id=client_id)) == 1
        await _forget_the_pause(clients, client_id)
        answers.append(await ask(registered["login"]))
        assert len(await clients.published(EmailConfirmationRequested, client_id=client_id)) == 2
        await _forget_the_pause(clients, client_id)
        answers.append(await ask(registered["email"].upper()))
    assert len(await clients.published(EmailConfirmationRequested, client_id=client_id)) == 3
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}


async def _forget_the_pause(clients: ServiceHarness, client_id: UUID) -> None:
    async with clients.session() as session:
        await session.execute(
            update(EmailConfirmation)
            .where(EmailConfirmation.client_id == client_id)
            .values(requested_at=now() - timedelta(minutes=2))
        )


@pytest.mark.clause("CL-10")
async def test_clients_get_managers_in_turn_and_a_senior_only_when_there_is_none(clients: ServiceHarness) -> None:
    office = await open_office(clients, managers=3)
    senior = new_id()
    await clients.deliver(staff_event(senior, office.id, "senior_manager"))
    given = [(await office.create())["manager_id"] for _ in range(6)]
    assert sorted(given[:3]) == sorted(given[3:]) == sorted(str(manager) for manager in office.managers)
    for manager in office.managers:
        await clients.deliver(staff_event(manager, office.id, "manager", version=2, active=False))
    assert (await office.create())["manager_id"] == str(senior)


async def test_the_client_changes_the_password(clients: ServiceHarness, office: TestOffice) -> None:
    registered = await office.register()
    async with clients.http() as http:
        await http.post("/email-confirmations", json={"token": await mailed_token(clients, registered["client_id"])})
        async with office.client(registered["client_id"]) as cabinet:
            wrong = await cabinet.post(
                "/me/password", json={"current_password": "x", "new_password": "другой-пароль-7"}
            )
            assert (wrong.status_code, problem(wrong)) == (422, "wrong-password")
            done = await cabinet.post(
                "/me/password", json={"current_password": PASSWORD, "new_password": "другой-пароль-7"}
            )
            assert done.status_code == 204, done.text
        assert (await sign_in(http, registered["login"])).status_code == 401
        assert (await sign_in(http, registered["login"], "другой-пароль-7")).status_code == 200
