"""Another office's and another client's rows stay unseen by each of the two layers alone."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.notifier.app import service
from services.notifier.people.models.base import Base
from shared.identity.roles import Role
from shared.persistence import migrate
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.support.harness import ServiceHarness
from tests.support.isolation import LAYERS, active_layers

SHARED = {"offices", "staff", "rules", "rule_drafts"}
"""Known to the whole network: the clock needs them, and only names of people are ever shown.  Drafts are reached by
head office alone, whose scope is the network."""
ISOLATED = sorted(
    table.name for table in Base.metadata.tables.values() if "office_id" in table.c and table.name not in SHARED
)


@pytest_asyncio.fixture(params=LAYERS)
async def layers(notifier: ServiceHarness, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with active_layers(notifier, request.param) as layers:
        yield layers


async def something_of_everything(world: World) -> dict[str, Any]:
    await world.with_people()
    await world.register()
    await world.notifier.deliver(world.checked(new_id()))
    async with world.staff_http() as http:
        (notice,) = (await http.get("/notices", params={"client_id": str(world.client_id)})).json()["items"]
        messages = await http.get("/cabinet/messages", params={"client_id": str(world.client_id)})
        (message,) = messages.json()["items"]
    obligation = await world.obligation(world.client_id, "CALL-01")
    return {"notice": notice["id"], "message": message["id"], "obligation": obligation.id}


async def test_a_stranger_finds_nothing(world: World, layers: str) -> None:
    ids = await something_of_everything(world)
    params = {"client_id": str(world.client_id), "office_id": str(world.office_id), "state": "all"}
    async with world.notifier.http(Role.DIRECTOR, office_id=new_id()) as http:
        page = (await http.get("/obligations", params=params)).json()
        assert page["items"] == [] and set(page["counts"].values()) == {0}
        page = (await http.get("/cabinet/messages", params={"client_id": str(world.client_id)})).json()
        assert page["items"] == [] and page["unread"] == 0
        assert (await http.get("/notices", params={"client_id": str(world.client_id)})).json()["items"] == []
        for path in (
            f"/obligations/{ids['obligation']}",
            f"/obligations/{ids['obligation']}/explanation",
            f"/notices/{ids['notice']}",
            f"/notices/{ids['notice']}/attachments/a.xlsx",
            f"/cabinet/messages/{ids['message']}",
        ):
            assert (await http.get(path)).status_code == 404, path
        assert (await http.post(f"/notices/{ids['notice']}/resend")).status_code == 404
    async with world.notifier.http(Role.CLIENT, office_id=world.office_id) as http:
        page = (await http.get("/cabinet/messages", params={"client_id": str(world.client_id)})).json()
        assert page["items"] == [] and page["unread"] == 0
        assert (await http.get(f"/cabinet/messages/{ids['message']}")).status_code == 404
        assert (await http.post(f"/cabinet/messages/{ids['message']}/read")).status_code == 404


async def test_the_owners_find_everything(world: World, layers: str) -> None:
    ids = await something_of_everything(world)
    async with world.staff_http() as http:
        shown = (await http.get(f"/obligations/{ids['obligation']}")).json()
        assert shown["client_name"] == "Петрова Мария Ивановна"
        assert [entry["event"] for entry in shown["history"]] == ["opened"]
        assert (await http.get(f"/notices/{ids['notice']}")).status_code == 200
    async with world.client_http() as http:
        page = (await http.get("/cabinet/messages")).json()
        assert [item["id"] for item in page["items"]] == [ids["message"]] and page["unread"] == 1


async def test_the_migrations_make_what_the_models_say(notifier: ServiceHarness) -> None:
    await migrate.check(service.import_path, notifier.urls.owner)


async def test_every_table_of_an_office_is_isolated_even_from_its_owner(notifier: ServiceHarness) -> None:
    admin = await asyncpg.connect(notifier.urls.admin)
    try:
        query = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY relname"
        forced = {row["relname"] for row in await admin.fetch(query)}
    finally:
        await admin.close()
    assert set(ISOLATED) <= forced
