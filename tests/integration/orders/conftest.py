"""The real orders service, and an office that works in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from devtools.testing.infrastructure import Infrastructure
from shared.base.clock import now
from shared.contracts.billing import OrderPaid
from shared.contracts.clients import ClientRegistered
from shared.contracts.control import OfficeChanged, Requisites, StaffChanged
from shared.identity.roles import Role
from shared.persistence.database import new_id
from shared.vocabulary.worktime import ROUND_THE_CLOCK, WorkingCalendar
from tests.support.harness import ServiceHarness, running_service

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="session")
async def orders(infrastructure: Infrastructure) -> AsyncIterator[ServiceHarness]:
    async with running_service("orders", infrastructure) as harness:
        yield harness


def an_item(**changes: Any) -> Json:
    return {
        "article": "GDB1044",
        "brand": "TRW",
        "description": "Колодки тормозные передние",
        "kind": "consumable",
        "quantity": 1,
        "sale_price": "1500.00",
        "purchase_price": "1000.00",
        "term_days": 3,
        **changes,
    }


def code(response: httpx.Response) -> str:
    """The stable type of a problem."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    return str(response.json()["type"]).removeprefix("urn:reglament:problem:")


class Office:
    """An office with its people and one client, seen through the service's own interface."""

    def __init__(self, orders: ServiceHarness, name: str = "ПроДеталь-Мира 45") -> None:
        self.orders = orders
        self.name = name
        self.id = new_id()
        self.manager_id, self.senior_id, self.director_id = new_id(), new_id(), new_id()
        self.client_id = new_id()
        self.manager = orders.http(Role.MANAGER, office_id=self.id, principal_id=self.manager_id)
        self.senior = orders.http(Role.SENIOR_MANAGER, office_id=self.id, principal_id=self.senior_id)
        self.director = orders.http(Role.DIRECTOR, office_id=self.id, principal_id=self.director_id)
        self.client = orders.http(Role.CLIENT, office_id=self.id, principal_id=self.client_id)

    async def open(self, *, courier_delivery: bool = False) -> None:
        await self.orders.deliver(
            OfficeChanged(
                office_id=self.id,
                version=1,
                occurred_at=now(),
                name=self.name,
                city="Москва",
                address="пр-т Мира, 45",
                time_zone="Europe/Moscow",
                phones=[],
                email="mira45@prodetal.example",
                requisites=Requisites(
                    legal_name="ООО «ПроДеталь»",
                    inn="7707083893",
                    ogrn="1027700132195",
                    legal_address="Москва",
                    director_name="Иванов И. И.",
                ),
                bank_accounts=[],
                vat=[],
                calendar=WorkingCalendar(time_zone="Europe/Moscow", weekly=ROUND_THE_CLOCK),
                courier_delivery=courier_delivery,
            )
        )

    async def hire_director(self, *, active: bool = True, version: int = 1, leaves: bool = False) -> None:
        """Hire a director; one who `leaves` works for head office from then on."""
        await self.orders.deliver(
            StaffChanged(
                office_id=None if leaves else self.id,
                version=version,
                occurred_at=now(),
                staff_id=self.director_id,
                full_name="Управляющий",
                role="head_office" if leaves else "director",
                email="director@prodetal.example",
                active=active,
            )
        )

    async def register(self, client_id: UUID | None = None, *, event: type = ClientRegistered, **changes: Any) -> None:
        facts: Json = {
            "full_name": "Петров Пётр Петрович",
            "name_verified": True,
            "kind": "online",
            "category": "internet",
            "email_confirmed": True,
            "time_zone": "Europe/Moscow",
            "consents": ["service"],
            "active": True,
            "phone": "+79031234567",
            "version": 1,
        }
        await self.orders.deliver(
            event(office_id=self.id, occurred_at=now(), client_id=client_id or self.client_id, **facts | changes)
        )

    async def supplier(self, name: str | None = None) -> str:
        body = {"name": name or f"Поставщик {new_id()}", "email": "sales@supplier.example"}
        created = await self.manager.post("/suppliers", json=body)
        assert created.status_code == 201, created.text
        return str(created.json()["id"])

    async def place(self, *items: Json, client_id: UUID | None = None, **options: Any) -> Json:
        """Fill the basket, order it and return the order."""
        client_id = client_id or self.client_id
        for item in items or (an_item(supplier_id=await self.supplier()),):
            added = await self.manager.post(f"/baskets/{client_id}/items", json=item)
            assert added.status_code == 201, added.text
        placed = await self.manager.post("/orders", json={"client_id": str(client_id), **options})
        assert placed.status_code == 201, placed.text
        return dict(placed.json())

    async def pay(self, order: Json, *position_ids: str) -> Json:
        """Deliver the payment and return the order as it is now."""
        await self.orders.deliver(
            OrderPaid(
                office_id=self.id,
                version=1,
                occurred_at=now(),
                order_id=order["id"],
                number=order["number"],
                client_id=order["client_id"],
                position_ids=list(position_ids) or [position["id"] for position in order["positions"]],
                amount=Decimal(order["total"]),
                paid_at=now(),
            )
        )
        return await self.order(order["id"])

    async def order(self, order_id: str) -> Json:
        found = await self.manager.get(f"/orders/{order_id}")
        assert found.status_code == 200, found.text
        return dict(found.json())

    async def position(self, position_id: str) -> Json:
        found = await self.manager.get(f"/positions/{position_id}")
        assert found.status_code == 200, found.text
        return dict(found.json())

    async def act(
        self, action: str, positions: list[Json], *, by: httpx.AsyncClient | None = None, **options: Any
    ) -> list[Json]:
        """Send a bulk action on positions as they were seen and return each one's result."""
        if action == "issue":
            options = {"person_identified": True, "disclosures": ["packaging_opened"], **options}
        body = {
            "action": action,
            "items": [
                {"position_id": position["id"], "version": position["version"]}
                | ({"quantity": position["take"]} if "take" in position else {})
                for position in positions
            ],
            **options,
        }
        response = await (by or self.manager).post("/positions/actions", json=body)
        assert response.status_code == 200, response.text
        return list(response.json()["results"])

    async def moved(self, action: str, positions: list[Json], **options: Any) -> list[Json]:
        """Send a bulk action that must succeed and return the positions afterwards."""
        results = await self.act(action, positions, **options)
        assert all(result["ok"] for result in results), results
        return [await self.position(result["position_id"]) for result in results]

    async def issued(self, *items: Json, client_id: UUID | None = None) -> list[Json]:
        """Return positions that were ordered, received and issued."""
        order = await self.pay(await self.place(*items, client_id=client_id))
        ordered = await self.moved("order", order["positions"])
        return await self.moved("issue", await self.moved("receive", ordered))


@pytest.fixture
def new_office(orders: ServiceHarness) -> Callable[..., Awaitable[Office]]:
    async def make(**options: Any) -> Office:
        office = Office(orders)
        await office.open(**options)
        await office.register()
        return office

    return make


@pytest_asyncio.fixture
async def office(new_office: Callable[..., Awaitable[Office]]) -> Office:
    return await new_office()
