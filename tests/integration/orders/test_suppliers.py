"""Suppliers, «96/3» from our own history, policies, lists."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from services.orders.models import Position, SupplierDay
from shared.base.clock import now
from shared.contracts.billing import BalanceChanged
from shared.identity.roles import Role
from tests.integration.orders.conftest import Office, an_item, code


@pytest.mark.clause("CALL-07", "K10", "K14", "ORD-15", "ORD-16")
async def test_supply_statistics_come_from_our_own_history(office: Office) -> None:
    supplier = await office.supplier()
    order = await office.pay(await office.place(*[an_item(supplier_id=supplier, term_days=3) for _ in range(4)]))
    ordered = await office.moved("order", order["positions"])
    async with office.orders.session() as session:
        await session.execute(
            update(Position)
            .where(Position.id.in_([position["id"] for position in ordered[:2]]))
            .values(ordered_at=now() - timedelta(days=6, hours=1), promised_at=now())  # Its delay was noted (K10).
        )
    await office.moved("receive", ordered[:3])
    await office.manager.post(f"/positions/{ordered[3]['id']}/refusal", json={"reason": "Нет", "final": True})

    shown = (await office.manager.get(f"/suppliers/{supplier}")).json()
    assert (shown["statistics"], shown["supplied"], shown["refused"]) == ("75/2", 3, 1)
    (listed,) = [item for item in (await office.manager.get("/suppliers")).json()["items"] if item["id"] == supplier]
    assert listed["statistics"] == "75/2"
    position = await office.position(ordered[0]["id"])
    assert position["internal"]["supplier_statistics"] == "75/2"
    assert position["supply_statistics"] is None

    offered = await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item(supplier_id=supplier))
    assert offered.json()["supply_statistics"] == "75/2"
    basket = await office.client.get(f"/baskets/{office.client_id}/items")
    assert basket.json()["items"][0]["supply_statistics"] == "75/2"
    assert supplier not in basket.text


async def test_a_supplier_is_the_offices_own(office: Office, new_office) -> None:  # type: ignore[no-untyped-def]
    other = await new_office()
    supplier = await other.supplier("Автотрейд")
    assert (await office.manager.get(f"/suppliers/{supplier}")).status_code == 404
    assert (await office.client.get("/suppliers")).status_code == 403
    foreign = await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item(supplier_id=supplier))
    assert foreign.status_code == 422
    twice = {"name": "Автотрейд", "email": "a@b.example"}
    assert (await other.manager.post("/suppliers", json=twice)).status_code == 409
    assert (await office.manager.post("/suppliers", json=twice)).status_code == 201


async def test_nothing_is_ordered_from_a_closed_supplier(office: Office) -> None:
    supplier = await office.supplier()
    order = await office.pay(await office.place(an_item(supplier_id=supplier)))
    path = f"/suppliers/{supplier}"
    assert (await office.manager.patch(path, json={"active": False}, headers={"If-Match": '"1"'})).status_code == 403
    assert (await office.senior.patch(path, json={"active": False}, headers={"If-Match": '"3"'})).status_code == 412
    closed = await office.senior.patch(path, json={"active": False}, headers={"If-Match": '"1"'})
    assert closed.json()["active"] is False
    (result,) = await office.act("order", order["positions"])
    assert result["problem"]["type"] == "urn:reglament:problem:invalid"
    (result,) = await office.act("order", order["positions"], supplier_id=await office.supplier())
    assert not result["ok"]


async def test_a_position_without_a_supplier_goes_to_the_chosen_one(office: Office) -> None:
    chosen = await office.supplier()
    order = await office.pay(await office.place(an_item(supplier_id=None)))
    (position,) = await office.moved("order", order["positions"], supplier_id=chosen)
    assert position["internal"]["supplier_id"] == chosen
    assert position["promised_at"] is not None


@pytest.mark.clause("K10")
async def test_a_delay_and_a_changed_price_are_noted(office: Office) -> None:
    order = await office.pay(await office.place())
    (position,) = await office.moved("order", order["positions"])
    path, headers = f"/positions/{position['id']}", {"If-Match": f'"{position["version"]}"'}
    changed = await office.manager.patch(
        path, json={"promised_at": "2030-01-01T00:00:00Z", "purchase_price": "1100.00"}, headers=headers
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["promised_at"] == "2030-01-01T00:00:00Z"
    headers = {"If-Match": f'"{changed.json()["version"]}"'}
    assert (await office.manager.patch(path, json={"term_days": 9}, headers=headers)).status_code == 409
    assert (await office.manager.patch(path, json={"sale_price": "1.00"}, headers=headers)).status_code == 422


@pytest.mark.clause("K13", "K4")
async def test_policies_have_an_effective_date_and_head_office_edits_them(office: Office) -> None:
    head = office.orders.http(Role.HEAD_OFFICE)
    versions = (await office.manager.get("/policies/prepayment")).json()["items"]
    assert "opt10" in versions[-1]["data"]["exempt_categories"]
    later = {"effective_from": (now() + timedelta(days=30)).isoformat(), "data": {"exempt_categories": ["opt10"]}}
    assert (await office.senior.post("/policies/prepayment", json=later)).status_code == 403
    assert (await head.post("/policies/prepayment", json=later)).status_code == 201
    assert (await head.post("/policies/prepayment", json=later)).status_code == 409
    past = later | {"effective_from": "2001-01-01T00:00:00Z"}
    assert (await head.post("/policies/prepayment", json=past)).status_code == 422
    broken = later | {"effective_from": (now() + timedelta(days=31)).isoformat(), "data": {"exempt": []}}
    assert (await head.post("/policies/prepayment", json=broken)).status_code == 422
    rude = {
        "reasons": [
            {"code": "rude", "label": "Грубо", "text": "Клиент не заплатил"},
            {"code": "outdated", "label": "Не актуально", "text": "Свяжитесь с менеджером", "automatic": True},
        ]
    }
    refused = await head.post("/policies/removal", json=later | {"data": rude})
    assert refused.status_code == 422
    assert "обращаться к клиенту" in refused.json()["detail"]

    await office.register(version=2, kind="wholesale", category="opt7")
    order = await office.place()
    (result,) = await office.act("order", order["positions"])
    assert result["ok"], "the new version is not in force yet"


@pytest.mark.clause("ORD-16")
async def test_a_new_policy_counts_from_its_date(office: Office) -> None:
    head = office.orders.http(Role.HEAD_OFFICE)
    supplier = await office.supplier()
    async with office.orders.session() as session:
        session.add(
            SupplierDay(
                supplier_id=supplier,
                office_id=office.id,
                day=(now() - timedelta(days=100)).date(),
                supplied=9,
                refused=1,
                late_days=0,
            )
        )
    shown = await office.manager.get(f"/suppliers/{supplier}")
    assert shown.json()["statistics"] == "90/0"
    assert (await head.post("/policies/statistics", json={"data": {"days": 30}})).status_code == 201
    shown = await office.manager.get(f"/suppliers/{supplier}")
    assert shown.json()["statistics"] is None
    assert (await head.post("/policies/statistics", json={"data": {"days": 365}})).status_code == 201
    versions = (await head.get("/policies/statistics")).json()["items"]
    assert [version["data"]["days"] for version in versions] == [365, 30, 365]


async def test_a_document_goes_again_to_the_suppliers_new_address(office: Office) -> None:
    order = await office.pay(await office.place())
    (position,) = await office.moved("order", order["positions"])
    supplier = position["internal"]["supplier_id"]
    changed = await office.senior.patch(
        f"/suppliers/{supplier}", json={"email": "right@supplier.example"}, headers={"If-Match": '"1"'}
    )
    assert changed.status_code == 200, changed.text
    again = await office.manager.post(f"/purchase-orders/{position['internal']['purchase_order_id']}/resend")
    assert again.json()["supplier_email"] == "right@supplier.example"


@pytest.mark.clause("BILL-04", "ORD-02")
async def test_the_list_shows_balance_moderation_and_pages(office: Office) -> None:
    await office.orders.deliver(
        BalanceChanged(
            office_id=office.id,
            version=2,
            occurred_at=now(),
            client_id=office.client_id,
            balance=Decimal("500.00"),
            held=Decimal("100.00"),
            available=Decimal("400.00"),
        )
    )
    supplier = await office.supplier()
    order = await office.place(*[an_item(article=f"A{number}", supplier_id=supplier) for number in range(5)])
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        params = {"limit": "2", "client_id": str(office.client_id)} | ({"cursor": cursor} if cursor else {})
        page = (await office.manager.get("/positions", params=params)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert cursor is None
    assert sorted(seen) == sorted(position["id"] for position in order["positions"])
    first = page["items"][0]
    assert first["client_balance"] == {"balance": "500.00", "held": "100.00", "available": "400.00"}
    assert first["client_under_moderation"] == {"count": 5, "amount": "7500.00"}
    assert first["client_name"] == "Петров Пётр Петрович"
    assert first["internal"]["client_phone"] == "+79031234567"

    filters: list[tuple[dict[str, str], int]] = [
        ({"state": "moderation"}, 5),
        ({"state": "ordered"}, 0),
        ({"supplier_id": supplier}, 5),
        ({"order_id": order["id"]}, 5),
        ({"paid": "true"}, 0),
        ({"changed_from": "2100-01-01T00:00:00Z"}, 0),
        ({"changed_to": "2100-01-01T00:00:00Z"}, 5),
        ({"office_id": str(office.id)}, 5),
    ]
    for params, count in filters:
        found = await office.manager.get("/positions", params=params)
        assert len(found.json()["items"]) == count, params
    hidden = await office.client.get("/positions", params={"supplier_id": "019a0000-0000-7000-8000-000000000000"})
    assert len(hidden.json()["items"]) == 5
    assert code(await office.manager.get("/positions", params={"cursor": "nonsense"})) == "bad-cursor"


@pytest.mark.clause("ORD-14")
async def test_orders_are_listed_with_their_derived_state(office: Office) -> None:
    supplier = await office.supplier()
    first = await office.pay(await office.place(an_item(supplier_id=supplier), an_item(supplier_id=supplier)))
    second = await office.place()
    await office.moved("order", first["positions"])
    listed = (await office.manager.get("/orders", params={"client_id": str(office.client_id)})).json()["items"]
    assert [item["id"] for item in listed] == [second["id"], first["id"]]
    assert listed[1]["position_states"] == {"ordered": 2}
    assert listed[1]["state_label"] == "Заказ отправлен"
    found = (await office.manager.get("/orders", params={"state": "moderation"})).json()["items"]
    assert [item["id"] for item in found] == [second["id"]]
    found = (await office.manager.get("/orders", params={"number": first["number"]})).json()["items"]
    assert [item["id"] for item in found] == [first["id"]]
