"""Lists and bulk actions stay fast at 10 million rows: they use indexes and no statement for each row."""

import pytest
from sqlalchemy import text

from shared.identity.roles import Role
from shared.persistence.scope import Scope
from tests.integration.orders.conftest import Json, Office, an_item
from tests.support.harness import statements


async def test_a_page_of_positions_costs_the_same_whatever_its_length(office: Office) -> None:
    counts = []
    for length in (2, 20):
        supplier = await office.supplier()
        await office.place(*[an_item(supplier_id=supplier) for _ in range(length)])
        with statements(office.orders) as seen:
            page = await office.manager.get("/positions", params={"limit": length})
        assert len(page.json()["items"]) == length
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 8


@pytest.mark.parametrize("action", ["order", "receive", "issue", "remove"])
async def test_a_bulk_action_costs_the_same_whatever_its_length(office: Office, action: str) -> None:
    supplier = await office.supplier()
    counts = []
    for length in (1, 15):
        order = await office.pay(await office.place(*[an_item(supplier_id=supplier) for _ in range(length)]))
        positions = order["positions"]
        for before in {"receive": ["order"], "issue": ["order", "receive"]}.get(action, []):
            positions = await office.moved(before, positions)
        options: Json = {"reason_code": "client_request"} if action == "remove" else {}
        with statements(office.orders) as seen:
            results = await office.act(action, positions, **options)
        assert all(result["ok"] for result in results)
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_placing_an_order_is_a_handful_of_statements(office: Office) -> None:
    counts = []
    for length in (1, 10):
        for _ in range(length):
            await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item())
        with statements(office.orders) as seen:
            placed = await office.manager.post("/orders", json={"client_id": str(office.client_id)})
        assert placed.status_code == 201
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 4


STAFF_ONLY = {"/purchase-orders", "/inquiries", "/tasks", "/suppliers"}
LISTS = [
    ("/positions", {}),
    ("/positions", {"state": "moderation"}),
    ("/positions", {"client_id": "client"}),
    ("/positions", {"order_id": "order"}),
    ("/positions", {"state": "moderation", "changed_from": "2020-01-01T00:00:00Z"}),
    ("/orders", {}),
    ("/orders", {"state": "moderation"}),
    ("/orders", {"client_id": "client"}),
    ("/purchase-orders", {}),
    ("/shipments", {}),
    ("/claims", {}),
    ("/claims", {"open_only": "true"}),
    ("/inquiries", {}),
    ("/inquiries", {"status": "lost"}),
    ("/inquiries", {"channel": "site"}),
    ("/inquiries", {"mark": "bad"}),
    ("/tasks", {}),
    ("/tasks", {"open_only": "false"}),
    ("/suppliers", {}),
]


@pytest.mark.parametrize(("path", "params"), LISTS)
@pytest.mark.parametrize("who", ["manager", "head", "client"])
async def test_every_list_is_served_by_an_index(office: Office, path: str, params: dict[str, str], who: str) -> None:
    """With sequential scans disabled, a plan that still sorts or scans has no index to use."""
    order = await office.place()
    known = {"client": str(office.client_id), "order": order["id"]}
    caller = {"manager": office.manager, "client": office.client, "head": office.orders.http(Role.HEAD_OFFICE)}[who]
    with statements(office.orders) as seen:
        answer = await caller.get(path, params={name: known.get(value, value) for name, value in params.items()})
    if who == "client" and path in STAFF_ONLY:
        assert answer.status_code == 403
        return
    assert answer.status_code == 200, answer.text
    ((statement, parameters),) = [(sql, values) for sql, values in seen if "LIMIT" in sql and "policy" not in sql]
    scope = {
        "manager": Scope("office", office.id),
        "client": Scope("client", office.id, office.client_id),
        "head": Scope("network"),
    }[who]
    async with office.orders.app.state.database.app(scope) as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        await session.execute(text("SET LOCAL enable_bitmapscan = off"))
        await session.execute(text("SET LOCAL enable_sort = off"))
        connection = await session.connection()
        plan = "\n".join((await connection.exec_driver_sql("EXPLAIN " + statement, parameters)).scalars())
    assert "Index" in plan, plan
    assert "Seq Scan" not in plan, plan
    sorts = [line for line in plan.splitlines() if "Sort" in line and "Incremental" not in line and "Key" not in line]
    assert not sorts, plan
