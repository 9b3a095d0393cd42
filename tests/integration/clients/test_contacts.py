"""Wrong and fabricated phones (CL-06)."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from services.clients.models import Client
from shared.base.clock import now
from shared.contracts.clients import ClientChanged, ContactsCorrected, ContactsRequested
from shared.contracts.notifier import ObligationLimitReached
from shared.identity.roles import Role
from shared.persistence.database import new_id
from shared.persistence.tables import audit_log
from tests.integration.clients.conftest import PASSWORD, TestOffice, open_office, problem, unique_phone
from tests.support.harness import ServiceHarness

FABRICATED = "+79111111111"


def limit_reached(office: TestOffice, client_id: str, **changes: object) -> ObligationLimitReached:
    moment = now()
    facts = {
        "office_id": office.id,
        "version": 5,
        "occurred_at": moment,
        "obligation_id": new_id(),
        "rule_code": "CL-06",
        "clause": "CL-06",
        "rule_version": 1,
        "generation": 1,
        "subject_kind": "client",
        "subject_id": UUID(client_id),
        "client_id": UUID(client_id),
        "opened_at": moment,
        "due_at": moment,
        "action": "disable_client",
        "reached_at": moment,
    }
    return ObligationLimitReached.model_validate(facts | changes)


async def patch(http: httpx.AsyncClient, client_id: str, **changes: object) -> httpx.Response:
    card = await http.get(f"/clients/{client_id}")
    return await http.patch(f"/clients/{client_id}", json=changes, headers={"If-Match": card.headers["etag"]})


@pytest.mark.clause("CL-06")
async def test_a_fabricated_phone_at_registration_starts_the_request_by_mail(
    clients: ServiceHarness, office: TestOffice
) -> None:
    registered = await office.register(phone=FABRICATED)
    client_id = UUID(registered["client_id"])
    (request,) = await clients.published(ContactsRequested, client_id=client_id)
    assert (request.email, request.office_id) == (registered["email"], office.id)
    assert timedelta(hours=71) < request.disable_at - now() <= timedelta(hours=72)
    async with office.manager() as http:
        card = (await http.get(f"/clients/{client_id}")).json()
        listed = (await http.get("/clients", params={"phone_suspect": True, "contacts_requested": True})).json()
    assert (card["phone_suspicion"], card["phone_suspicion_label"]) == ("same_digits", "Номер из одинаковых цифр")
    assert card["contacts_due_at"] is not None
    assert [row["id"] for row in listed["items"]] == [str(client_id)]
    async with office.client(client_id) as http:
        assert "отключена" in (await http.get("/me")).json()["contacts_warning"]


async def test_without_email_a_fabricated_phone_is_only_marked(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create(phone="+79121212121")
    assert (card["phone_suspicion"], card["contacts_requested_at"]) == ("repeated_pairs", None)
    assert await clients.published(ContactsRequested, client_id=UUID(card["id"])) == []
    async with office.manager() as http:
        answer = await http.post(f"/clients/{card['id']}/contact-requests")
        assert (answer.status_code, problem(answer)) == (409, "client-without-email")
        with_email = await patch(http, card["id"], email=f"late-{new_id().hex}@mail.example")
        assert with_email.json()["contacts_requested_at"] is not None
    assert len(await clients.published(ContactsRequested, client_id=UUID(card["id"]))) == 1


async def test_one_number_on_many_cards_of_the_network_is_not_believed(clients: ServiceHarness) -> None:
    phone = unique_phone()
    offices = [await open_office(clients) for _ in range(4)]
    cards = [await office.create(phone=phone) for office in offices]
    assert [card["phone_suspicion"] for card in cards] == [None, None, None, "many_cards"]


async def test_staff_ask_for_contacts_once(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create(email=f"ask-{new_id().hex}@mail.example")
    async with office.manager() as http:
        asked = await http.post(f"/clients/{card['id']}/contact-requests")
        assert asked.status_code == 201, asked.text
        again = await http.post(f"/clients/{card['id']}/contact-requests")
        assert (again.status_code, problem(again)) == (409, "contacts-already-requested")
        after = (await http.get(f"/clients/{card['id']}")).json()
    (event,) = await clients.published(ContactsRequested, client_id=UUID(card["id"]))
    assert (event.email, event.version) == (card["email"], after["version"])
    assert after["phone_suspicion"] == "wrong_number"


async def test_a_wrong_number_call_starts_the_request(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create(email=f"wrong-{new_id().hex}@mail.example")
    async with office.manager() as http:
        call = await http.post(
            f"/clients/{card['id']}/calls", json={"outcome": "wrong_number", "goals": ["first_call"]}
        )
    assert call.status_code == 201, call.text
    assert len(await clients.published(ContactsRequested, client_id=UUID(card["id"]))) == 1


async def test_whoever_was_reached_owes_no_other_number(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create(phone=FABRICATED, email=f"real-{new_id().hex}@mail.example", allow_duplicate=True)
    path, credentials = f"/clients/{card['id']}", {"login": f"real-{new_id().hex}", "password": PASSWORD}
    missed = {"outcome": "no_answer", "goals": ["first_call"]}
    reached = missed | {"outcome": "reached", "rating": 4}
    async with office.manager() as manager, clients.http() as visitor:
        await manager.post(f"{path}/login", json=credentials)
        before_the_request = (now() - timedelta(hours=1)).isoformat()
        for call in (missed, reached | {"called_at": before_the_request}):
            assert (await manager.post(f"{path}/calls", json=call)).status_code == 201
            assert (await manager.get(path)).json()["phone_suspicion"] == "same_digits"
        await clients.deliver(limit_reached(office, card["id"]))
        assert (await visitor.post("/sessions", json=credentials)).status_code == 401
        assert (await manager.post(f"{path}/calls", json=reached)).status_code == 201
        after = (await manager.get(path)).json()
        assert (await visitor.post("/sessions", json=credentials)).status_code == 200
    assert (after["phone"], after["active"], after["phone_suspicion"]) == (FABRICATED, True, None)
    assert (after["contacts_requested_at"], after["contacts_due_at"]) == (None, None)
    assert len(await clients.published(ContactsCorrected, client_id=UUID(card["id"]))) == 1
    assert (await clients.published(ClientChanged, client_id=UUID(card["id"])))[-1].active


async def test_a_corrected_email_does_not_make_a_wrong_phone_right(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create(email=f"old-{new_id().hex}@mail.example")
    async with office.manager() as http:
        await http.post(f"/clients/{card['id']}/calls", json={"outcome": "wrong_number", "goals": ["first_call"]})
        before = (await http.get(f"/clients/{card['id']}")).json()
        after = (await patch(http, card["id"], email=f"new-{new_id().hex}@mail.example")).json()
    assert before["contacts_requested_at"] is not None
    for name in ("phone_suspicion", "contacts_requested_at", "contacts_due_at"):
        assert after[name] == before[name], name
    assert not await clients.published(ContactsCorrected, client_id=UUID(card["id"]))


async def test_a_cursor_of_a_time_that_cannot_be_stored_is_a_problem(office: TestOffice) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["0001-01-01T00:00:00+14:00", str(new_id())]).encode()).decode()
    async with office.manager() as http:
        answer = await http.get("/clients", params={"cursor": cursor})
    assert (answer.status_code, problem(answer)) == (400, "bad-cursor")


async def test_a_corrected_phone_closes_the_request_and_another_bad_one_does_not(
    clients: ServiceHarness, office: TestOffice
) -> None:
    registered = await office.register(phone=FABRICATED)
    client_id = registered["client_id"]
    async with office.client(client_id) as http:

        async def give(phone: str) -> httpx.Response:
            me = await http.get("/me")
            return await http.patch("/me", json={"phone": phone}, headers={"If-Match": me.headers["etag"]})

        assert (await give("+79122222222")).json()["contacts_warning"] is not None
        assert await clients.published(ContactsCorrected, client_id=UUID(client_id)) == []
        good = await give(unique_phone())
    assert good.json()["contacts_warning"] is None
    (corrected,) = await clients.published(ContactsCorrected, client_id=UUID(client_id))
    assert corrected.version == good.json()["version"]
    assert len(await clients.published(ContactsRequested, client_id=UUID(client_id))) == 1


@pytest.mark.clause("CL-06")
async def test_when_the_time_is_over_the_account_is_disabled_and_signed_out(
    clients: ServiceHarness, office: TestOffice
) -> None:
    card = await office.create(phone=FABRICATED, email=f"late-{new_id().hex}@mail.example", allow_duplicate=True)
    login = f"late-{new_id().hex}"
    async with office.manager() as manager, clients.http() as http:
        await manager.post(f"/clients/{card['id']}/login", json={"login": login, "password": PASSWORD})
        credentials = {"login": login, "password": PASSWORD}
        refresh = (await http.post("/sessions", json=credentials)).json()["refresh_token"]
        await clients.deliver(limit_reached(office, card["id"]))
        after = (await manager.get(f"/clients/{card['id']}")).json()
        assert (after["active"], after["disabled_reason_label"]) == (False, "Не предоставлены контактные данные")
        assert (await http.post("/sessions", json=credentials)).status_code == 401
        assert (await http.post("/sessions/refresh", json={"refresh_token": refresh})).status_code == 401
        feed = (await http.get("/revocations")).json()["revoked"]
        assert card["id"] in {row["subject"] for row in feed}
        assert not (await clients.published(ClientChanged, client_id=UUID(card["id"])))[-1].active

        opened = await patch(manager, card["id"], phone=unique_phone())
        assert (opened.json()["active"], opened.json()["contacts_requested_at"]) == (True, None)
        assert (await http.post("/sessions", json=credentials)).status_code == 200
    assert len(await clients.published(ContactsCorrected, client_id=UUID(card["id"]))) == 1


async def test_a_redelivered_limit_disables_once(clients: ServiceHarness, office: TestOffice) -> None:
    client_id = (await office.register(phone=FABRICATED))["client_id"]
    event, event_id = limit_reached(office, client_id), new_id()
    await clients.deliver(event, event_id=event_id)
    await clients.deliver(event, event_id=event_id)
    await clients.deliver(event)
    disabled = [e for e in await clients.published(ClientChanged, client_id=UUID(client_id)) if not e.active]
    assert len(disabled) == 1


async def test_a_client_who_answered_in_time_is_not_disabled(clients: ServiceHarness, office: TestOffice) -> None:
    client_id = (await office.register(phone=FABRICATED))["client_id"]
    duty = limit_reached(office, client_id)
    async with office.manager() as http:
        await patch(http, client_id, phone=unique_phone())
        await clients.deliver(duty)
        assert (await http.get(f"/clients/{client_id}")).json()["active"] is True
        # Asked again: the limit of the first request still says nothing about the second one.
        await http.post(f"/clients/{client_id}/contact-requests")
        await clients.deliver(duty)
        assert (await http.get(f"/clients/{client_id}")).json()["active"] is True
        await clients.deliver(limit_reached(office, client_id, action="remove_order"))
        assert (await http.get(f"/clients/{client_id}")).json()["active"] is True
        await clients.deliver(limit_reached(office, client_id))
        assert (await http.get(f"/clients/{client_id}")).json()["active"] is False
    assert await office.create() is not None


async def test_a_limit_about_an_unknown_client_changes_nothing(clients: ServiceHarness, office: TestOffice) -> None:
    known = UUID((await office.register(phone=FABRICATED))["client_id"])

    async def rows(table: Any) -> list[Any]:
        async with clients.session() as session:
            return list((await session.execute(select(table).where(table.c.office_id == office.id))).all())

    async def state() -> tuple[list[Any], list[Any], int]:
        published = await clients.published(ClientChanged, client_id=known)
        return await rows(Client.__table__), await rows(audit_log), len(published)

    unknown, before = new_id(), await state()
    await clients.deliver(limit_reached(office, str(unknown)))
    assert await state() == before
    assert len(before[0]) == 1 and before[0][0].active
    assert await clients.published(ClientChanged, client_id=unknown) == []


async def test_head_office_sets_the_figures_for_the_future_only(clients: ServiceHarness) -> None:
    office = await open_office(clients)
    body = {"answer_within": 72, "unit": "calendar_hours", "cards_per_phone": 3}
    async with clients.http(Role.HEAD_OFFICE) as http:
        past = await http.post("/policies", json=body | {"effective_from": "2020-01-01T00:00:00Z"})
        assert (past.status_code, past.json()["errors"][0]["location"]) == (422, "effective_from")
        later = await http.post(
            "/policies", json=body | {"answer_within": 1, "effective_from": (now() + timedelta(days=30)).isoformat()}
        )
        assert later.status_code == 201, later.text
        client_id = UUID((await office.register(phone=FABRICATED))["client_id"])
        (request,) = await clients.published(ContactsRequested, client_id=client_id)
        assert request.disable_at - request.occurred_at == timedelta(hours=72)
        assert (await http.post("/policies", json=body | {"answer_within": 30, "unit": "seconds"})).status_code == 201
        client_id = UUID((await office.register(phone=FABRICATED))["client_id"])
        (request,) = await clients.published(ContactsRequested, client_id=client_id)
        assert request.disable_at - request.occurred_at == timedelta(seconds=30)
        assert (await http.post("/policies", json=body)).status_code == 201
        assert len((await http.get("/policies")).json()["items"]) >= 4
    async with office.manager() as http:
        assert (await http.post("/policies", json=body)).status_code == 403
