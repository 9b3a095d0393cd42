"""Each of the two layers alone hides another office's and another client's orders (ORG-04)."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.orders.conftest import Office, an_item
from tests.integration.orders.test_inquiries import record
from tests.support.harness import ServiceHarness
from tests.support.isolation import LAYERS, active_layers

LISTS = (
    "/orders",
    "/positions",
    "/purchase-orders",
    "/shipments",
    "/claims",
    "/inquiries",
    "/suppliers",
    "/tasks",
)


@pytest_asyncio.fixture(params=LAYERS)
async def layers(orders: ServiceHarness, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with active_layers(orders, request.param) as layers:
        yield layers


@pytest.mark.clause("ORG-04")
@pytest.mark.usefixtures("layers")
async def test_strangers_find_nothing(office: Office, new_office: Callable[..., Awaitable[Office]]) -> None:
    supplier = await office.supplier()
    [position] = await office.issued(an_item(supplier_id=supplier))
    claimed = await office.manager.post("/claims", json={"position_id": position["id"], "reason": "Не подошло"})
    inquiry = await record(office)
    shipments = (await office.manager.get("/shipments")).json()["items"]
    bought = (await office.manager.get("/purchase-orders")).json()["items"]
    await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item())
    single = [
        f"/orders/{position['order_id']}",
        f"/positions/{position['id']}",
        f"/claims/{claimed.json()['id']}",
        f"/inquiries/{inquiry['id']}",
        f"/suppliers/{supplier}",
        f"/shipments/{shipments[0]['id']}",
        f"/purchase-orders/{bought[0]['id']}",
        f"/baskets/{office.client_id}/items",
    ]
    for path in single:
        assert (await office.manager.get(path)).status_code == 200, path
    other = await new_office()
    stranger = office.orders.http(Role.CLIENT, office_id=office.id, principal_id=new_id())
    for caller in (other.manager, other.director, other.client, stranger):
        for path in single:
            answer = await caller.get(path)
            assert answer.status_code in (403, 404), path
            assert position["article"] not in answer.text
        for path in LISTS:
            answer = await caller.get(path, params={"client_id": str(office.client_id)} if path == "/orders" else {})
            assert answer.status_code == 403 or answer.json()["items"] == [], path


@pytest.mark.usefixtures("layers")
async def test_strangers_change_nothing(office: Office, new_office: Callable[..., Awaitable[Office]]) -> None:
    order = await office.place()
    [position] = order["positions"]
    other = await new_office()
    [result] = await other.act("remove", [position], reason_code="not_paid")
    assert result["problem"]["status"] == 404
    version = {"If-Match": f'"{position["version"]}"'}
    path = f"/positions/{position['id']}"
    for answer in (
        await other.manager.patch(path, json={"manager_comment": "x"}, headers=version),
        await other.manager.post(f"{path}/refusal", json={"reason": "нет", "final": True}),
        await other.manager.post("/claims", json={"position_id": position["id"], "reason": "x"}),
        await other.client.post("/claims", json={"position_id": position["id"], "reason": "x"}),
        await other.manager.post("/orders", json={"client_id": str(office.client_id)}),
        await other.manager.post(f"/baskets/{office.client_id}/items", json=an_item()),
    ):
        assert answer.status_code == 404, answer.text
    assert (await office.position(position["id"]))["version"] == position["version"]
