"""The life of a position from basket to «Выдано», and its refusals, through HTTP and the broker."""

from decimal import Decimal

import pytest

from shared.contracts.orders import (
    GoodsIssued,
    GoodsReady,
    OrderPlaced,
    OrderProcessed,
    PositionOrdered,
    PositionReceived,
    PositionRefused,
    PurchaseOrderSent,
)
from shared.identity.roles import Role
from tests.integration.orders.conftest import Json, Office, an_item, code


@pytest.mark.clause("ORD-01")
async def test_the_basket_becomes_an_order_under_moderation(office: Office) -> None:
    order = await office.place(an_item(quantity=2), an_item(article="0986478868", brand="Bosch"))

    assert order["state_label"] == "На модерации"
    assert order["number"].startswith("М45-")
    assert order["total"] == "4500.00"
    assert [position["line"] for position in order["positions"]] == [1, 2]
    assert {position["state_label"] for position in order["positions"]} == {"На модерации"}
    basket = await office.manager.get(f"/baskets/{office.client_id}/items")
    assert basket.json()["items"] == []
    (placed,) = await office.orders.published(OrderPlaced, client_id=office.client_id)
    assert placed.number == order["number"]
    assert placed.channel == "office"
    assert placed.total == Decimal("4500.00")
    assert not placed.wholesale
    assert [line.amount for line in placed.positions] == [Decimal("3000.00"), Decimal("1500.00")]


async def test_an_empty_basket_is_no_order(office: Office) -> None:
    refused = await office.manager.post("/orders", json={"client_id": str(office.client_id)})
    assert refused.status_code == 409
    assert code(refused) == "basket-empty"


