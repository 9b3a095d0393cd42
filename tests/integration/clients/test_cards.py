"""Cards that staff create and change."""

from typing import Any
from uuid import UUID

import pytest

from services.clients.commands import managers
from services.clients.models import StaffMember
from shared.base.clock import now
from shared.contracts.clients import (
    ClientChanged,
    ClientRegistered,
    ContactsCorrected,
    ContactsRequested,
    EmailConfirmationRequested,
)
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.clients.conftest import (
    PASSWORD,
    TestOffice,
    card_body,
    office_event,
    open_office,
    problem,
    staff_event,
    unique_phone,
)
from tests.support.harness import ServiceHarness


@pytest.mark.clause("CL-01", "CL-08", "CL-09")
async def test_a_card_has_labels_beside_codes_and_sensible_defaults(
    clients: ServiceHarness, office: TestOffice
) -> None:
    card = await office.create(full_name="Смирнова Анна Павловна", phone="8 (912) 583-01-47", consents=["service"])
    assert (card["kind"], card["kind_label"]) == ("offline_retail", "Розничный клиент офиса")
    assert (card["category"], card["category_label"], card["group"]) == ("retail", "Розница", "Розница")
    assert (card["phone"], card["phone_shown"]) == ("+79125830147", "+7 912 583-01-47")
    assert (card["city"], card["time_zone"], card["courier_delivery"]) == (
        "Нижний Тагил",
        "Asia/Yekaterinburg",
        True,
    )
    assert (card["manager_id"], card["manager_name"]) == (str(office.managers[0]), "Андреева Мария")
    assert (card["login"], card["active"], card["consents"]) == (None, True, ["service"])
    (event,) = await clients.published(ClientRegistered, client_id=UUID(card["id"]))
    assert (event.kind, event.phone, event.version) == ("offline_retail", "+79125830147", card["version"])


@pytest.mark.clause("CL-01", "CL-02")
async def test_a_wholesale_client_starts_with_a_wholesale_price_level(office: TestOffice) -> None:
    card = await office.create(kind="wholesale", organization_name="ООО «Автосервис»", category="opt7")
    assert (card["category_label"], card["group"]) == ("ОПТ7", "Оптовые")
    assert (await office.create(kind="wholesale"))["category"] == "opt5"


@pytest.mark.clause("CL-03")
async def test_the_buyer_group_stands_on_the_card(office: TestOffice) -> None:
    card = await office.create(kind="legal_entity", buyer_group="Юрлица с НДС")
    async with office.manager() as http:
        shown = (await http.get(f"/clients/{card['id']}")).json()
    assert shown["buyer_group"] == "Юрлица с НДС"


async def test_a_duplicate_in_the_office_is_offered_and_may_be_insisted_on(office: TestOffice) -> None:
    phone, email = unique_phone(), f"double-{new_id().hex}@mail.example"
    first = await office.create(phone=phone, email=email)
    async with office.manager() as http:
        for alike in ({"phone": phone}, {"phone": None, "email": email.upper()}):
            answer = await http.post("/clients", json=card_body(**alike))
            assert (answer.status_code, problem(answer)) == (409, "possible-duplicate")
            assert [card["id"] for card in answer.json()["duplicates"]] == [first["id"]]
            assert answer.json()["in_other_offices"] is False
        insisted = await http.post("/clients", json=card_body(phone=phone, allow_duplicate=True))
        assert insisted.status_code == 201
        found = await http.get("/clients/duplicates", params={"phone": phone})
    assert {card["id"] for card in found.json()["items"]} == {first["id"], insisted.json()["id"]}


async def test_staff_see_that_a_registered_client_was_known_already(office: TestOffice) -> None:
    phone = unique_phone()
    known = await office.create(phone=phone)
    registered = await office.register(phone=phone)
    async with office.manager() as http:
        found = (await http.get(f"/clients/{registered['client_id']}/duplicates")).json()
    assert [card["id"] for card in found["items"]] == [known["id"]]
    assert found["in_other_offices"] is False


