"""ORG-04: each of the two layers keeps offices and clients apart when the other one is switched off."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import update

from services.clients.models import Client
from shared.base.clock import now
from shared.contracts.notifier import ObligationOpened
from shared.identity.roles import Role
from tests.integration.clients.conftest import TestOffice, open_office, unique_phone
from tests.integration.clients.test_calls import duty
from tests.support.harness import ServiceHarness
from tests.support.isolation import LAYERS, active_layers

OWNED = (
    "clients",
    "client_words",
    "vehicles",
    "price_checks",
    "consents",
    "calls",
    "duties",
    "email_confirmations",
    "staff",
)


@pytest_asyncio.fixture(params=LAYERS)
async def layers(clients: ServiceHarness, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with active_layers(clients, request.param) as layers:
        yield layers


async def filled_office(clients: ServiceHarness, phone: str) -> tuple[TestOffice, dict[str, Any], str]:
    """An office with a card, a call, a car, a price check, a duty and a cold client."""
    office = await open_office(clients)
    card = await office.create(phone=phone, consents=["service", "calls"])
    async with office.manager() as http:
        car = await http.post(f"/clients/{card['id']}/vehicles", json={"vin": "XTA210990Y2766389"})
        await http.post(f"/clients/{card['id']}/calls", json={"outcome": "no_answer", "goals": ["other"]})
        await http.post(f"/clients/{card['id']}/price-checks", json={"article": "OC90", "brand": "Knecht"})
    await clients.deliver(duty(ObligationOpened, office, card["id"]))
    async with clients.session() as session:
        await session.execute(
            update(Client).where(Client.client_id == UUID(card["id"])).values(registered_at=now() - timedelta(days=8)),
        )
    return office, card, car.json()["id"]


@pytest.mark.clause("ORG-04")
@pytest.mark.usefixtures("layers")
async def test_staff_get_nothing_of_another_office(clients: ServiceHarness) -> None:
    phone = unique_phone()
    mine, my_card, _ = await filled_office(clients, phone)
    other, their_card, their_car = await filled_office(clients, phone)
    foreign = {str(other.id), str(other.managers[0]), their_card["id"], their_car}
    async with mine.senior() as http:
        for path in (
            "/clients",
            f"/clients?q={phone}",
            f"/clients?manager_id={my_card['manager_id']}",
            "/call-list",
            "/cold-list",
        ):
            answer = await http.get(path)
            assert answer.status_code == 200, answer.text
            assert my_card["id"] in answer.text, path
            assert not any(stranger in answer.text for stranger in foreign), path
        for query in (f"office_id={other.id}", f"manager_id={other.managers[0]}"):
            assert (await http.get(f"/clients?{query}")).json()["items"] == []
        duplicates = (await http.get("/clients/duplicates", params={"phone": phone})).json()
        assert [card["id"] for card in duplicates["items"]] == [my_card["id"]]
        assert duplicates["in_other_offices"] is True
        versioned = {"If-Match": '"1"'}
        client, car = f"/clients/{their_card['id']}", f"/vehicles/{their_car}"
        for answer in (
            await http.get(client),
            await http.patch(client, json={"city": "Москва"}, headers=versioned),
            await http.post(f"{client}/calls", json={"outcome": "no_answer", "goals": ["other"]}),
            await http.get(f"{client}/calls"),
            await http.get(f"{client}/vehicles"),
            await http.get(f"{client}/price-checks"),
            await http.get(f"{client}/consents"),
            await http.put(f"{client}/consents/calls", json={"given": False}),
            await http.post(f"{client}/disabling", json={"comment": "чужой"}),
            await http.post(f"{client}/enabling"),
            await http.get(car),
            await http.patch(car, json={"note": "чужой"}, headers=versioned),
            await http.delete(car, headers=versioned),
        ):
            assert answer.status_code == 404, answer.request.url


@pytest.mark.usefixtures("layers")
async def test_a_client_gets_nothing_of_another_client(clients: ServiceHarness) -> None:
    office, card, car = await filled_office(clients, unique_phone())
    neighbour = await office.create()
    async with office.client(neighbour["id"]) as http:
        assert (await http.get("/me")).json()["manager_name"] == "Андреева Мария"
        client, vehicle, versioned = f"/clients/{card['id']}", f"/vehicles/{car}", {"If-Match": '"1"'}
        for answer in (
            await http.get(f"{client}/vehicles"),
            await http.post(f"{client}/vehicles", json={"vin": "WBAVD13516KX32185"}),
            await http.get(f"{client}/price-checks"),
            await http.post(f"{client}/price-checks", json={"article": "OC90", "brand": "Knecht"}),
            await http.get(f"{client}/consents"),
            await http.put(f"{client}/consents/calls", json={"given": False}),
            await http.get(vehicle),
            await http.patch(vehicle, json={"note": "чужой"}, headers=versioned),
            await http.delete(vehicle, headers=versioned),
        ):
            assert answer.status_code == 404, answer.request.url


async def test_every_table_with_an_office_is_isolated(clients: ServiceHarness) -> None:
    admin = await asyncpg.connect(clients.urls.admin)
    try:
        protected = await admin.fetch(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity AND relkind = 'r'"
        )
    finally:
        await admin.close()
    assert {row["relname"] for row in protected} >= set(OWNED)
    assert set(OWNED) == {
        table.name for table in clients.service.metadata.sorted_tables if "office_id" in table.columns
    }


@pytest.mark.clause("ORG-02")
@pytest.mark.parametrize("role", [Role.MYSTERY_CHECKER, Role.SERVICE])
async def test_roles_without_business_here_are_refused(clients: ServiceHarness, role: Role) -> None:
    async with clients.http(role) as http:
        for path in ("/clients", "/call-list", "/me", "/contents"):
            assert (await http.get(path)).status_code == 403
    async with clients.http() as http:
        assert (await http.get("/clients")).status_code == 401
