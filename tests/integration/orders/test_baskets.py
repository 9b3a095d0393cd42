"""Baskets: by hand, and from a VIN answer with one action (VIN-10)."""

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest

from shared.base.clock import now
from shared.contracts.clients import ClientChanged, Vehicle, VehicleSaved
from shared.contracts.orders import OrderPlaced
from shared.contracts.vin import AnsweredLine, Offer, VinRequestAnswered
from shared.persistence.database import new_id
from tests.integration.orders.conftest import Json, Office, an_item, code


async def vin_answer(office: Office, *, version: int = 1, request_id: UUID | None = None) -> VinRequestAnswered:
    event = VinRequestAnswered(
        office_id=office.id,
        version=version,
        occurred_at=now(),
        request_id=request_id or new_id(),
        number="М45-V000001",
        client_id=office.client_id,
        vehicle=Vehicle(vehicle_id=new_id(), vin="XTA21099998765432", make="ВАЗ"),
        lines=[
            AnsweredLine(
                line_id=new_id(),
                text="Колодки передние",
                quantity=2,
                offers=[
                    Offer(
                        offer_id=new_id(),
                        article="GDB1044",
                        brand="TRW",
                        description="Колодки",
                        price=Decimal("1500.00"),
                        term_days=3,
                    ),
                    Offer(offer_id=new_id(), article="0986424", brand="Bosch", description="Колодки дисковые"),
                ],
            ),
            AnsweredLine(
                line_id=new_id(), text="Шрус", quantity=1, offers=[], refusal_reason="discontinued", refusal_comment="…"
            ),
        ],
        answered_by=office.manager_id,
        notify_client=True,
        answered_at=now(),
    )
    await office.orders.deliver(event)
    return event


def choose(event: VinRequestAnswered, *indexes: int, **named: object) -> Json:
    offers = event.lines[0].offers
    return {
        "request_id": str(event.request_id),
        "choices": [{"offer_id": str(offers[index].offer_id), **named} for index in indexes],
    }


@pytest.mark.clause("VIN-09", "VIN-10")
async def test_lines_of_a_vin_answer_become_basket_and_order(office: Office) -> None:
    event = await vin_answer(office)
    path = f"/baskets/{office.client_id}/vin-answers"
    taken = await office.client.post(path, json=choose(event, 0))
    assert taken.status_code == 201, taken.text
    (item,) = taken.json()
    assert (item["article"], item["quantity"], item["amount"]) == ("GDB1044", 2, "3000.00")
    assert item["internal"] is None
    placed = await office.client.post("/orders", json={"client_id": str(office.client_id), "check_requested": True})
    assert placed.status_code == 201, placed.text
    assert placed.json()["vehicle"]["vin"] == "XTA21099998765432"
    (ordered,) = await office.orders.published(OrderPlaced, client_id=office.client_id)
    assert ordered.channel == "cabinet"
    assert ordered.check_requested
    assert ordered.vehicle is not None and ordered.vehicle.vin == "XTA21099998765432"
    position = await office.position(placed.json()["positions"][0]["id"])
    assert position["internal"]["chosen_by"] == str(office.manager_id)


async def test_an_offer_without_a_price_waits_for_the_manager(office: Office) -> None:
    event = await vin_answer(office)
    path = f"/baskets/{office.client_id}/vin-answers"
    assert (await office.client.post(path, json=choose(event, 1))).status_code == 422
    assert (await office.client.post(path, json=choose(event, 0, sale_price="1.00"))).status_code == 403
    assert (await office.client.post(path, json=choose(event, 0, purchase_price="1.00"))).status_code == 403
    supplier = await office.supplier()
    named = {"sale_price": "2000.00", "purchase_price": "1500.00", "supplier_id": supplier, "kind": "consumable"}
    taken = await office.manager.post(path, json=choose(event, 1, **named))
    assert taken.status_code == 201, taken.text
    (item,) = taken.json()
    assert item["internal"] == {
        "supplier_id": supplier,
        "purchase_price": "1500.00",
        "chosen_by": str(office.manager_id),
    }
    assert item["kind"] == "consumable"


async def test_unknown_requests_and_offers_are_not_found(office: Office) -> None:
    event = await vin_answer(office)
    path = f"/baskets/{office.client_id}/vin-answers"
    unknown_offer = {"request_id": str(event.request_id), "choices": [{"offer_id": str(new_id())}]}
    assert (await office.client.post(path, json=unknown_offer)).status_code == 404
    unknown_request = choose(event, 0) | {"request_id": str(new_id())}
    assert (await office.client.post(path, json=unknown_request)).status_code == 404
    twice = choose(event, 0, 0)
    assert (await office.client.post(path, json=twice)).status_code == 422