async def test_a_duplicate_in_another_office_is_a_yes_and_nothing_more(
    clients: ServiceHarness, office: TestOffice
) -> None:
    other = await open_office(clients)
    phone = unique_phone()
    theirs = await other.create(phone=phone)
    async with office.manager() as http:
        found = await http.get("/clients/duplicates", params={"phone": phone})
        assert found.json() == {"items": [], "in_other_offices": True}
        assert theirs["id"] not in found.text
        assert (await http.post("/clients", json=card_body(phone=phone))).status_code == 201
        nothing = await http.get("/clients/duplicates", params={"email": "nobody@mail.example"})
    assert nothing.json() == {"items": [], "in_other_offices": False}


async def test_staff_see_and_change_only_clients_of_their_office(clients: ServiceHarness, office: TestOffice) -> None:
    other = await open_office(clients)
    theirs = await other.create(full_name="Чужой Клиент")
    version = {"If-Match": f'"{theirs["version"]}"'}
    call = {"outcome": "no_answer", "goals": ["other"]}
    async with office.manager() as http:
        for answer in (
            await http.get(f"/clients/{theirs['id']}"),
            await http.patch(f"/clients/{theirs['id']}", json={"city": "Москва"}, headers=version),
            await http.post(f"/clients/{theirs['id']}/calls", json=call),
            await http.get(f"/clients/{theirs['id']}/calls"),
            await http.get(f"/clients/{theirs['id']}/vehicles"),
            await http.post(f"/clients/{theirs['id']}/contact-requests"),
            await http.post(f"/clients/{theirs['id']}/login", json={"password": PASSWORD}),
        ):
            assert (answer.status_code, problem(answer)) == (404, "not-found")
        listed = await http.get("/clients", params={"q": "Чужой"})
    assert listed.json()["items"] == []
    async with clients.http(Role.HEAD_OFFICE) as http:
        assert (await http.get(f"/clients/{theirs['id']}")).status_code == 200


async def test_a_client_reaches_no_staff_route_and_no_other_client(clients: ServiceHarness, office: TestOffice) -> None:
    mine, other = await office.create(), await office.create()
    async with office.client(mine["id"]) as http:
        assert (await http.get("/me")).json()["id"] == mine["id"]
        assert (await http.get("/clients")).status_code == 403
        assert (await http.get(f"/clients/{mine['id']}")).status_code == 403
        assert (await http.get(f"/clients/{other['id']}/vehicles")).status_code == 404
        added = await http.post(f"/clients/{other['id']}/vehicles", json={"vin": "XTA210990Y2766389"})
        assert added.status_code == 404


@pytest.mark.clause("CL-04")
@pytest.mark.parametrize(
    "search", ["смирнова", "Анна Смирн", "СМИРНОВА", "ромашка", "+7 912 583 01 48", "0148", "anna.s@mail.example"]
)
async def test_a_client_is_found_by_what_staff_remember(clients: ServiceHarness, search: str) -> None:
    office = await open_office(clients)
    wanted = await office.create(
        full_name="Смирнова Анна Павловна",
        organization_name="ООО «Ромашка»",
        phone="+79125830148",
        email="anna.s@mail.example",
    )
    await office.create(full_name="Кузнецов Пётр")
    async with office.manager() as http:
        found = await http.get("/clients", params={"q": search})
    assert [card["id"] for card in found.json()["items"]] == [wanted["id"]]


async def test_the_letter_yo_does_not_hide_a_client(clients: ServiceHarness) -> None:
    office = await open_office(clients)
    wanted = await office.create(full_name="Королёв Семён")
    async with office.manager() as http:
        for search in ("королев", "Королёв", "семен"):
            assert [c["id"] for c in (await http.get("/clients", params={"q": search})).json()["items"]] == [
                wanted["id"]
            ]


