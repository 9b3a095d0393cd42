"""«Мой гараж», «Статистика проценок», consents, texts (CL-14, CL-15, CL-19, VIN-10)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.base.clock import now
from shared.contracts.clients import ClientChanged, Vehicle, VehicleSaved
from shared.contracts.vin import VinRequestSubmitted
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.clients.conftest import TestOffice, problem
from tests.support.harness import ServiceHarness

LADA = "XTA210990Y2766389"


async def garage(office: TestOffice, client_id: str) -> list[dict[str, Any]]:
    async with office.client(client_id) as http:
        vehicles: list[dict[str, Any]] = (await http.get(f"/clients/{client_id}/vehicles")).json()["items"]
    return vehicles


@pytest.mark.clause("CL-15")
async def test_a_client_puts_a_car_into_the_garage_and_sees_what_was_repaired(
    clients: ServiceHarness, office: TestOffice
) -> None:
    card = await office.create()
    async with office.client(card["id"]) as http:
        answer = await http.post(f"/clients/{card['id']}/vehicles", json={"vin": "ХТА210990У2766389", "model": "2109"})
    assert answer.status_code == 201, answer.text
    car = answer.json()
    assert (car["vin"], car["make"], car["model"], car["year"]) == (LADA, "AvtoVAZ", "2109", 2000)
    assert (car["country"], car["possible_years"]) == ("Россия", [2000])
    assert "1-й знак: русская «Х»" in car["correction"]
    (event,) = await clients.published(VehicleSaved, client_id=UUID(card["id"]))
    assert (event.vehicle.vehicle_id, event.vehicle.vin, event.vehicle.year) == (UUID(car["id"]), LADA, 2000)
    assert [vehicle["id"] for vehicle in await garage(office, card["id"])] == [car["id"]]


@pytest.mark.clause("CL-15")
async def test_a_frame_is_kept_as_a_frame(office: TestOffice) -> None:
    card = await office.create()
    async with office.manager() as http:
        answer = await http.post(
            f"/clients/{card['id']}/vehicles", json={"frame": "gx105 6010796", "make": "Toyota", "year": 1997}
        )
    assert (answer.json()["frame"], answer.json()["vin"], answer.json()["country"]) == ("GX105-6010796", None, None)


async def test_an_unclear_number_is_answered_with_a_suggestion(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create()
    async with office.client(card["id"]) as http:
        unclear = await http.post(f"/clients/{card['id']}/vehicles", json={"vin": "XTA21O990Y2766389"})
        assert (unclear.status_code, problem(unclear)) == (422, "unclear-vehicle-number")
        assert unclear.json()["suggestion"] == LADA
        asked = await http.post(f"/clients/{card['id']}/vehicles", json={"vin": "XTA21Q990Y2766389"})
        assert asked.json()["suggestion"] is None
        for body in ({}, {"vin": LADA, "frame": "GX105-6010796"}):
            answer = await http.post(f"/clients/{card['id']}/vehicles", json=body)
            assert (answer.status_code, problem(answer)) == (422, "invalid")
    assert await clients.published(VehicleSaved, client_id=UUID(card["id"])) == []


@pytest.mark.clause("CL-15")
async def test_the_same_car_stands_in_a_garage_once_and_comes_back_after_removal(
    clients: ServiceHarness, office: TestOffice
) -> None:
    card = await office.create()
    path = f"/clients/{card['id']}/vehicles"
    async with office.client(card["id"]) as http:
        car = await http.post(path, json={"vin": LADA})
        again = await http.post(path, json={"vin": LADA.lower()})
        assert (again.status_code, problem(again)) == (409, "vehicle-exists")
        assert again.json()["vehicle_id"] == car.json()["id"]
        changed = await http.patch(
            f"/vehicles/{car.json()['id']}", json={"engine": "21083"}, headers={"If-Match": car.headers["etag"]}
        )
        assert changed.json()["engine"] == "21083"
        stale = await http.delete(f"/vehicles/{car.json()['id']}", headers={"If-Match": car.headers["etag"]})
        assert stale.status_code == 412
        gone = await http.delete(f"/vehicles/{car.json()['id']}", headers={"If-Match": changed.headers["etag"]})
        assert gone.status_code == 204, gone.text
        assert (await http.get(f"/vehicles/{car.json()['id']}")).status_code == 404
        assert await garage(office, card["id"]) == []
        back = await http.post(path, json={"vin": LADA})
    assert (back.status_code, back.json()["id"], back.json()["engine"]) == (201, car.json()["id"], "21083")
    versions = [event.version for event in await clients.published(VehicleSaved, client_id=UUID(card["id"]))]
    assert versions == sorted(set(versions))


async def test_another_clients_car_is_not_found(office: TestOffice) -> None:
    mine, theirs = await office.create(), await office.create()
    async with office.client(theirs["id"]) as http:
        car = await http.post(f"/clients/{theirs['id']}/vehicles", json={"vin": LADA})
    path, version = f"/vehicles/{car.json()['id']}", {"If-Match": car.headers["etag"]}
    async with office.client(mine["id"]) as http:
        for answer in (
            await http.get(path),
            await http.patch(path, json={"note": "моя"}, headers=version),
            await http.delete(path, headers=version),
        ):
            assert (answer.status_code, problem(answer)) == (404, "not-found")


def submitted(office: TestOffice, client_id: str, vehicle: Vehicle) -> VinRequestSubmitted:
    return VinRequestSubmitted(
        office_id=office.id,
        version=1,
        occurred_at=now(),
        request_id=new_id(),
        number="1",
        client_id=UUID(client_id),
        vehicle=vehicle,
        preference="price_quality",
        parts=[],
        submitted_at=now(),
    )


@pytest.mark.clause("VIN-10")
async def test_a_car_known_by_its_frame_is_found_when_it_comes_with_its_vin(
    clients: ServiceHarness, office: TestOffice
) -> None:
    card = await office.create()
    known = Vehicle(vehicle_id=new_id(), frame="GX105-6010796")
    await clients.deliver(submitted(office, card["id"], known))
    await clients.deliver(submitted(office, card["id"], Vehicle(vehicle_id=new_id(), vin=LADA, frame=known.frame)))
    assert [vehicle["id"] for vehicle in await garage(office, card["id"])] == [str(known.vehicle_id)]


@pytest.mark.clause("VIN-10")
async def test_the_car_of_a_vin_request_is_kept_in_the_garage(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create()
    car = Vehicle(vehicle_id=new_id(), vin=LADA, make="Lada")
    await clients.deliver(submitted(office, card["id"], car))
    await clients.deliver(submitted(office, card["id"], car))
    await clients.deliver(submitted(office, card["id"], Vehicle(vehicle_id=new_id(), vin=LADA)))
    await clients.deliver(submitted(office, card["id"], Vehicle(vehicle_id=new_id(), frame="GX105-6010796")))
    vehicles = await garage(office, card["id"])
    assert [(vehicle["vin"], vehicle["frame"]) for vehicle in vehicles] == [(None, "GX105-6010796"), (LADA, None)]
    assert (vehicles[1]["id"], vehicles[1]["make"]) == (str(car.vehicle_id), "Lada")
    assert len(await clients.published(VehicleSaved, client_id=UUID(card["id"]))) == 2


async def test_a_request_of_an_unknown_client_puts_nothing_anywhere(
    clients: ServiceHarness, office: TestOffice
) -> None:
    stranger = str(new_id())
    await clients.deliver(submitted(office, stranger, Vehicle(vehicle_id=new_id(), vin=LADA)))
    assert await clients.published(VehicleSaved, client_id=UUID(stranger)) == []


@pytest.mark.clause("CL-14")
async def test_what_a_client_priced_is_shown_to_the_manager(office: TestOffice) -> None:
    card = await office.create()
    path = f"/clients/{card['id']}/price-checks"
    async with office.client(card["id"]) as http:
        for article in ("04465-33471", "OC 90"):
            answer = await http.post(path, json={"article": article, "brand": "Toyota", "price": "1520.50"})
            assert answer.status_code == 201, answer.text
    async with office.manager() as http:
        seen = (await http.get(path)).json()["items"]
    assert [(check["article"], check["price"]) for check in seen] == [("OC 90", "1520.50"), ("04465-33471", "1520.50")]


async def test_consents_name_the_version_of_their_document(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create(consents=["service"])
    path = f"/clients/{card['id']}/consents"
    async with clients.http(Role.HEAD_OFFICE) as http:
        published = await http.post(
            "/contents", json={"code": "consent_advertising", "title": "Реклама", "body": "Новый текст согласия"}
        )
        assert published.status_code == 201, published.text
    async with office.client(card["id"]) as http:
        for given in (True, True, False, True):
            assert (await http.put(f"{path}/advertising", json={"given": given})).status_code == 204
        history = (await http.get(path)).json()["items"]
        documents = (await http.get("/public/consent-documents")).json()
    rows = [(row["purpose"], row["document_version"], row["withdrawn_at"] is None) for row in history]
    number = published.json()["number"]
    assert rows == [("advertising", number, True), ("advertising", number, False), ("service", 1, True)]
    assert history[0]["purpose_label"] == "Рекламные сообщения"
    assert [document["number"] for document in documents if document["code"] == "consent_advertising"] == [number]
    events = await clients.published(ClientChanged, client_id=UUID(card["id"]))
    assert [event.consents for event in events] == [["service", "advertising"], ["service"], ["service", "advertising"]]


@pytest.mark.clause("CL-19", "K11")
async def test_a_client_reads_the_contract_with_the_offices_requisites(
    clients: ServiceHarness, office: TestOffice
) -> None:
    card = await office.create()
    async with office.client(card["id"]) as http:
        before = (await http.get("/contract")).json()
    assert before["body"].startswith("ООО «Мира» («ПроДеталь-Мира 45», ул. Мира, 45)")
    assert before["office_name"] == "ПроДеталь-Мира 45"
    body = {"code": "contract", "title": "Договор", "body": "Продавец: $legal_name, $unknown"}
    async with clients.http(Role.HEAD_OFFICE) as http:
        later = await http.post("/contents", json=body | {"effective_from": (now() + timedelta(days=1)).isoformat()})
        assert later.status_code == 201, later.text
        past = await http.post("/contents", json=body | {"effective_from": "2020-01-01T00:00:00Z"})
        assert (past.status_code, past.json()["errors"][0]["location"]) == (422, "effective_from")
        versions = (await http.get("/contents", params={"code": "contract"})).json()["items"]
    assert [version["number"] for version in versions] == [later.json()["number"], before["number"]]
    async with office.client(card["id"]) as http:
        assert (await http.get("/contract")).json() == before
    async with clients.http(Role.HEAD_OFFICE) as http:
        now_in_force = await http.post("/contents", json=body)
        assert now_in_force.json()["number"] == later.json()["number"] + 1
    async with office.client(card["id"]) as http:
        assert (await http.get("/contract")).json()["body"] == "Продавец: ООО «Мира», $unknown"
