"""Returns through HTTP: RET-02, RET-03, RET-04, RET-05, RET-06, RET-08, RET-09, RET-10, ORG-03."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from services.orders.models import Claim
from shared.base.clock import now
from shared.contracts.orders import ClaimDecided, ClaimOpened
from tests.integration.orders.conftest import Json, Office, an_item, code


async def claim(office: Office, price: str = "1500.00", purchase: str | None = "1000.00", **changes: object) -> Json:
    """A claim about an issued part, with the supplier already asked."""
    item = an_item(sale_price=price, purchase_price=purchase, supplier_id=await office.supplier())
    quantity = changes.pop("quantity_issued", 1)
    (position,) = await office.issued(item | {"quantity": quantity})
    body = {"position_id": position["id"], "reason": "Не подошло по размеру", **changes}
    opened = await office.client.post("/claims", json=body)
    assert opened.status_code == 201, opened.text
    asked = await office.manager.post(f"/claims/{opened.json()['id']}/supplier-check", json={"verdict": "refuses"})
    assert asked.status_code == 200, asked.text
    return dict(asked.json())


async def age(office: Office, found: Json, days: int) -> None:
    """As if the part had been issued that many days ago."""
    async with office.orders.session() as session:
        from datetime import timedelta

        await session.execute(
            update(Claim).where(Claim.id == found["id"]).values(issued_at=now() - timedelta(days=days))
        )


@pytest.mark.clause("RET-03")
async def test_the_matrix_offers_the_client_declines_the_return_is_accepted(office: Office) -> None:
    found = await claim(office)
    assert found["number"].startswith("М45-В")
    (opened,) = await office.orders.published(ClaimOpened, client_id=office.client_id)
    assert opened.amount == Decimal("1500.00")
    row = (await office.manager.get("/claims/matrix", params={"amount": "1500", "kind": "consumable"})).json()
    assert row["offers"][0]["text"] == "Оставить деталь со скидкой 20–25 % и 5 % на следующий заказ"
    assert row["decides"] == "manager"

    path = f"/claims/{found['id']}"
    offer = {"offer_code": "discount", "discount_percent": 20, "next_discount_percent": 5, "client_answer": "declined"}
    offered = await office.manager.post(f"{path}/offer", json=offer)
    assert offered.status_code == 200, offered.text
    decided = await office.manager.post(f"{path}/decision", json={"decision": "accepted", "reason": "Не подошло"})
    assert decided.status_code == 200, decided.text
    assert decided.json()["decision_label"] == "Возврат принят"
    (event,) = await office.orders.published(ClaimDecided, client_id=office.client_id)
    assert (event.decision, event.refund, event.next_discount_percent) == ("accepted", Decimal("1500.00"), None)
    assert (await office.position(found["position_id"]))["state_label"] == "Возврат"
    again = await office.manager.post(f"{path}/decision", json={"decision": "accepted", "reason": "Ещё раз"})
    assert again.status_code == 409


@pytest.mark.clause("K8", "RET-03")
async def test_a_client_who_keeps_the_part_gets_the_discount(office: Office) -> None:
    found = await claim(office)
    path = f"/claims/{found['id']}"
    kept = {"decision": "kept", "reason": "Согласился на скидку"}
    assert (await office.manager.post(f"{path}/decision", json=kept)).status_code == 409
    offer = {"offer_code": "discount", "discount_percent": 25, "next_discount_percent": 5, "client_answer": "agreed"}
    too_generous = await office.manager.post(f"{path}/offer", json=offer | {"discount_percent": 50})
    assert too_generous.status_code == 422
    await office.manager.post(f"{path}/offer", json=offer)
    await office.manager.post(f"{path}/decision", json=kept)
    (event,) = await office.orders.published(ClaimDecided, client_id=office.client_id)
    assert (event.decision, event.refund) == ("kept", Decimal("375.00"))
    assert (event.next_discount_percent, event.discount_scope) == (5, "next_order")
    assert (await office.position(found["position_id"]))["state_label"] == "Выдано"


async def _keep(office: Office, found: Json) -> Json:
    """The client agrees to 25 % off and keeps the part."""
    offer = {"offer_code": "discount", "discount_percent": 25, "client_answer": "agreed"}
    offered = await office.manager.post(f"/claims/{found['id']}/offer", json=offer)
    assert offered.status_code == 200, offered.text
    kept = await office.manager.post(f"/claims/{found['id']}/decision", json={"decision": "kept", "reason": "Скидка"})
    assert kept.status_code == 200, kept.text
    return dict(kept.json())


async def _claim_again(office: Office, position_id: str, **changes: object) -> Json:
    body = {"position_id": position_id, "reason": "Всё-таки не подошло", **changes}
    opened = await office.client.post("/claims", json=body)
    assert opened.status_code == 201, opened.text
    await office.manager.post(f"/claims/{opened.json()['id']}/supplier-check", json={"verdict": "refuses"})
    return dict(opened.json())


async def test_a_discount_for_keeping_is_not_returned_a_second_time(office: Office) -> None:
    found = await claim(office)
    assert (await _keep(office, found))["refund"] == "375.00"
    again = await _claim_again(office, found["position_id"])
    assert again["amount"] == "1125.00"
    decision = {"decision": "accepted", "reason": "Не подошло"}
    accepted = await office.manager.post(f"/claims/{again['id']}/decision", json=decision)
    assert accepted.json()["refund"] == "1125.00"


async def test_only_the_pieces_that_were_kept_cheaper_return_less(office: Office) -> None:
    found = await claim(office, price="400.01", purchase="150.00", quantity_issued=4, quantity=3)
    assert (await _keep(office, found))["refund"] == "300.01"
    positions = (await office.manager.get("/positions", params={"client_id": str(office.client_id)})).json()["items"]
    untouched = next(position for position in positions if position["id"] != found["position_id"])
    assert (untouched["quantity"], untouched["state"], untouched["origin_id"]) == (1, "issued", found["position_id"])
    assert (await _claim_again(office, untouched["id"]))["amount"] == "400.01"

    refunds = []
    position_id = found["position_id"]
    for left in (3, 2, 1):
        one = await _claim_again(office, position_id, quantity=1)
        decision = {"decision": "accepted", "reason": "Не подошло"}
        decided = await office.manager.post(f"/claims/{one['id']}/decision", json=decision)
        refunds.append(Decimal(decided.json()["refund"]))
        listed = (await office.manager.get("/positions", params={"client_id": str(office.client_id)})).json()["items"]
        rest = [p["id"] for p in listed if p["state"] == "issued" and p["id"] != untouched["id"]]
        assert len(rest) == (left > 1)
        position_id = rest[0] if rest else ""
    assert sum(refunds) == Decimal("1200.03") - Decimal("300.01")


@pytest.mark.clause("RET-09")
async def test_the_supplier_is_asked_first(office: Office) -> None:
    (position,) = await office.issued(an_item(supplier_id=await office.supplier()))
    opened = await office.manager.post("/claims", json={"position_id": position["id"], "reason": "Не подошло"})
    path = f"/claims/{opened.json()['id']}"
    for step, body in (
        ("decision", {"decision": "accepted", "reason": "Принимаем"}),
        ("offer", {"offer_code": "discount", "discount_percent": 20, "client_answer": "agreed"}),
    ):
        assert code(await office.manager.post(f"{path}/{step}", json=body)) == "supplier-check-first"


@pytest.mark.clause("K16")
async def test_what_the_matrix_does_not_give_cannot_be_offered(office: Office) -> None:
    found = await claim(office, kind="other")
    offer = {"offer_code": "discount", "discount_percent": 20, "client_answer": "agreed"}
    assert code(await office.manager.post(f"/claims/{found['id']}/offer", json=offer)) == "offer-not-in-matrix"


@pytest.mark.clause("K7", "RET-05")
async def test_over_5000_the_director_decides(office: Office) -> None:
    await office.hire_director()
    found = await claim(office, "9000.00", "6000.00", kind="individual")
    path = f"/claims/{found['id']}"
    decision = {"decision": "accepted", "reason": "Причины подробно изложены в заявлении"}
    for person in (office.manager, office.senior):
        assert (await person.post(f"{path}/decision", json=decision)).status_code == 403
    offer = {"offer_code": "below_purchase_price", "agreed_price": "5000.00", "client_answer": "agreed"}
    assert (await office.senior.post(f"{path}/offer", json=offer)).status_code == 403
    offered = await office.director.post(f"{path}/offer", json=offer)
    assert offered.json()["keeping_refund"] == "4000.00"
    assert (await office.director.post(f"{path}/decision", json=decision)).status_code == 200


@pytest.mark.clause("K7", "ORG-03")
@pytest.mark.parametrize("lost", ["never was", "dismissed", "to head office", "to head office, heard first"])
async def test_where_there_is_no_director_the_senior_decides(office: Office, lost: str) -> None:
    if lost != "never was":
        events: list[dict[str, Any]] = [{}, {"active": False} if lost == "dismissed" else {"leaves": True}]
        numbered = list(enumerate(events, 1))
        for version, event in reversed(numbered) if lost.endswith("first") else numbered:
            await office.hire_director(version=version, **event)
    found = await claim(office, "9000.00", "6000.00")
    path = f"/claims/{found['id']}/decision"
    decision = {"decision": "accepted", "reason": "Решаю за управляющего"}
    assert (await office.manager.post(path, json=decision)).status_code == 403
    assert (await office.senior.post(path, json=decision)).status_code == 200


async def test_what_the_law_grants_is_not_refused(office: Office) -> None:
    found = await claim(office)
    path = f"/claims/{found['id']}/decision"
    rejected = {"decision": "rejected", "reason": "Не хотим"}
    assert code(await office.manager.post(path, json=rejected)) == "granted-by-law"
    await age(office, found, 30)
    answer = await office.manager.post(path, json=rejected)
    assert answer.status_code == 200, answer.text
    (event,) = await office.orders.published(ClaimDecided, client_id=office.client_id)
    assert (event.decision, event.refund) == ("rejected", Decimal(0))


@pytest.mark.clause("RET-10")
async def test_warranty_is_outside_the_matrix_and_never_refused(office: Office) -> None:
    found = await claim(office, ground="warranty")
    await age(office, found, 300)
    path = f"/claims/{found['id']}"
    offer = {"offer_code": "discount", "discount_percent": 20, "client_answer": "agreed"}
    assert code(await office.manager.post(f"{path}/offer", json=offer)) == "offer-not-in-matrix"
    rejected = {"decision": "rejected", "reason": "Не хотим"}
    assert code(await office.manager.post(f"{path}/decision", json=rejected)) == "granted-by-law"


async def test_a_part_of_a_position_comes_back(office: Office) -> None:
    found = await claim(office, quantity_issued=3, quantity=1)
    assert found["amount"] == "1500.00"
    await office.manager.post(f"/claims/{found['id']}/decision", json={"decision": "accepted", "reason": "Лишняя"})
    positions = (await office.manager.get("/positions", params={"client_id": str(office.client_id)})).json()["items"]
    assert sorted((position["state"], position["quantity"]) for position in positions) == [
        ("issued", 2),
        ("returned", 1),
    ]
    returned = next(position for position in positions if position["state"] == "returned")
    assert returned["id"] == found["position_id"]
    kept = next(position for position in positions if position["state"] == "issued")
    assert kept["origin_id"] == found["position_id"]


async def test_only_issued_positions_are_claimed_and_once_at_a_time(office: Office) -> None:
    order = await office.place()
    body = {"position_id": order["positions"][0]["id"], "reason": "Передумал"}
    assert code(await office.client.post("/claims", json=body)) == "illegal-transition"
    found = await claim(office)
    body = {"position_id": found["position_id"], "reason": "Передумал"}
    assert (await office.client.post("/claims", json=body)).status_code == 409
    listed = await office.manager.get("/claims", params={"open_only": True})
    assert [item["id"] for item in listed.json()["items"]] == [found["id"]]


async def test_the_client_sees_the_claim_without_what_is_internal(office: Office) -> None:
    found = await claim(office, purchase="987.65")
    seen = await office.client.get(f"/claims/{found['id']}")
    assert seen.json()["internal"] is None
    assert "987.65" not in seen.text
