"""An office at work over HTTP: clients, orders, invoices, payments, suppliers, receipt and issue."""

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from devtools.demo.steps.offices import MIRA, PASSWORD, ROUND_THE_CLOCK
from tests.faults.history import History
from tests.faults.world import World

HEAD_OFFICE = ("head.office@reglament.example", "head-office-45")
ACQUIRER_SECRET = "acquirer-45"
TIMEOUT_SECONDS = 180.0
ITEMS = (
    {"article": "GDB1550", "brand": "TRW", "description": "Колодки тормозные передние", "sale_price": "1990.00"},
    {"article": "W 914/2", "brand": "MANN-FILTER", "description": "Фильтр масляный", "sale_price": "450.00"},
)
TOTAL = "2440.00"
SETTINGS = {
    "REGLAMENT_HEAD_OFFICE_LOGIN": HEAD_OFFICE[0],
    "REGLAMENT_HEAD_OFFICE_PASSWORD": HEAD_OFFICE[1],
    "REGLAMENT_ACQUIRER_SECRET": ACQUIRER_SECRET,
}


class GivenUp(Exception):
    """A command that got no good answer in `TIMEOUT_SECONDS`."""


@dataclass(slots=True)
class Office:
    world: World
    history: History
    http: httpx.AsyncClient
    seed: int
    again_seconds: float = 0.1
    """From one try of a command to the next."""
    tokens: dict[str, str] = field(default_factory=dict)
    id: str = ""
    supplier_id: str = ""
    stamp: str = ""

    async def open(self) -> None:
        """Head office, the office, two people and a supplier."""
        self.stamp = f"{random.Random(self.seed).randrange(16**6):06x}"
        await self._sign_in(*HEAD_OFFICE)
        body = MIRA | {"email": f"mira-{self.stamp}@prodetal.example", "calendar": ROUND_THE_CLOCK}
        self.id = (await self.command("office", HEAD_OFFICE[0], "control/offices", body))["id"]
        for role, name in (("senior_manager", "Орлова Елена Павловна"), ("manager", "Иванов Иван Сергеевич")):
            login = self.login(role)
            person = {"login": login, "password": PASSWORD, "full_name": name, "role": role, "office_id": self.id}
            person |= {"email": login, "phone": "+7 912 601-45-41"}
            await self.command(f"hire {role}", HEAD_OFFICE[0], "control/staff", person)
            await self._sign_in(login, PASSWORD)
        supplier = {"name": "Автотрейд", "email": f"avtotrade-{self.stamp}@supplier.example"}
        made = await self.command("supplier", self.login("senior_manager"), "orders/suppliers", supplier)
        self.supplier_id = made["id"]

    def login(self, role: str) -> str:
        return f"{role}-{self.stamp}@prodetal.example"

    async def serve(self, number: int) -> None:
        """Serve one client and one order, from the card to the issue of the goods."""
        manager = self.login("manager")
        card = {"full_name": "Петрова Мария Николаевна", "phone": f"+7912{number:05}47"}
        card |= {"email": f"petrova-{number}-{self.stamp}@mail.example"}
        client = (await self.command(f"client {number}", manager, "clients/clients", card))["id"]
        for item, part in enumerate(ITEMS):
            goods = part | {"supplier_id": self.supplier_id, "purchase_price": "100.00"}
            await self.command(f"item {number}-{item}", manager, f"orders/baskets/{client}/items", goods)
        order = await self.command(f"order {number}", manager, "orders/orders", {"client_id": client})
        bill = {"client_id": client, "order_id": order["id"]}
        invoice = await self.command(f"invoice {number}", manager, "billing/invoices", bill)
        notice = {"event_id": f"{self.stamp}-{number}", "office_id": self.id, "invoice_id": invoice["id"]}
        await self.command(f"payment {number}", "", "billing/webhooks/acquirer", notice | PAID)
        for action in ("order", "receive", "issue"):
            await self._act(number, manager, order["id"], action)

    async def command(self, name: str, login: str, path: str, body: Mapping[str, Any]) -> Any:
        """Repeat a command under one key until it succeeds: events that it needs may still be on their way.

        Raises GivenUp, after recording it.
        """
        self.history.write("sent", command=name)
        begun, last = time.monotonic(), ""
        while time.monotonic() - begun < TIMEOUT_SECONDS:
            answer = await self._send("POST", login, path, body, key=f"{self.stamp} {name}")
            if answer is not None and answer.is_success:
                made = answer.json()
                self.history.write("acknowledged", command=name, id=made.get("id"))
                return made
            last = "no answer" if answer is None else f"{answer.status_code} {answer.text[:300]}"
            await asyncio.sleep(self.again_seconds)
        self.history.write("given_up", command=name, last=last)
        raise GivenUp(f"{name}: {last}")

    async def _act(self, number: int, login: str, order_id: str, action: str) -> None:
        """Return all positions of the order with their current versions, when the action is allowed."""
        name, last, begun = f"{action} {number}", "", time.monotonic()
        self.history.write("sent", command=name)
        attempt = 0
        body: dict[str, Any] | None = None
        while time.monotonic() - begun < TIMEOUT_SECONDS:
            if body is None:
                seen = await self._send("GET", login, f"orders/orders/{order_id}")
                if seen is not None and seen.is_success and all(p["paid"] for p in seen.json()["positions"]):
                    items = [{"position_id": p["id"], "version": p["version"]} for p in seen.json()["positions"]]
                    body = {"action": action, "items": items}
                    if action == "issue":
                        body |= {"disclosures": ["packaging_opened"], "person_identified": True}
                    attempt += 1
            else:
                # The same body under the same key until there is an answer: it may have been done already.
                key = f"{self.stamp} {name} {attempt}"
                answer = await self._send("POST", login, "orders/positions/actions", body, key=key)
                if answer is not None:
                    results = answer.json().get("results", [])
                    if results and all(result["ok"] for result in results):
                        self.history.write("acknowledged", command=name, id=None)
                        return
                    last, body = answer.text[:300], None
            await asyncio.sleep(self.again_seconds)
        self.history.write("given_up", command=name, last=last)
        raise GivenUp(f"{name}: {last}")

    async def _send(
        self, method: str, login: str, path: str, body: Mapping[str, Any] | None = None, *, key: str = ""
    ) -> httpx.Response | None:
        """Send a request; None where the outcome is unknown or the server is unable to answer now."""
        service, _, rest = path.partition("/")
        content = json.dumps(body).encode() if body is not None else b""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key} if body is not None else {}
        if login:
            headers["Authorization"] = f"Bearer {self.tokens[login]}"
        else:
            moment = str(int(time.time()))
            signed = hmac.new(ACQUIRER_SECRET.encode(), moment.encode() + b"." + content, hashlib.sha256)
            headers |= {"X-Timestamp": moment, "X-Signature": signed.hexdigest()}
        try:
            url = f"{self.world.urls(service)[0]}/{rest}"
            answer = await self.http.request(method, url, content=content, headers=headers)
        except httpx.HTTPError as error:
            self.history.write("unanswered", path=path, error=type(error).__name__)
            return None
        if answer.status_code == httpx.codes.UNAUTHORIZED and login:
            await self._sign_in(login, HEAD_OFFICE[1] if login == HEAD_OFFICE[0] else PASSWORD)
            return None
        in_progress = answer.status_code == httpx.codes.CONFLICT and "retry-after" in answer.headers
        if in_progress or answer.is_server_error:
            self.history.write("unanswered", path=path, error=str(answer.status_code))
            return None
        return answer

    async def _sign_in(self, login: str, password: str) -> None:
        begun = time.monotonic()
        while time.monotonic() - begun < TIMEOUT_SECONDS:
            try:
                url = f"{self.world.urls('control')[0]}/sessions"
                answer = await self.http.post(url, json={"login": login, "password": password})
                if answer.is_success:
                    self.tokens[login] = answer.json()["access_token"]
                    return
            except httpx.HTTPError as error:
                self.history.write("unanswered", path="control/sessions", error=type(error).__name__)
            await asyncio.sleep(0.2)
        raise GivenUp(f"{login} cannot sign in")


PAID = {"amount": TOTAL, "currency": "RUB", "status": "succeeded"}
