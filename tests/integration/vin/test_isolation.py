"""Each of the two layers alone hides another office's and another client's requests (ORG-04)."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from services.vin.app import service
from services.vin.models.base import Base
from shared.persistence import migrate
from shared.persistence.database import new_id
from tests.integration.vin.conftest import Office, offer
from tests.support.harness import ServiceHarness
from tests.support.isolation import LAYERS, active_layers

ISOLATED = sorted(
    table.name for table in Base.metadata.tables.values() if "office_id" in table.c and table.name != "request_counters"
)


@pytest_asyncio.fixture(params=LAYERS)
async def layers(vin: ServiceHarness, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with active_layers(vin, request.param) as layers:
        yield layers


async def test_a_stranger_finds_nothing(office: Office, layers: str) -> None:
    await office.register()
    request = await office.answered("Колодки")
    path = f"/requests/{request['id']}"
    line = f"{path}/lines/{request['lines'][0]['id']}"
    of_client = {"client_id": str(office.client_id), "office_id": str(office.id), "state": "all"}
    other_office = Office(office.vin)
    for stranger in (other_office.manager(), other_office.client(), office.client(new_id())):
        async with stranger as http:
            assert (await http.get(path)).status_code == 404
            assert (await http.get(f"{path}/answers")).status_code == 404
            assert (await http.get("/requests", params=of_client)).json()["items"] == []
            assert (await http.post("/requests", json=body_for(office))).status_code == 404
    async with other_office.manager() as http:
        version = {"If-Match": f'"{request["version"]}"'}
        assert (await http.put(line, json={"offers": [offer()]}, headers=version)).status_code == 404
        assert (await http.delete(line, headers=version)).status_code == 404
        assert (await http.post(f"{path}/correction", json={"reason": "Чужой запрос"})).status_code == 404
    assert (await office.show(request["id"]))["version"] == request["version"]


async def test_the_owner_finds_everything(office: Office, layers: str) -> None:
    await office.register()
    request = await office.answered("Колодки")
    async with office.manager() as manager, office.client() as client:
        for http in (manager, client):
            (row,) = (await http.get("/requests", params={"state": "all"})).json()["items"]
            assert (row["id"], row["client_name"]) == (request["id"], "Смирнов Пётр Ильич")


def body_for(office: Office) -> dict[str, object]:
    """A request that only the office's own staff may place."""
    return {
        "client_id": str(office.client_id),
        "vehicle": {"vin": "XTA21124070445066"},
        "parts": [{"text": "Колодки"}],
    }


async def test_the_migrations_make_what_the_models_say(vin: ServiceHarness) -> None:
    await migrate.check(service.import_path, vin.urls.owner)


async def test_every_table_of_an_office_is_isolated_even_from_its_owner(vin: ServiceHarness) -> None:
    admin = await asyncpg.connect(vin.urls.admin)
    try:
        query = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY relname"
        forced = {row["relname"] for row in await admin.fetch(query)}
    finally:
        await admin.close()
    assert set(ISOLATED) <= forced
