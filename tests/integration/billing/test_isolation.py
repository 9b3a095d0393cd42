"""Another office's and another client's money stays unseen by each of the two layers alone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.persistence.database import new_id
from tests.integration.billing.conftest import Till
from tests.support.harness import ServiceHarness
from tests.support.isolation import LAYERS, active_layers


@pytest_asyncio.fixture(params=LAYERS)
async def layers(billing: ServiceHarness, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with active_layers(billing, request.param) as layers:
        yield layers


@pytest.mark.usefixtures("layers")
async def test_a_stranger_finds_nothing(till: Till, payer: dict[str, object]) -> None:
    order = await till.placed("100.00")
    await till.pay("150.00", order_id=order.order_id)
    async with till.manager() as http:
        known = (await http.post("/payers", json=payer)).json()
        issued = (await http.post("/invoices", json={"client_id": str(till.client_id), "amount": "5.00"})).json()
        [receipt] = (await http.get("/receipts", params={"client_id": str(till.client_id)})).json()["items"]
    single = [
        f"/invoices/{issued['id']}",
        f"/invoices/{issued['id']}/document",
        f"/documents/{issued['document_id']}/file",
        f"/balances/{till.client_id}",
    ]
    other = Till(till.billing)
    await other.open()
    for stranger in (other.manager(), other.client(), till.client(new_id())):
        async with stranger as http:
            for path in single:
                answer = await http.get(path)
                assert answer.status_code == 404, path
            for path in ("/ledger", "/payments", "/documents", "/receipts", "/payers", "/invoices"):
                answer = await http.get(path, params={"client_id": str(till.client_id)})
                assert answer.json()["items"] == [], path
    async with other.manager() as http:
        foreign = {"client_id": str(till.client_id), "amount": "1.00"}
        assert (await http.post("/invoices", json=foreign)).status_code == 404
        assert (await http.post("/payments", json=foreign | {"method": "cash"})).status_code == 404
        assert (await http.post("/payouts", json=foreign | {"method": "cash", "reason": "x"})).status_code == 404
        assert (await http.post("/contracts", json={"order_id": str(order.order_id)})).status_code == 404
        assert (await http.post(f"/receipts/{receipt['id']}", json={"fiscal_number": "1"})).status_code == 404
        change = await http.patch(f"/payers/{known['id']}", json={"name": "x"}, headers={"If-Match": '"1"'})
        assert change.status_code == 404