async def test_an_older_answer_that_comes_late_changes_nothing(office: Office) -> None:
    new = await vin_answer(office, version=5)
    old = await vin_answer(office, version=4, request_id=new.request_id)
    path = f"/baskets/{office.client_id}/vin-answers"
    assert (await office.client.post(path, json=choose(old, 0))).status_code == 404
    assert (await office.client.post(path, json=choose(new, 0))).status_code == 201


async def test_quantity_changes_and_items_go(office: Office) -> None:
    path = f"/baskets/{office.client_id}/items"
    item = (await office.manager.post(path, json=an_item())).json()
    more = await office.client.patch(f"{path}/{item['id']}", json={"quantity": 4})
    assert more.json()["amount"] == "6000.00"
    assert (await office.client.get(path)).json()["total"] == "6000.00"
    too_many = await office.client.patch(f"{path}/{item['id']}", json={"quantity": 9999})
    assert too_many.status_code == 422
    assert (await office.client.delete(f"{path}/{item['id']}")).status_code == 204
    assert (await office.client.delete(f"{path}/{item['id']}")).status_code == 404


async def test_a_client_sets_no_price_and_sees_no_other_basket(office: Office) -> None:
    path = f"/baskets/{office.client_id}/items"
    assert (await office.client.post(path, json=an_item())).status_code == 403
    other = new_id()
    await office.register(other)
    await office.manager.post(f"/baskets/{other}/items", json=an_item())
    assert (await office.client.get(f"/baskets/{other}/items")).status_code == 404
    assert (await office.client.post("/orders", json={"client_id": str(other)})).status_code == 404


async def test_two_simultaneous_orders_share_no_item(office: Office) -> None:
    for _ in range(3):
        await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item())
    body = {"client_id": str(office.client_id)}
    answers = await asyncio.gather(*(office.manager.post("/orders", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    (placed,) = await office.orders.published(OrderPlaced, client_id=office.client_id)
    assert len(placed.positions) == 3


@pytest.mark.clause("ORD-02", "ORD-11")
async def test_an_order_names_a_car_of_the_garage(office: Office) -> None:
    vehicle = Vehicle(vehicle_id=new_id(), frame="GX105-6010796", make="Toyota")
    await office.orders.deliver(
        VehicleSaved(office_id=office.id, version=2, occurred_at=now(), client_id=office.client_id, vehicle=vehicle)
    )
    order = await office.place(vehicle_id=str(vehicle.vehicle_id))
    assert order["vehicle"]["frame"] == "GX105-6010796"
    (listed,) = (await office.manager.get("/positions", params={"client_id": str(office.client_id)})).json()["items"]
    assert listed["vehicle"]["frame"] == "GX105-6010796"
    await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item())
    unknown = {"client_id": str(office.client_id), "vehicle_id": str(new_id())}
    assert (await office.manager.post("/orders", json=unknown)).status_code == 404


@pytest.mark.clause("CALL-08", "ORD-17")
async def test_the_risk_without_a_catalogue_is_told_before_the_order(office: Office) -> None:
    await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item(no_catalogue=True))
    body = {"client_id": str(office.client_id)}
    assert code(await office.manager.post("/orders", json=body)) == "disclosure-required"
    placed = await office.manager.post("/orders", json=body | {"disclosures": ["no_catalogue_risk", "supply_risk"]})
    assert placed.status_code == 201
    assert placed.json()["disclosures"] == ["no_catalogue_risk", "supply_risk"]


@pytest.mark.clause("CL-09", "ORD-18")
async def test_courier_delivery_only_where_the_office_organises_it(office: Office, new_office) -> None:  # type: ignore[no-untyped-def]
    for chosen, status in ((office, 409), (await new_office(courier_delivery=True), 201)):
        await chosen.manager.post(f"/baskets/{chosen.client_id}/items", json=an_item())
        body = {"client_id": str(chosen.client_id), "delivery": "courier"}
        assert (await chosen.manager.post("/orders", json=body)).status_code == 422
        body |= {"delivery_city": "Москва", "delivery_note": "После 18:00"}
        assert (await chosen.manager.post("/orders", json=body)).status_code == status


async def test_a_disabled_client_orders_nothing(office: Office) -> None:
    await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item())
    await office.register(event=ClientChanged, version=2, active=False)
    refused = await office.manager.post("/orders", json={"client_id": str(office.client_id)})
    assert refused.status_code == 409
    await office.register(event=ClientChanged, version=1, active=True)
    refused = await office.manager.post("/orders", json={"client_id": str(office.client_id)})
    assert refused.status_code == 409
