"""The billing service running for real, and an office with its clients and orders."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from devtools.testing.infrastructure import Infrastructure
from shared.base.clock import now
from shared.contracts.clients import ClientRegistered
from shared.contracts.control import BankAccount, OfficeChanged, Requisites, VatSetting
from shared.contracts.orders import OrderPlaced, PositionLine
from shared.identity.roles import Role
from shared.persistence.database import new_id
from shared.vocabulary.worktime import ROUND_THE_CLOCK, WorkingCalendar
from tests.support.harness import ServiceHarness, running_service

SECRET = "acquirer's secret"
ACCOUNT = "40702810938000012345"


@pytest_asyncio.fixture(scope="session")
async def billing(infrastructure: Infrastructure) -> AsyncIterator[ServiceHarness]:
    async with running_service("billing", infrastructure, acquirer_secret=SECRET) as harness:
        yield harness


@dataclass
class Till:
    """An office with one client."""

    billing: ServiceHarness
    office_id: UUID = field(default_factory=new_id)
    client_id: UUID = field(default_factory=new_id)

    async def open(self) -> None:
        await self.billing.deliver(
            OfficeChanged(
                office_id=self.office_id,
                version=1,
                occurred_at=now(),
                name="ПроДеталь-Мира 45",
                city="Екатеринбург",
                address="ул. Мира, 45",
                time_zone="Asia/Yekaterinburg",
                phones=["+7 343 200-00-00"],
                email="mira45@prodetal.example",
                requisites=Requisites(
                    legal_name="ООО «ПроДеталь»",
                    inn="7707083893",
                    kpp="773601001",
                    ogrn="1027700132195",
                    legal_address="620000, Екатеринбург, ул. Мира, 45",
                    director_name="Петров П. П.",
                ),
                bank_accounts=[
                    BankAccount(
                        bic="044525225",
                        bank_name="ПАО Сбербанк",
                        account=ACCOUNT,
                        correspondent_account="30101810400000000225",
                    )
                ],
                vat=[VatSetting(effective_from=date(2026, 1, 1), rate_percent=22)],
                calendar=WorkingCalendar(time_zone="Asia/Yekaterinburg", weekly=ROUND_THE_CLOCK),
            )
        )
        await self.register(self.client_id)

    async def register(self, client_id: UUID) -> None:
        await self.billing.deliver(
            ClientRegistered(
                office_id=self.office_id,
                version=1,
                occurred_at=now(),
                client_id=client_id,
                full_name="Смирнов Пётр Ильич",
                name_verified=True,
                kind="online",
                category="internet",
                phone="+79121234567",
                email="smirnov@example.ru",
                email_confirmed=True,
                time_zone="Asia/Yekaterinburg",
                consents=["service"],
                active=True,
            )
        )

    def order(self, *prices: str, client_id: UUID | None = None) -> OrderPlaced:
        """An order of single pieces at these prices."""
        lines = [
            PositionLine(
                position_id=new_id(),
                article=f"GDB{number}",
                brand="TRW",
                description="Колодки тормозные",
                quantity=1,
                sale_price=Decimal(price),
                amount=Decimal(price),
            )
            for number, price in enumerate(prices, 1)
        ]
        return OrderPlaced(
            office_id=self.office_id,
            version=1,
            occurred_at=now(),
            order_id=new_id(),
            number=f"М45-{new_id().hex[-6:]}",
            client_id=client_id or self.client_id,
            client_category="internet",
            wholesale=False,
            channel="cabinet",
            positions=lines,
            total=sum((line.amount for line in lines), Decimal(0)),
            check_requested=False,
            placed_at=now(),
        )

    async def placed(self, *prices: str) -> OrderPlaced:
        order = self.order(*prices)
        await self.billing.deliver(order)
        return order

    def manager(self) -> httpx.AsyncClient:
        return self.billing.http(Role.MANAGER, office_id=self.office_id)

    def client(self, client_id: UUID | None = None) -> httpx.AsyncClient:
        return self.billing.http(Role.CLIENT, office_id=self.office_id, principal_id=client_id or self.client_id)

    async def pay(self, amount: str, **named: UUID) -> httpx.Response:
        body = {"client_id": str(self.client_id), "method": "cash", "amount": amount}
        async with self.manager() as http:
            response = await http.post("/payments", json=body | {name: str(value) for name, value in named.items()})
        assert response.status_code == 201, response.text
        return response

    async def balance(self) -> tuple[str, str, str]:
        """Balance, held, available."""
        async with self.manager() as http:
            body = (await http.get(f"/balances/{self.client_id}")).json()
        return body["balance"], body["held"], body["available"]

    async def notify(
        self, *, signature: str | None = None, timestamp: int | None = None, **body: Any
    ) -> httpx.Response:
        """A webhook of the acquirer, signed unless told otherwise."""
        notice = {"office_id": str(self.office_id), "currency": "RUB", "status": "succeeded", **body}
        content = json.dumps(notice).encode()
        moment = str(timestamp if timestamp is not None else int(time.time()))
        signed = hmac.new(SECRET.encode(), moment.encode() + b"." + content, hashlib.sha256).hexdigest()
        headers = {
            "X-Timestamp": moment,
            "X-Signature": signed if signature is None else signature,
            "Content-Type": "application/json",
        }
        async with self.billing.http() as http:
            return await http.post("/webhooks/acquirer", content=content, headers=headers)


@pytest_asyncio.fixture
async def till(billing: ServiceHarness) -> Till:
    till = Till(billing)
    await till.open()
    return till


@pytest.fixture
def payer(till: Till) -> dict[str, Any]:
    return {
        "client_id": str(till.client_id),
        "name": "ООО «Автосервис на Мира»",
        "inn": "7707083893",
        "kpp": "773601001",
        "bank_name": "ПАО Сбербанк",
        "bic": "044525225",
        "account": ACCOUNT,
        "correspondent_account": "30101810400000000225",
    }