@pytest.mark.clause("CL-02")
async def test_the_list_is_filtered_and_paged_newest_first(clients: ServiceHarness) -> None:
    office = await open_office(clients)
    made = [(await office.create(group="Автосервисы" if number % 2 else "Розница"))["id"] for number in range(5)]
    async with office.manager() as http:
        pages, cursor = [], None
        while True:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await http.get("/clients", params=params)).json()
            pages += [card["id"] for card in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        garages = (await http.get("/clients", params={"group": "Автосервисы"})).json()["items"]
        nobody = (await http.get("/clients", params={"registered_from": "2090-01-01T00:00:00Z"})).json()["items"]
    assert pages == made[::-1]
    assert [card["id"] for card in garages] == [made[3], made[1]]
    assert nobody == []


@pytest.mark.clause("CL-05")
async def test_a_change_needs_the_version_that_was_seen(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create(name_verified=False)
    path = f"/clients/{card['id']}"
    async with office.manager() as http:
        unversioned = await http.patch(path, json={"city": "Невьянск"})
        assert (unversioned.status_code, problem(unversioned)) == (428, "version-required")
        changed = await http.patch(
            path, json={"full_name": "Иванов Пётр Ильич"}, headers={"If-Match": f'"{card["version"]}"'}
        )
        assert changed.status_code == 200, changed.text
        assert (changed.json()["full_name"], changed.json()["name_verified"]) == ("Иванов Пётр Ильич", True)
        stale = await http.patch(path, json={"city": "Невьянск"}, headers={"If-Match": f'"{card["version"]}"'})
        assert (stale.status_code, problem(stale)) == (412, "stale-version")
        cleared = await http.patch(path, json={"full_name": None}, headers={"If-Match": changed.headers["etag"]})
        assert (cleared.status_code, cleared.json()["errors"][0]["location"]) == (422, "full_name")
    (event,) = await clients.published(ClientChanged, client_id=UUID(card["id"]))
    assert (event.full_name, event.version) == ("Иванов Пётр Ильич", changed.json()["version"])


async def test_a_change_that_changes_nothing_is_no_event(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create(city="Невьянск")
    async with office.manager() as http:
        answer = await http.patch(
            f"/clients/{card['id']}", json={"city": "Невьянск"}, headers={"If-Match": f'"{card["version"]}"'}
        )
    assert answer.json()["version"] == card["version"]
    assert await clients.published(ClientChanged, client_id=UUID(card["id"])) == []


@pytest.mark.clause("CL-10")
async def test_the_responsible_manager_works_in_the_clients_office(clients: ServiceHarness, office: TestOffice) -> None:
    other = await open_office(clients)
    async with office.manager() as http:
        for stranger in (other.managers[0], new_id()):
            answer = await http.post("/clients", json=card_body(manager_id=str(stranger)))
            assert (answer.status_code, answer.json()["errors"][0]["location"]) == (422, "manager_id")


async def test_head_office_names_the_office_and_staff_cannot_name_another(
    clients: ServiceHarness, office: TestOffice
) -> None:
    async with clients.http(Role.HEAD_OFFICE) as http:
        assert (await http.post("/clients", json=card_body())).status_code == 422
        made = await http.post("/clients", json=card_body(office_id=str(office.id)))
        assert (made.status_code, made.json()["office_id"]) == (201, str(office.id))
        assert (await http.post("/clients", json=card_body(office_id=str(new_id())))).status_code == 404
    async with office.manager() as http:
        assert (await http.post("/clients", json=card_body(office_id=str(new_id())))).status_code == 422


@pytest.mark.clause("CL-08", "CL-16")
async def test_an_offline_client_becomes_an_internet_client_and_keeps_everything(
    clients: ServiceHarness, office: TestOffice
) -> None:
    card = await office.create(email=f"offline-{new_id().hex}@mail.example")
    login = f"offline-{new_id().hex}"
    async with office.manager() as http:
        car = await http.post(f"/clients/{card['id']}/vehicles", json={"vin": "XTA210990Y2766389"})
        given = await http.post(f"/clients/{card['id']}/login", json={"login": login, "password": PASSWORD})
        assert given.status_code == 201, given.text
        assert (given.json()["kind"], given.json()["login"]) == ("online", login)
        again = await http.post(f"/clients/{card['id']}/login", json={"password": PASSWORD})
        assert (again.status_code, problem(again)) == (409, "login-exists")
    async with clients.http() as http:
        session = await http.post("/sessions", json={"login": login, "password": PASSWORD})
    assert (session.status_code, session.json()["id"]) == (200, card["id"])
    async with office.client(card["id"]) as http:
        garage = (await http.get(f"/clients/{card['id']}/vehicles")).json()["items"]
    assert [vehicle["id"] for vehicle in garage] == [car.json()["id"]]
    assert len(await clients.published(EmailConfirmationRequested, client_id=UUID(card["id"]))) == 1
    assert (await clients.published(ClientChanged, client_id=UUID(card["id"])))[-1].kind == "online"


@pytest.mark.clause("CL-08")
async def test_a_login_needs_a_name_and_is_not_taken_from_somebody(clients: ServiceHarness, office: TestOffice) -> None:
    taken = (await office.register())["login"]
    card = await office.create(email=None)
    async with office.manager() as http:
        nameless = await http.post(f"/clients/{card['id']}/login", json={"password": PASSWORD})
        assert (nameless.status_code, nameless.json()["errors"][0]["location"]) == (422, "login")
        answer = await http.post(f"/clients/{card['id']}/login", json={"login": taken, "password": PASSWORD})
        assert (answer.status_code, problem(answer)) == (409, "login-taken")
        short = await http.post(f"/clients/{card['id']}/login", json={"login": "new-login", "password": "short"})
        assert short.status_code == 422


async def test_a_senior_disables_and_enables_an_account(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create()
    login = f"disable-{new_id().hex}"
    async with office.manager() as http:
        await http.post(f"/clients/{card['id']}/login", json={"login": login, "password": PASSWORD})
        refused = await http.post(f"/clients/{card['id']}/disabling", json={"comment": "мошенник"})
        assert refused.status_code == 403
    async with office.senior() as senior, clients.http() as http:
        disabled = await senior.post(f"/clients/{card['id']}/disabling", json={"comment": "Просил отключить"})
        assert disabled.status_code == 200, disabled.text
        assert (disabled.json()["active"], disabled.json()["disabled_reason_label"]) == (
            False,
            "Отключена сотрудником",
        )
        credentials = {"login": login, "password": PASSWORD}
        assert (await http.post("/sessions", json=credentials)).status_code == 401
        feed = (await http.get("/revocations")).json()["revoked"]
        assert card["id"] in {row["subject"] for row in feed}
        assert (await senior.post(f"/clients/{card['id']}/disabling", json={"comment": "ещё раз"})).status_code == 409
        assert (await senior.post(f"/clients/{card['id']}/enabling")).json()["active"] is True
        assert (await http.post("/sessions", json=credentials)).status_code == 200
        reset = await senior.post(f"/clients/{card['id']}/password", json={"password": "совсем-другой-1"})
        assert reset.status_code == 204
        assert (await http.post("/sessions", json=credentials)).status_code == 401
    states = [event.active for event in await clients.published(ClientChanged, client_id=UUID(card["id"]))]
    assert states[-2:] == [False, True]


async def test_contacts_are_not_asked_of_a_disabled_card_and_enabling_ends_the_asking(
    clients: ServiceHarness, office: TestOffice
) -> None:
    """CL-06: the clock of an open request would stay overdue for ever."""
    asked = await office.create(phone="+7 999 111-11-11", email=f"asked-{new_id().hex}@mail.example")
    quiet = await office.create(email=f"quiet-{new_id().hex}@mail.example")
    async with office.senior() as senior:
        for card in (asked, quiet):
            await senior.post(f"/clients/{card['id']}/disabling", json={"comment": "Просил отключить"})
        shown = await senior.get(f"/clients/{quiet['id']}")
        await senior.patch(
            f"/clients/{quiet['id']}", json={"phone": "+7 999 111-11-11"}, headers={"If-Match": shown.headers["etag"]}
        )
        assert (await senior.post(f"/clients/{asked['id']}/enabling")).json()["active"] is True
    for card, requested, corrected in ((asked, 1, 1), (quiet, 0, 0)):
        client_id = UUID(card["id"])
        assert len(await clients.published(ContactsRequested, client_id=client_id)) == requested
        assert len(await clients.published(ContactsCorrected, client_id=client_id)) == corrected


@pytest.mark.clause("CL-07")
async def test_a_changed_email_of_a_client_with_a_login_is_confirmed_anew(
    clients: ServiceHarness, office: TestOffice
) -> None:
    client_id = (await office.register())["client_id"]
    email = f"new-{new_id().hex}@mail.example"
    async with office.manager() as http:
        card = await http.get(f"/clients/{client_id}")
        changed = await http.patch(
            f"/clients/{client_id}", json={"email": email}, headers={"If-Match": card.headers["etag"]}
        )
    assert (changed.json()["email"], changed.json()["email_confirmed"]) == (email, False)
    letters = await clients.published(EmailConfirmationRequested, client_id=UUID(client_id))
    assert [letter.email for letter in letters][-1] == email


@pytest.mark.clause("CL-05", "CL-09")
async def test_a_client_changes_the_own_card_and_the_name_is_unverified_again(
    clients: ServiceHarness, office: TestOffice
) -> None:
    card = await office.create()
    async with office.client(card["id"]) as http:
        me = await http.get("/me")
        changed = await http.patch(
            "/me", json={"full_name": "Псевдоним", "city": "Невьянск"}, headers={"If-Match": me.headers["etag"]}
        )
        assert changed.status_code == 200, changed.text
        assert (changed.json()["name_verified"], changed.json()["courier_delivery"]) == (False, False)
        foreign = await http.patch("/me", json={"category": "opt10"}, headers={"If-Match": changed.headers["etag"]})
        assert foreign.status_code == 422


async def test_projections_never_go_back(clients: ServiceHarness, office: TestOffice) -> None:
    await clients.deliver(office_event(office.id, version=3, name="Новое имя"))
    await clients.deliver(office_event(office.id, version=2, name="Старое имя"))
    person = new_id()
    await clients.deliver(staff_event(person, office.id, "manager", version=2))
    await clients.deliver(staff_event(person, None, "head_office", version=3, occurred_at=now()))
    await clients.deliver(staff_event(person, office.id, "manager", version=2))
    async with clients.session() as session:
        member = await session.get(StaffMember, person)
    assert member is not None
    assert (member.active, member.version) == (False, 3)
    card = await office.create()
    async with office.client(card["id"]) as http:
        assert (await http.get("/me")).json()["office_name"] == "Новое имя"


@pytest.mark.clause("CL-10")
async def test_the_clients_of_whoever_left_go_to_colleagues_in_turn(
    clients: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(managers, "HANDED_OVER_AT_ONCE", 4)
    office, elsewhere = await open_office(clients, managers=3), await open_office(clients)
    leaving, *others = office.managers
    cards = [await office.create(manager_id=str(leaving)) for _ in range(5)]
    kept = await office.create(manager_id=str(others[0]))
    foreign = await elsewhere.create()
    await clients.deliver(staff_event(leaving, office.id, "manager", version=2, active=False))
    body: dict[str, Any] = {"manager_id": str(leaving), "to": [str(other) for other in others]}
    async with office.manager() as http:
        assert (await http.post("/clients/handovers", json=body)).status_code == 403
    async with office.senior() as http:
        for wrong in ([str(leaving)], [str(elsewhere.managers[0])], []):
            answer = await http.post("/clients/handovers", json=body | {"to": wrong})
            assert answer.status_code == 422, answer.text
            assert {error["location"].removeprefix("body.") for error in answer.json()["errors"]} == {"to"}
        for expected in ({"clients": 4, "left": True}, {"clients": 1, "left": False}):
            assert (await http.post("/clients/handovers", json=body | {"to": 2 * body["to"]})).json() == expected
        found = [(await http.get(f"/clients/{card['id']}")).json() for card in cards]
        assert (await http.get(f"/clients/{kept['id']}")).json()["version"] == kept["version"]
        assert (await http.post("/clients/handovers", json=body)).json() == {"clients": 0, "left": False}
    served = [card["manager_id"] for card in found]
    assert {served.count(other) for other in body["to"]} == {2, 3}
    for card, now_served in zip(cards, found, strict=True):
        (event,) = await clients.published(ClientChanged, client_id=UUID(card["id"]))
        assert (str(event.manager_id), event.version) == (now_served["manager_id"], card["version"] + 1)
    async with elsewhere.senior() as http:
        assert (await http.post("/clients/handovers", json=body)).status_code == 422
        assert (await http.get(f"/clients/{foreign['id']}")).json()["manager_id"] == str(elsewhere.managers[0])


async def test_head_office_says_whose_office_it_hands_over_in(clients: ServiceHarness) -> None:
    office = await open_office(clients, managers=2)
    card = await office.create(manager_id=str(office.managers[0]))
    body = {"manager_id": str(office.managers[0]), "to": [str(office.managers[1])]}
    async with clients.http(Role.HEAD_OFFICE) as http:
        assert (await http.post("/clients/handovers", json=body)).status_code == 422
        done = await http.post("/clients/handovers", json=body | {"office_id": str(office.id)})
        assert done.json() == {"clients": 1, "left": False}
        assert (await http.get(f"/clients/{card['id']}")).json()["manager_id"] == str(office.managers[1])
