"""Head office manages the reasons for refusal (VIN-06)."""

from datetime import timedelta
from typing import Any

import pytest

from shared.base.clock import now
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.vin.conftest import Office, problem

TEXT = "К сожалению, эту деталь Вам никто не привезёт"


def reason(**changes: Any) -> dict[str, Any]:
    return {"code": f"r{new_id().hex}", "label": "Ждём поставку", "allowed": True, "text": TEXT, **changes}


async def test_the_list_holds_allowed_reasons_and_the_ones_that_do_not_count(office: Office) -> None:
    async with office.manager() as http:
        rows = {row["code"]: row for row in (await http.get("/refusal-reasons")).json()}
    assert rows["discontinued"]["allowed"]
    assert (rows["side_not_given"]["label"], rows["side_not_given"]["allowed"]) == ("Клиент не указал сторону", False)
    assert (rows["accessory"]["label"], rows["accessory"]["allowed"]) == ("Аксессуар, не базовая комплектация", False)


@pytest.mark.clause("VIN-06")
async def test_a_new_reason_can_be_used_at_once_and_withdrawn_later(office: Office) -> None:
    body = reason()
    request = await office.request()
    async with office.vin.http(Role.HEAD_OFFICE) as http:
        assert (await http.post("/refusal-reasons", json=body)).status_code == 201
        request = await office.write(request, 0, {"refusal": {"reason_code": body["code"]}})
        assert request["lines"][0]["refusal_comment"] == TEXT
        withdrawn = {**body, "allowed": False, "text": "Предложите деталь другого производителя."}
        assert (await http.post("/refusal-reasons", json=withdrawn)).status_code == 201
    answer = await office.put(request, 0, {"refusal": {"reason_code": body["code"]}})
    assert (answer.status_code, problem(answer)) == (422, "invalid-refusal-reason")
    assert "Предложите деталь другого производителя" in answer.json()["detail"]


async def test_a_reason_takes_effect_on_its_date(office: Office) -> None:
    body = reason(effective_from=(now() + timedelta(days=1)).isoformat())
    async with office.vin.http(Role.HEAD_OFFICE) as http:
        assert (await http.post("/refusal-reasons", json=body)).status_code == 201
        assert body["code"] not in {row["code"] for row in (await http.get("/refusal-reasons")).json()}


@pytest.mark.parametrize(
    "changes",
    [
        {"effective_from": "2021-01-01T00:00:00Z"},
        {"effective_from": "9999-12-31T23:59:59-12:00"},
        {"effective_from": "0001-01-01T00:00:00+12:00"},
        {"effective_from": "2030-01-01T00:00:00"},
        {"code": "Плохой код"},
        {"text": "Снято с производства"},
        {"label": "\x00"},
    ],
)
async def test_a_reason_with_a_mistake_is_refused(office: Office, changes: dict[str, Any]) -> None:
    async with office.vin.http(Role.HEAD_OFFICE) as http:
        answer = await http.post("/refusal-reasons", json=reason(**changes))
    assert answer.status_code == 422, answer.text
    problem(answer)


async def test_offices_do_not_change_the_network_s_reasons(office: Office) -> None:
    async with office.manager(Role.DIRECTOR) as http:
        assert (await http.post("/refusal-reasons", json=reason())).status_code == 403
    async with office.client() as http:
        assert (await http.get("/refusal-reasons")).status_code == 403
