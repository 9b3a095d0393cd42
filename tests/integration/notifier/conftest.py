"""The notifier running for real, with a real SMTP server and a simulated SMS gateway beside it."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from devtools.testing.infrastructure import Infrastructure
from services.notifier.clock.models.obligations import Obligation
from shared.base.clock import now
from shared.contracts import billing, clients, control, orders, vin
from shared.contracts.notifier import ObligationClosed
from shared.identity.roles import Role
from shared.persistence.database import new_id
from simulators.mailbox.server import RunningMailbox, running_mailbox
from simulators.sms.gateways import RunningSmsSimulator, running_sms_simulator
from tests.support.engine_gate import engine_gate
from tests.support.harness import ServiceHarness, running_service
from tests.support.notifier import PART, calendar

WEBHOOK_SECRET = "a key of the tests"
MANGO_KEY, MANGO_SALT = "mango", "salt of the tests"


@pytest_asyncio.fixture(scope="session")
async def mailbox() -> AsyncIterator[RunningMailbox]:
    async with running_mailbox() as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def gateway() -> AsyncIterator[RunningSmsSimulator]:
    async with running_sms_simulator() as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def notifier(
    infrastructure: Infrastructure, mailbox: RunningMailbox, gateway: RunningSmsSimulator
) -> AsyncIterator[ServiceHarness]:
    with engine_gate.installed():
        async with running_service(
            "notifier",
            infrastructure,
            smtp_url=f"smtp://{mailbox.smtp_host}:{mailbox.smtp_port}",
            sms_url=gateway.http_url,
            sms_login="demo",
            sms_password="demo",
            sms_poll_seconds=0.3,
            webhook_secret=WEBHOOK_SECRET,
            mango_key=MANGO_KEY,
            mango_salt=MANGO_SALT,
            secrets_key="another key of the tests",
            imap_poll_seconds=0.3,
            demo=True,
        ) as harness:
            yield harness


@dataclass
class World:
    """An office with people and a client; events as their services would publish them."""

    notifier: ServiceHarness
    mailbox: RunningMailbox
    office_id: UUID = field(default_factory=new_id)
    client_id: UUID = field(default_factory=new_id)
    staff: dict[str, UUID] = field(default_factory=dict)
    office_name: str = "ПроДеталь-Мира 45"

    def mail_of(self, who: str) -> str:
        return f"{who}-{str(self.office_id)[-12:]}@example.ru"

    def event(self, **changes: Any) -> dict[str, Any]:
        return {"office_id": self.office_id, "version": 1, "occurred_at": now(), **changes}

    # ── control ──

    async def open_office(self, version: int = 1, **changes: Any) -> None:
        body: dict[str, Any] = {
            "name": self.office_name,
            "city": "Нижний Тагил",
            "address": "пр. Мира, 45",
            "time_zone": "Asia/Yekaterinburg",
            "phones": ["+73435000000"],
            "email": self.mail_of("office"),
            "requisites": control.Requisites(
                legal_name="ООО «Мира»",
                inn="6623000000",
                ogrn="1000000000000",
                legal_address="Нижний Тагил",
                director_name="Мирный М. М.",
            ),
            "bank_accounts": [],
            "vat": [],
            "calendar": calendar(),
            **changes,
        }
        await self.notifier.deliver(control.OfficeChanged(**self.event(version=version), **body))

    async def hire(self, who: str, role: str, *, version: int = 1, head_office: bool = False, **changes: Any) -> UUID:
        staff_id = self.staff.setdefault(who, new_id())
        body: dict[str, Any] = {
            "staff_id": staff_id,
            "full_name": f"{who.capitalize()} {role}",
            "role": role,
            "email": self.mail_of(who),
            "active": True,
            **changes,
        }
        event = self.event(version=version)
        if head_office:
            event["office_id"] = None
        await self.notifier.deliver(control.StaffChanged(**event, **body))
        return staff_id

    async def with_people(self, *, director: bool = True) -> "World":
        await self.open_office()
        await self.hire("ivanov", "manager")
        await self.hire("senior", "senior_manager")
        if director:
            await self.hire("director", "director")
        return self

    # ── clients ──

    def card(self, **changes: Any) -> dict[str, Any]:
        return {
            "client_id": self.client_id,
            "full_name": "Петрова Мария Ивановна",
            "name_verified": False,
            "kind": "online",
            "category": "internet",
            "phone": "+79221234567",
            "email": self.mail_of("client"),
            "email_confirmed": True,
            "time_zone": "Asia/Yekaterinburg",
            "manager_id": self.staff.get("ivanov"),
            "consents": ["service"],
            "active": True,
            **changes,
        }

    async def register(self, *, version: int = 1, at: datetime | None = None, **changes: Any) -> None:
        event = self.event(version=version, occurred_at=at or now())
        await self.notifier.deliver(clients.ClientRegistered(**event, **self.card(**changes)))

    async def change_client(self, version: int, **changes: Any) -> None:
        await self.notifier.deliver(clients.ClientChanged(**self.event(version=version), **self.card(**changes)))

    def called(self, *goals: str, outcome: str = "reached", at: datetime | None = None, **changes: Any) -> Any:
        moment = at or now()
        body = {
            "client_id": self.client_id,
            "call_id": new_id(),
            "staff_id": self.staff.get("ivanov", new_id()),
            "outcome": outcome,
            "goals": list(goals),
            "first_attempt": False,
            "called_at": moment,
            **changes,
        }
        return clients.CallLogged.model_validate({**self.event(occurred_at=moment), **body})

    async def call(self, *goals: str, **changes: Any) -> None:
        await self.notifier.deliver(self.called(*goals, **changes))

    # ── orders, billing, vin ──

    def placed(self, order_id: UUID, *, at: datetime | None = None, **changes: Any) -> orders.OrderPlaced:
        moment = at or now()
        line = orders.PositionLine(
            position_id=new_id(), **PART, quantity=1, sale_price=Decimal("1500.00"), amount=Decimal("1500.00")
        )
        body = {
            "order_id": order_id,
            "number": f"З-{str(order_id)[-4:]}",
            "client_id": self.client_id,
            "client_category": "internet",
            "wholesale": False,
            "channel": "cabinet",
            "positions": [line],
            "total": Decimal("1500.00"),
            "check_requested": False,
            "placed_at": moment,
            **changes,
        }
        return orders.OrderPlaced.model_validate({**self.event(occurred_at=moment), **body})

    async def place(self, order_id: UUID | None = None, **changes: Any) -> UUID:
        order_id = order_id or new_id()
        await self.notifier.deliver(self.placed(order_id, **changes))
        return order_id

    def order_paid(self, order_id: UUID, at: datetime | None = None) -> billing.OrderPaid:
        moment = at or now()
        return billing.OrderPaid(
            **self.event(occurred_at=moment),
            order_id=order_id,
            number="З-1",
            client_id=self.client_id,
            position_ids=[new_id()],
            amount=Decimal("1500.00"),
            paid_at=moment,
        )

    def checked(self, order_id: UUID, at: datetime | None = None) -> orders.ApplicabilityChecked:
        result = orders.CheckResult(position_id=new_id(), **PART, applicable=False, comment="Нужны колодки GDB1551.")
        return orders.ApplicabilityChecked(
            **self.event(occurred_at=at or now()),
            order_id=order_id,
            number="З-1",
            client_id=self.client_id,
            paid=True,
            checked_by=new_id(),
            results=[result],
        )

    def processed(self, order_id: UUID, at: datetime | None = None) -> orders.OrderProcessed:
        event = self.event(occurred_at=at or now())
        return orders.OrderProcessed(**event, order_id=order_id, client_id=self.client_id)

    def vin_request(self, request_id: UUID, **changes: Any) -> vin.VinRequestSubmitted:
        body = {
            "request_id": request_id,
            "number": "VIN-000012",
            "client_id": self.client_id,
            "vehicle": clients.Vehicle(vehicle_id=new_id(), vin="XTA21124070445066", make="Lada", model="2112"),
            "preference": "price_quality",
            "parts": [vin.RequestedPart(line_id=new_id(), text="Колодки передние", quantity=2)],
            "submitted_at": now(),
            **changes,
        }
        return vin.VinRequestSubmitted.model_validate({**self.event(), **body})

    # ── looking ──

    async def obligations(self, subject_id: UUID | None = None, **fields: Any) -> list[Obligation]:
        """Of this office, oldest first."""
        query = select(Obligation).where(Obligation.office_id == self.office_id).order_by(Obligation.id)
        if subject_id is not None:
            query = query.where(Obligation.subject_id == subject_id)
        async with self.notifier.session() as session:
            rows = (await session.execute(query)).scalars().all()
        return [row for row in rows if all(getattr(row, name) == value for name, value in fields.items())]

    async def obligation(self, subject_id: UUID, clause: str) -> Obligation:
        (only,) = await self.obligations(subject_id, clause=clause)
        return only

    async def closed(self, subject_id: UUID, clause: str) -> list[ObligationClosed]:
        return await self.notifier.published(ObligationClosed, subject_id=subject_id, clause=clause)

    def staff_http(self, role: Role = Role.MANAGER, who: str = "ivanov") -> httpx.AsyncClient:
        return self.notifier.http(role, office_id=self.office_id, principal_id=self.staff.get(who))

    def client_http(self) -> httpx.AsyncClient:
        return self.notifier.http(Role.CLIENT, office_id=self.office_id, principal_id=self.client_id)


@pytest.fixture
def world(notifier: ServiceHarness, mailbox: RunningMailbox) -> World:
    return World(notifier, mailbox)


def signed(body: dict[str, Any], *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> dict[str, Any]:
    """Content and headers of a webhook's request."""
    content = json.dumps(body, ensure_ascii=False).encode()
    moment = str(int(at if at is not None else time.time()))
    signature = hmac.new(secret.encode(), moment.encode() + b"." + content, hashlib.sha256).hexdigest()
    headers = {"X-Timestamp": moment, "X-Signature": signature, "Content-Type": "application/json"}
    return {"content": content, "headers": headers}
