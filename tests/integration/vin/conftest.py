"""The real vin service, and offices with staff and clients."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from devtools.testing.infrastructure import Infrastructure
from shared.base.clock import now
from shared.contracts.clients import CallLogged, CallOutcome, ClientChanged, ClientRegistered
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.support.harness import ServiceHarness, running_service

VIN = "XTA21124070445066"


@pytest_asyncio.fixture(scope="session")
async def vin(infrastructure: Infrastructure) -> AsyncIterator[ServiceHarness]:
    async with running_service("vin", infrastructure) as harness:
        yield harness


def card(client_id: UUID, office_id: UUID, **changes: Any) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "office_id": office_id,
        "version": 1,
        "occurred_at": now(),
        "full_name": "Смирнов Пётр Ильич",
        "name_verified": True,
        "kind": "online",
        "category": "internet",
        "email": "smirnov@example.ru",
        "email_confirmed": True,
        "time_zone": "Europe/Moscow",
        "consents": ["service"],
        "active": True,
        **changes,
    }


@dataclass
class Office:
    """An office with a manager and a client, both signed in."""

    vin: ServiceHarness
    id: UUID = field(default_factory=new_id)
    manager_id: UUID = field(default_factory=new_id)
    client_id: UUID = field(default_factory=new_id)

    def manager(self, role: Role = Role.MANAGER) -> httpx.AsyncClient:
        return self.vin.http(role, office_id=self.id, principal_id=self.manager_id, name="Иванов Иван Иванович")

    def client(self, client_id: UUID | None = None) -> httpx.AsyncClient:
        return self.vin.http(
            Role.CLIENT, office_id=self.id, principal_id=client_id or self.client_id, name="Смирнов Пётр"
        )

    async def register(self, **changes: Any) -> None:
        await self.vin.deliver(ClientRegistered(**card(self.client_id, self.id, **changes)))

    async def change(self, version: int, **changes: Any) -> None:
        await self.vin.deliver(ClientChanged(**card(self.client_id, self.id, version=version, **changes)))

    async def request(self, *parts: str, **changes: Any) -> dict[str, Any]:
        """A request of the client, as the manager sees it."""
        body = {
            "vehicle": {"vin": VIN},
            "preference": "price_quality",
            "parts": [{"text": text} for text in parts or ("Колодки тормозные передние",)],
            **changes,
        }
        async with self.client() as http:
            placed = await http.post("/requests", json=body)
        assert placed.status_code == 201, placed.text
        return await self.show(placed.json()["id"])

    async def show(self, request_id: str) -> dict[str, Any]:
        async with self.manager() as http:
            answer = await http.get(f"/requests/{request_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def put(self, request: dict[str, Any], index: int, body: dict[str, Any]) -> httpx.Response:
        """Answer a line of the request as it was last seen."""
        line_id = request["lines"][index]["id"]
        async with self.manager() as http:
            return await http.put(
                f"/requests/{request['id']}/lines/{line_id}",
                json=body,
                headers={"If-Match": f'"{request["version"]}"'},
            )

    async def write(self, request: dict[str, Any], index: int, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.put(request, index, body)
        assert answer.status_code == 200, answer.text
        written: dict[str, Any] = answer.json()
        return written

    async def post(self, request: dict[str, Any], action: str, body: dict[str, Any]) -> httpx.Response:
        async with self.manager() as http:
            return await http.post(f"/requests/{request['id']}/{action}", json=body)

    async def answered(self, *parts: str, notify_client: bool = True) -> dict[str, Any]:
        """A request whose every line was answered with an offer."""
        request = await self.request(*parts)
        for index in range(len(request["lines"])):
            request = await self.write(request, index, {"offers": [offer()]})
        answer = await self.post(request, "answer", {"notify_client": notify_client})
        assert answer.status_code == 200, answer.text
        given: dict[str, Any] = answer.json()
        return given

    async def call(self, outcome: CallOutcome, called_at: datetime | None = None) -> UUID:
        """A call to the client, entered in the log."""
        call_id = new_id()
        at = called_at or now()
        await self.vin.deliver(
            CallLogged(
                office_id=self.id,
                version=1,
                occurred_at=at,
                client_id=self.client_id,
                call_id=call_id,
                staff_id=self.manager_id,
                outcome=outcome,
                goals=["other"],
                first_attempt=False,
                called_at=at,
            )
        )
        return call_id


@pytest.fixture
def office(vin: ServiceHarness) -> Office:
    return Office(vin)


def offer(**changes: Any) -> dict[str, Any]:
    return {"article": "GDB1550", "brand": "TRW", "description": "Колодки тормозные передние", **changes}


def problem(answer: httpx.Response) -> str:
    """The code of a problem+json answer."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("urn:reglament:problem:")
