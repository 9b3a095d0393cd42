"""The list of positions: its filter by supplier and what stands beside a client."""

import pytest

from tests.integration.orders.conftest import Json, Office, an_item


async def listed(office: Office, **params: str) -> list[Json]:
    found = await office.manager.get("/positions", params={"client_id": str(office.client_id), **params})
    assert found.status_code == 200, found.text
    return list(found.json()["items"])


@pytest.mark.clause("ORD-02")
async def test_the_filter_by_supplier_leaves_the_positions_of_others_out(office: Office) -> None:
    ours, others = await office.supplier(), await office.supplier()
    await office.place(
        an_item(article="A1", supplier_id=ours),
        an_item(article="A2", supplier_id=others),
        an_item(article="A3", supplier_id=None),
    )
    assert [item["article"] for item in await listed(office, supplier_id=ours)] == ["A1"]
    assert [item["article"] for item in await listed(office, supplier_id=others)] == ["A2"]
    assert len(await listed(office)) == 3


@pytest.mark.clause("ORD-02")
async def test_only_what_is_under_moderation_is_counted_beside_the_client(office: Office) -> None:
    supplier = await office.supplier()
    order = await office.pay(
        await office.place(*[an_item(supplier_id=supplier, quantity=2, sale_price="1100.00") for _ in range(4)])
    )
    ordered = await office.moved("order", order["positions"][:3])
    await office.moved("receive", ordered[:1])
    assert {(item["state"], item["client_under_moderation"]["count"]) for item in await listed(office)} == {
        ("ready", 1),
        ("ordered", 1),
        ("moderation", 1),
    }
    assert {item["client_under_moderation"]["amount"] for item in await listed(office)} == {"2200.00"}
