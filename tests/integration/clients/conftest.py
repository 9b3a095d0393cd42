"""The clients service running for real, with an office and its people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio

from devtools.testing.infrastructure import Infrastructure
from shared.base.clock import now
from shared.contracts.control import BankAccount, OfficeChanged, Requisites, StaffChanged, StaffRole, VatSetting
from shared.identity.roles import Role
from shared.identity.tokens import TokenVerifier
from shared.persistence.database import new_id
from shared.vocabulary.worktime import WorkingCalendar, office_week
from tests.support.harness import ServiceHarness, running_service

PASSWORD = "верный-конь-42"
_numbers = count(1)


@pytest_asyncio.fixture(scope="session")
async def clients(infrastructure: Infrastructure) -> AsyncIterator[ServiceHarness]:
    async with running_service("clients", infrastructure, public_url="https://shop.example") as harness:
        yield harness


def office_event(office_id: UUID, *, version: int = 1, **changes: Any) -> OfficeChanged:
    facts: dict[str, Any] = {
        "office_id": office_id,
        "version": version,
        "occurred_at": now(),
        "name": "ПроДеталь-Мира 45",
        "city": "Нижний Тагил",
        "address": "ул. Мира, 45",
        "time_zone": "Asia/Yekaterinburg",
        "phones": ["+73435412346"],
        "email": "mira45@office.example",
        "requisites": Requisites(
            legal_name="ООО «Мира»",
            inn="7707083893",
            ogrn="1027700132195",
            legal_address="Нижний Тагил, ул. Мира, 45",
            director_name="Петров Пётр Петрович",
        ),
        "bank_accounts": [
            BankAccount(
                bic="044525225",
                bank_name="ПАО Сбербанк",
                account="40702810038000012345",
                correspondent_account="30101810400000000225",
            )
        ],
        "vat": [VatSetting(effective_from=now().date(), rate_percent=20)],
        "calendar": WorkingCalendar(time_zone="Asia/Yekaterinburg", weekly=office_week()),
        "courier_delivery": True,
    }
    return OfficeChanged.model_validate(facts | changes)


def staff_event(staff_id: UUID, office_id: UUID | None, role: StaffRole, **changes: Any) -> StaffChanged:
    facts: dict[str, Any] = {
        "staff_id": staff_id,
        "office_id": office_id,
        "version": 1,
        "occurred_at": now(),
        "full_name": "Андреева Мария",
        "role": role,
        "email": "maria@office.example",
        "active": True,
    }
    return StaffChanged.model_validate(facts | changes)


@dataclass
class TestOffice:
    """An office that the service has projected."""

    __test__ = False

    clients: ServiceHarness
    id: UUID
    managers: list[UUID] = field(default_factory=list)

    def manager(self, **options: Any) -> httpx.AsyncClient:
        return self.clients.http(
            Role.MANAGER, office_id=self.id, principal_id=self.managers[0], name="Андреева Мария", **options
        )

    def senior(self) -> httpx.AsyncClient:
        return self.clients.http(Role.SENIOR_MANAGER, office_id=self.id)

    def client(self, client_id: str | UUID) -> httpx.AsyncClient:
        return self.clients.http(Role.CLIENT, office_id=self.id, principal_id=UUID(str(client_id)))

    async def create(self, **changes: Any) -> dict[str, Any]:
        """A card made by the manager."""
        async with self.manager() as http:
            answer = await http.post("/clients", json=card_body(**changes))
        assert answer.status_code == 201, answer.text
        card: dict[str, Any] = answer.json()
        return card

    async def register(self, **changes: Any) -> dict[str, Any]:
        async with self.clients.http() as http:
            answer = await http.post("/registrations", json=registration_body(self.id, **changes))
        assert answer.status_code == 201, answer.text
        registered: dict[str, Any] = answer.json()
        return registered


async def open_office(clients: ServiceHarness, *, managers: int = 1, **changes: Any) -> TestOffice:
    office = TestOffice(clients, new_id())
    await clients.deliver(office_event(office.id, **changes))
    for _ in range(managers):
        office.managers.append(new_id())
        await clients.deliver(staff_event(office.managers[-1], office.id, "manager"))
    return office


@pytest_asyncio.fixture
async def office(clients: ServiceHarness) -> TestOffice:
    return await open_office(clients)


def unique_phone() -> str:
    """A number that is not doubted and that no other test uses."""
    number = next(_numbers)
    return f"+7912{number // 100:04d}{number % 100:02d}5"[:11] + "3"


def card_body(**changes: Any) -> dict[str, Any]:
    return {"full_name": "Иванов Иван Иванович", "phone": unique_phone()} | changes


def registration_body(office_id: UUID, **changes: Any) -> dict[str, Any]:
    return {
        "office_id": str(office_id),
        "full_name": "Иванов Иван",
        "email": f"ivanov-{new_id().hex}@mail.example",
        "phone": unique_phone(),
        "password": PASSWORD,
        "consents": ["service", "calls"],
    } | changes


@asynccontextmanager
async def real_tokens(clients: ServiceHarness) -> AsyncIterator[httpx.AsyncClient]:
    """The service as it verifies outside tests: keys and revocations over HTTP from its own routes."""
    app = clients.app
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport) as feed, clients.http() as http:
        usual, app.state.verifier = app.state.verifier, TokenVerifier({"clients": "http://service"}, feed)
        try:
            yield http
        finally:
            app.state.verifier = usual


def problem(answer: httpx.Response) -> str:
    """The code of a problem+json answer."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("urn:reglament:problem:")
