"""ORG-04: each of the two layers keeps offices apart when the other one is switched off."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import pytest_asyncio

from shared.identity.roles import Role
from tests.integration.control.conftest import Team, open_office
from tests.integration.control.events import Duty, call_logged, inquiry_recorded
from tests.support.harness import ServiceHarness
from tests.support.isolation import LAYERS, active_layers

OWNED = (
    "offices",
    "office_calendars",
    "staff",
    "penalty_entries",
    "inquiries",
    "calls",
    "obligations",
    "monthly_turnover",
)


@pytest_asyncio.fixture(params=LAYERS)
async def layers(control: ServiceHarness, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with active_layers(control, request.param) as layers:
        yield layers


async def filled_office(control: ServiceHarness, head_office: httpx.AsyncClient) -> Team:
    team = await open_office(head_office, "manager", "senior_manager")
    [manager] = team.staff["manager"]
    for event in (
        inquiry_recorded(team.office_id, staff_id=manager, status="lost", lost_reason="Дорого", items=["Фильтр"]),
        call_logged(team.office_id, staff_id=manager),
        Duty(team.office_id, staff_id=manager).breached(),
    ):
        await control.deliver(event)
    return team


@pytest.mark.usefixtures("layers")
async def test_a_senior_gets_nothing_of_another_office(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    mine, other = await filled_office(control, head_office), await filled_office(control, head_office)
    [stranger] = other.staff["manager"]
    foreign_ids = {str(other.office_id), *(str(person) for people in other.staff.values() for person in people)}
    [entry] = (await head_office.get("/penalties", params={"office_id": other.office["id"]})).json()["items"]
    async with control.http(Role.SENIOR_MANAGER, office_id=mine.office_id) as http:
        for path in ("/offices", "/staff", "/penalties", "/statistics"):
            answer = await http.get(path)
            assert answer.status_code == 200, answer.text
            assert str(mine.office_id) in answer.text, path
            assert not any(foreign in answer.text for foreign in foreign_ids), path
        for path in (f"/offices/{other.office_id}", f"/offices/{other.office_id}/calendars", f"/staff/{stranger}"):
            assert (await http.get(path)).status_code == 404, path
        withdrawal = await http.post(f"/penalties/{entry['id']}/withdrawal", json={"reason": "прощаю"})
        assert withdrawal.status_code == 404
        body = {"staff_id": str(stranger), "points": 1, "clause": "CALL-09", "reason": "чужой"}
        assert (await http.post("/penalties", json=body)).status_code == 422


async def test_every_table_with_an_office_is_isolated(control: ServiceHarness) -> None:
    admin = await asyncpg.connect(control.urls.admin)
    try:
        unprotected = await admin.fetch(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE a.attname = 'office_id' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
            " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        )
    finally:
        await admin.close()
    # The kernel's own tables are never read in an office's scope.
    assert {row["relname"] for row in unprotected} <= {"outbox", "audit_log", "audit_seal", "account"}
    assert set(OWNED) == {
        table.name for table in control.service.metadata.sorted_tables if "office_id" in table.columns
    }