async def test_a_repeated_order_with_the_same_key_is_placed_once(office: Office) -> None:
    await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item())
    body, headers = {"client_id": str(office.client_id)}, {"Idempotency-Key": f"once-{office.id}"}
    first = await office.manager.post("/orders", json=body, headers=headers)
    second = await office.manager.post("/orders", json=body, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert len(await office.orders.published(OrderPlaced, client_id=office.client_id)) == 1


@pytest.mark.clause("ORD-12")
async def test_unpaid_positions_do_not_go_to_a_supplier(office: Office) -> None:
    order = await office.place()
    (result,) = await office.act("order", order["positions"])
    assert not result["ok"]
    assert result["problem"]["type"] == "urn:reglament:problem:order-unpaid"
    assert result["state"] == "moderation"
    assert await office.orders.published(PositionOrdered, client_id=office.client_id) == []


@pytest.mark.clause("K13", "ORD-12")
async def test_a_senior_overrides_the_prepayment_with_a_reason(office: Office) -> None:
    order = await office.place()
    by_manager = await office.manager.post(
        "/positions/actions",
        json={
            "action": "order",
            "items": [{"position_id": order["positions"][0]["id"], "version": 1}],
            "override_reason": "Постоянный клиент",
        },
    )
    assert by_manager.status_code == 403
    (result,) = await office.act(
        "order", order["positions"], by=office.senior, override_reason="Постоянный клиент, оплатит при получении"
    )
    assert result["ok"]
    assert result["state_label"] == "Заказ отправлен"


@pytest.mark.clause("ORD-12")
async def test_wholesale_goes_to_the_supplier_unpaid(office: Office) -> None:
    await office.register(version=2, kind="wholesale", category="opt7")
    order = await office.place()
    (result,) = await office.act("order", order["positions"])
    assert result["ok"], result


@pytest.mark.clause("ORD-03")
async def test_positions_are_grouped_by_supplier_and_each_has_its_own_result(office: Office) -> None:
    first, second = await office.supplier("Автотрейд"), await office.supplier("Шате-М")
    order = await office.place(
        an_item(article="A1", supplier_id=first, quantity=3),
        an_item(article="A2", supplier_id=first),
        an_item(article="B1", supplier_id=second),
        an_item(article="C1", supplier_id=None),
        an_item(article="D1", supplier_id=first, purchase_price=None),
        an_item(article="E1", supplier_id=first),
    )
    order = await office.pay(order)
    stale = order["positions"][5] | {"version": 1}
    results = await office.act("order", [*order["positions"][:5], stale])

    assert [result["ok"] for result in results] == [True, True, True, False, False, False]
    assert [result["problem"]["type"].rpartition(":")[2] for result in results[3:]] == [
        "invalid",
        "invalid",
        "stale-version",
    ]
    sent = await office.orders.published(PurchaseOrderSent, office_id=office.id)
    by_supplier = {str(event.supplier_id): event for event in sent}
    assert by_supplier.keys() == {first, second}
    assert [(line.article, line.quantity) for line in by_supplier[first].lines] == [("A1", 3), ("A2", 1)]
    assert by_supplier[first].total == Decimal("4000.00")
    assert by_supplier[first].number.startswith("М45-П")
    assert by_supplier[first].supplier_email == "sales@supplier.example"
    assert len(await office.orders.published(PositionOrdered, client_id=office.client_id)) == 3


@pytest.mark.clause("ORD-05", "ORD-14")
async def test_an_order_is_processed_once_when_its_last_position_leaves_moderation(office: Office) -> None:
    supplier = await office.supplier()
    order = await office.pay(await office.place(an_item(supplier_id=supplier), an_item(supplier_id=supplier)))
    first, second = order["positions"]
    await office.moved("order", [first])
    assert await office.orders.published(OrderProcessed, client_id=office.client_id) == []
    await office.moved("order", [second])
    assert len(await office.orders.published(OrderProcessed, client_id=office.client_id)) == 1
    shown = await office.order(order["id"])
    assert shown["processed_at"] is not None
    assert shown["state"] == "ordered"
    await office.moved("issue", await office.moved("receive", shown["positions"]))
    issued = await office.order(order["id"])
    assert (issued["state"], issued["processed_at"]) == ("issued", shown["processed_at"])
    assert len(await office.orders.published(OrderProcessed, client_id=office.client_id)) == 1


async def test_sending_again_mails_the_same_document_and_orders_nothing(office: Office) -> None:
    order = await office.pay(await office.place())
    (position,) = await office.moved("order", order["positions"])
    document = position["internal"]["purchase_order_id"]

    again = await office.manager.post(f"/purchase-orders/{document}/resend", json={})
    assert again.status_code == 200, again.text
    assert again.json()["sendings"] == 2
    first, second = await office.orders.published(PurchaseOrderSent, office_id=office.id)
    assert (first.sending, second.sending) == (1, 2)
    assert first.lines == second.lines
    assert first.number == second.number
    (result,) = await office.act("order", [position])
    assert result["problem"]["type"] == "urn:reglament:problem:illegal-transition"
    assert len(await office.orders.published(PositionOrdered, client_id=office.client_id)) == 1


@pytest.mark.clause("ORD-01", "ORD-09")
async def test_goods_are_received_and_the_client_hears_once_per_order(office: Office) -> None:
    supplier = await office.supplier()
    order = await office.pay(
        await office.place(*[an_item(article=f"A{number}", supplier_id=supplier) for number in range(3)])
    )
    ordered = await office.moved("order", order["positions"])
    ready = await office.moved("receive", ordered[:2])
    assert {position["state_label"] for position in ready} == {"Готов к выдаче"}
    (event,) = await office.orders.published(GoodsReady, client_id=office.client_id)
    assert [line.article for line in event.positions] == ["A0", "A1"]
    assert not event.complete
    await office.moved("receive", ordered[2:])
    assert [event.complete for event in await office.orders.published(GoodsReady, client_id=office.client_id)] == [
        False,
        True,
    ]
    assert len(await office.orders.published(PositionReceived, client_id=office.client_id)) == 3


@pytest.mark.clause("CL-05", "ORD-01", "ORD-10", "ORD-17")
async def test_goods_are_handed_over_to_an_identified_person_with_opened_packaging(office: Office) -> None:
    supplier = await office.supplier()
    order = await office.pay(await office.place(an_item(supplier_id=supplier), an_item(supplier_id=supplier)))
    ready = await office.moved("receive", await office.moved("order", order["positions"]))
    items = [{"position_id": position["id"], "version": position["version"]} for position in ready]
    body: Json = {"action": "issue", "items": items, "disclosures": ["packaging_opened"]}
    assert code(await office.manager.post("/positions/actions", json=body)) == "person-not-identified"
    body = {"action": "issue", "items": items, "person_identified": True}
    assert code(await office.manager.post("/positions/actions", json=body)) == "disclosure-required"

    issued = await office.moved("issue", ready)
    assert {position["state_label"] for position in issued} == {"Выдано"}
    (event,) = await office.orders.published(GoodsIssued, client_id=office.client_id)
    assert event.total == Decimal("3000.00")
    assert event.number.startswith("М45-Р")
    assert [str(order_id) for order_id in event.order_ids] == [order["id"]]
    shipment = await office.client.get(f"/shipments/{event.shipment_id}")
    assert [position["id"] for position in shipment.json()["positions"]] == [position["id"] for position in issued]
    assert (await office.order(order["id"]))["state_label"] == "Выдано"


@pytest.mark.clause("ORD-13")
async def test_a_refused_position_is_ordered_elsewhere_at_the_same_sale_price(office: Office) -> None:
    order = await office.pay(await office.place())
    (position,) = await office.moved("order", order["positions"])
    refused = await office.manager.post(
        f"/positions/{position['id']}/refusal", json={"reason": "Нет на складе", "final": False}
    )
    assert refused.status_code == 200, refused.text
    assert refused.json()["position"]["state_label"] == "Отказ поставщика"
    assert (await office.order(order["id"]))["state"] == "ordered"
    elsewhere = await office.supplier()

    too_dear = {"supplier_id": elsewhere, "purchase_price": "1600.00"}
    answer = await office.manager.post(f"/positions/{position['id']}/reorder", json=too_dear)
    assert code(answer) == "purchase-price-too-high"
    by_manager = too_dear | {"override_reason": "Клиент важен"}
    assert (await office.manager.post(f"/positions/{position['id']}/reorder", json=by_manager)).status_code == 403

    again = await office.manager.post(
        f"/positions/{position['id']}/reorder", json={"supplier_id": elsewhere, "purchase_price": "1200.00"}
    )
    assert again.status_code == 200, again.text
    assert again.json()["state_label"] == "Заказ отправлен"
    assert again.json()["sale_price"] == "1500.00"
    assert again.json()["internal"]["supplier_id"] == elsewhere
    assert len(await office.orders.published(PurchaseOrderSent, office_id=office.id)) == 2
    (event,) = await office.orders.published(PositionRefused, client_id=office.client_id)
    assert not event.final


@pytest.mark.clause("K10", "ORD-13")
async def test_a_final_refusal_says_so_and_nothing_follows_it(office: Office) -> None:
    order = await office.pay(await office.place())
    (position,) = await office.moved("order", order["positions"])
    path = f"/positions/{position['id']}"
    await office.manager.post(f"{path}/refusal", json={"reason": "Нет на складе", "final": False})
    final = await office.manager.post(f"{path}/refusal", json={"reason": "Снято с производства", "final": True})
    assert final.status_code == 200, final.text
    events = await office.orders.published(PositionRefused, client_id=office.client_id)
    assert [event.final for event in events] == [False, True]
    assert events[1].amount == Decimal("1500.00")
    assert (await office.order(order["id"]))["state_label"] == "Отказ поставщика"

    again = await office.manager.post(f"{path}/refusal", json={"reason": "Ещё раз", "final": True})
    assert code(again) == "illegal-transition"
    elsewhere = {"supplier_id": await office.supplier(), "purchase_price": "900.00"}
    assert code(await office.manager.post(f"{path}/reorder", json=elsewhere)) == "illegal-transition"
    (removed,) = await office.act("remove", [await office.position(position["id"])], reason_code="client_request")
    assert not removed["ok"]


@pytest.mark.clause("ORD-09")
async def test_a_partial_receipt_splits_the_position_and_keeps_the_lineage(office: Office) -> None:
    order = await office.pay(await office.place(an_item(quantity=5, supplier_id=await office.supplier())))
    (position,) = await office.moved("order", order["positions"])
    (result,) = await office.act("receive", [position | {"take": 2}])
    assert result["ok"]
    came, rest = await office.position(position["id"]), await office.position(result["remainder_id"])
    assert (came["quantity"], came["state"]) == (2, "ready")
    assert (rest["quantity"], rest["state"], rest["paid"]) == (3, "ordered", True)
    assert rest["origin_id"] == rest["split_from_id"] == position["id"]

    refusal = {"reason": "Осталось две", "final": True, "quantity": 1}
    answer = (await office.manager.post(f"/positions/{rest['id']}/refusal", json=refusal)).json()
    assert (answer["position"]["quantity"], answer["remainder"]["quantity"]) == (1, 2)
    assert answer["remainder"]["origin_id"] == position["id"]
    assert answer["remainder"]["split_from_id"] == rest["id"]
    (event,) = await office.orders.published(PositionRefused, client_id=office.client_id)
    assert event.amount == Decimal("1500.00")
    assert str(event.origin_position_id) == position["id"]

    (too_much,) = await office.act("issue", [came | {"take": 9}])
    assert too_much["problem"]["type"] == "urn:reglament:problem:invalid"
    await office.moved("issue", [came])
    (issued,) = await office.orders.published(GoodsIssued, client_id=office.client_id)
    assert issued.total == Decimal("3000.00")


@pytest.mark.clause("ORD-08")
async def test_a_client_never_sees_supplier_purchase_price_or_internal_comment(office: Office) -> None:
    order = await office.place()
    (position,) = order["positions"]
    changed = await office.manager.patch(
        f"/positions/{position['id']}",
        json={"manager_comment": "Клиент торгуется", "purchase_price": "987.65"},
        headers={"If-Match": '"1"'},
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["internal"]["manager_comment"] == "Клиент торгуется"
    for path in (f"/positions/{position['id']}", "/positions", f"/orders/{order['id']}", "/orders"):
        answer = await office.client.get(path)
        assert answer.status_code == 200, answer.text
        assert "987.65" not in answer.text
        assert "торгуется" not in answer.text
        assert position["internal"]["supplier_id"] not in answer.text
    assert (await office.client.get(f"/positions/{position['id']}")).json()["internal"] is None


@pytest.mark.clause("ORD-03")
async def test_a_bulk_action_reports_a_foreign_position_as_not_found(office: Office, new_office) -> None:  # type: ignore[no-untyped-def]
    other = await new_office()
    order = await other.place()
    (result,) = await office.act("remove", order["positions"], reason_code="client_request")
    assert result["problem"]["status"] == 404
    assert (await other.position(order["positions"][0]["id"]))["state"] == "moderation"
    for path in (f"/orders/{order['id']}", f"/positions/{order['positions'][0]['id']}"):
        assert (await office.manager.get(path)).status_code == 404
    head = office.orders.http(Role.HEAD_OFFICE)
    assert (await head.get(f"/orders/{order['id']}")).status_code == 200
