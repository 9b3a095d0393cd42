"""A request is placed and the office is notified (VIN-01, VIN-02, VIN-10)."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from shared.base.clock import now
from shared.contracts.clients import Vehicle, VehicleSaved
from shared.contracts.vin import VinRequestSubmitted
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.vin.conftest import VIN, Office, problem


def body(**changes: Any) -> dict[str, Any]:
    return {"vehicle": {"vin": VIN}, "parts": [{"text": "Колодки тормозные передние", "quantity": 2}], **changes}


@pytest.mark.clause("VIN-01")
async def test_a_client_s_request_stands_unanswered_and_the_office_is_told(office: Office) -> None:
    async with office.client() as http:
        answer = await http.post("/requests", json=body(preference="minimum_price"))
    assert answer.status_code == 201
    request = answer.json()
    assert (request["state"], request["state_label"]) == ("unanswered", "Не обработан")
    assert request["preference_label"] == "Минимальная цена"
    assert [(line["text"], line["quantity"], line["kind"]) for line in request["lines"]] == [
        ("Колодки тормозные передние", 2, "open")
    ]
    (event,) = await office.vin.published(VinRequestSubmitted, request_id=UUID(request["id"]))
    assert (event.office_id, event.client_id, event.version) == (office.id, office.client_id, request["version"])
    assert (event.vehicle.vin, event.preference, event.number) == (VIN, "minimum_price", request["number"])
    assert [(str(part.line_id), part.quantity) for part in event.parts] == [(request["lines"][0]["id"], 2)]


async def test_look_alike_letters_of_a_vin_are_repaired_and_the_repair_is_shown(office: Office) -> None:
    async with office.client() as http:
        answer = await http.post("/requests", json=body(vehicle={"vin": "хта21124070445066"}))
    assert answer.status_code == 201
    assert answer.json()["vehicle"]["vin"] == VIN
    assert "Русские буквы заменены похожими латинскими" in answer.json()["correction"]


async def test_a_doubtful_vin_is_refused_with_what_was_probably_meant(office: Office) -> None:
    async with office.client() as http:
        answer = await http.post("/requests", json=body(vehicle={"vin": "XTA2112407O445066"}))
    assert (answer.status_code, problem(answer)) == (422, "unreadable-vehicle-number")
    assert answer.json()["suggestion"] == VIN
    assert answer.json()["errors"][0]["location"] == "vehicle.vin"


@pytest.mark.clause("VIN-01")
async def test_a_japanese_car_is_named_by_its_frame(office: Office) -> None:
    async with office.client() as http:
        answer = await http.post("/requests", json=body(vehicle={"frame": "gx105 6010796", "make": "Toyota"}))
    assert answer.status_code == 201
    vehicle = answer.json()["vehicle"]
    assert (vehicle["frame"], vehicle["vin"], vehicle["make"]) == ("GX105-6010796", None, "Toyota")


@pytest.mark.clause("VIN-10")
async def test_the_same_car_keeps_its_identity_from_request_to_request(office: Office) -> None:
    first = await office.request(vehicle={"vin": VIN, "make": "Lada", "year": 2007})
    again = await office.request(vehicle={"vin": VIN, "engine": "1.6"})
    assert again["vehicle"] == {**first["vehicle"], "engine": "1.6"}
    other = await office.request(vehicle={"vin": "XTA21124070445067"})
    assert other["vehicle"]["vehicle_id"] != first["vehicle"]["vehicle_id"]


async def test_a_car_of_the_garage_is_chosen_by_its_id_or_recognised_by_its_number(office: Office) -> None:
    car = Vehicle(vehicle_id=new_id(), vin=VIN, make="Lada", model="2112", year=2007)
    await office.vin.deliver(
        VehicleSaved(office_id=office.id, client_id=office.client_id, version=1, occurred_at=now(), vehicle=car)
    )
    chosen = await office.request(vehicle_id=str(car.vehicle_id), vehicle=None)
    typed = await office.request()
    assert chosen["vehicle"] == typed["vehicle"] == car.model_dump(mode="json")


async def test_a_car_of_another_client_s_garage_is_not_found(office: Office) -> None:
    car = Vehicle(vehicle_id=new_id(), vin=VIN)
    await office.vin.deliver(
        VehicleSaved(office_id=office.id, client_id=new_id(), version=1, occurred_at=now(), vehicle=car)
    )
    async with office.client() as http:
        answer = await http.post("/requests", json=body(vehicle_id=str(car.vehicle_id), vehicle=None))
    assert answer.status_code == 404


async def test_an_older_event_does_not_change_the_garage_back(office: Office) -> None:
    car = Vehicle(vehicle_id=new_id(), vin=VIN, engine="1.6")
    facts = {"office_id": office.id, "client_id": office.client_id, "occurred_at": now()}
    await office.vin.deliver(VehicleSaved(**facts, version=2, vehicle=car))
    await office.vin.deliver(VehicleSaved(**facts, version=1, vehicle=car.model_copy(update={"engine": "1.5"})))
    assert (await office.request())["vehicle"]["engine"] == "1.6"


async def test_staff_write_a_request_down_for_a_client_of_their_office(office: Office) -> None:
    await office.register()
    async with office.manager(Role.ASSISTANT) as http:
        answer = await http.post("/requests", json=body(client_id=str(office.client_id)))
    assert answer.status_code == 201
    assert (answer.json()["client_id"], answer.json()["client_name"]) == (str(office.client_id), "Смирнов Пётр Ильич")


async def test_staff_must_say_for_whom(office: Office) -> None:
    async with office.manager() as http:
        answer = await http.post("/requests", json=body())
    assert (answer.status_code, problem(answer)) == (422, "invalid")
    assert answer.json()["errors"][0]["location"] == "client_id"


async def test_a_client_of_another_office_is_not_found(office: Office) -> None:
    await office.register()
    async with Office(office.vin).manager() as http:
        answer = await http.post("/requests", json=body(client_id=str(office.client_id)))
    assert answer.status_code == 404


async def test_a_client_asks_only_for_themselves(office: Office) -> None:
    async with office.client() as http:
        assert (await http.post("/requests", json=body(client_id=str(new_id())))).status_code == 404
        assert (await http.post("/requests", json=body(client_id=str(office.client_id)))).status_code == 201


async def test_a_disabled_client_cannot_ask_until_enabled_again(office: Office) -> None:
    await office.register()
    await office.change(2, active=False)
    async with office.client() as http:
        answer = await http.post("/requests", json=body())
        assert (answer.status_code, problem(answer)) == (409, "client-inactive")
        await office.change(3)
        assert (await http.post("/requests", json=body())).status_code == 201


async def test_numbers_are_counted_per_office_without_gaps_or_repeats(office: Office) -> None:
    numbers = [request["number"] for request in await asyncio.gather(*(office.request() for _ in range(5)))]
    assert sorted(numbers) == ["000001", "000002", "000003", "000004", "000005"]
    assert (await Office(office.vin).request())["number"] == "000001"


async def test_a_repeated_post_creates_one_request(office: Office) -> None:
    key = {"Idempotency-Key": str(new_id())}
    async with office.client() as http:
        first = await http.post("/requests", json=body(), headers=key)
        second = await http.post("/requests", json=body(), headers=key)
    assert first.content == second.content
    assert len(await office.vin.published(VinRequestSubmitted, client_id=office.client_id)) == 1


async def test_a_request_of_a_renamed_client_shows_the_new_name(office: Office) -> None:
    await office.register()
    request = await office.request()
    await office.change(2, full_name="Смирнов Пётр Петрович")
    assert (await office.show(request["id"]))["client_name"] == "Смирнов Пётр Петрович"


@pytest.mark.parametrize(
    "wrong",
    [
        {"vehicle": None},
        {"vehicle": {}},
        {"vehicle": {"vin": "X"}},
        {"vehicle": {"vin": "Я" * 17}},
        {"vehicle": {"frame": "not a frame"}},
        {"vehicle": {"vin": VIN, "year": 10**30}},
        {"vehicle": {"vin": VIN, "make": "\x00"}},
        {"vehicle": {"vin": VIN}, "vehicle_id": str(UUID(int=1))},
        {"vehicle_id": "no uuid", "vehicle": None},
        {"preference": "cheapest"},
        {"parts": []},
        {"parts": [{"text": " "}]},
        {"parts": [{"text": "Колодки", "quantity": 0}]},
        {"parts": [{"text": "Колодки", "quantity": 10**12}]},
        {"parts": [{"text": "Колодки\x00"}]},
        {"parts": [{"text": "\ud800"}]},
        {"parts": [{"text": "К" * 201}]},
        {"parts": [{"text": "Колодки"}] * 51},
        {"parts": "Колодки"},
        {"unknown": 1},
    ],
)
async def test_bad_input_is_a_problem_of_the_caller(office: Office, wrong: dict[str, Any]) -> None:
    async with office.client() as http:
        # A lone surrogate can only be sent as an escape of the JSON text.
        answer = await http.post(
            "/requests", content=json.dumps(body(**wrong)), headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == 422, answer.text
    problem(answer)
