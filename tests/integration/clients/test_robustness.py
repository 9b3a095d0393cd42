"""Bad input is the caller's error, never ours; twins and races leave one effect; the schema is the models'."""

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import create_async_engine

from services.clients.models import Base, Vehicle
from shared.identity.roles import Role
from shared.persistence.connections import sqlalchemy_url
from shared.persistence.database import new_id
from shared.persistence.tables import IDENTITY, KERNEL
from tests.integration.clients.conftest import PASSWORD, TestOffice, card_body, registration_body
from tests.support.harness import ServiceHarness

NASTY: tuple[Any, ...] = (
    None,
    True,
    10**30,
    "",
    "a\x00b",
    "\ud800",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "ё" * 5000,
    "‮%s{0}$office'--",
    [None],
    {"a": {"b": []}},
)
NASTY_TEXT = (
    "",
    "%00",
    "%ED%A0%80",
    "'",
    "-1",
    "1e9",
    "9" * 40,
    "0001-01-01T00:00:00%2B14:00",
    "9999-12-31T23:59:59-14:00",
    "null",
    "%F0%9F%92%A9",
    "a" * 3000,
)


def bodies(office: TestOffice, card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """POST routes with valid bodies, to be spoilt one field at a time."""
    client = f"/clients/{card['id']}"
    return {
        "/registrations": registration_body(
            office.id, login="x", city="Ы", region="Ы", source="Ы", organization_name="Ы"
        ),
        "/email-confirmations": {"token": "x"},
        "/email-confirmations/requests": {"login": "x"},
        "/sessions": {"login": "x", "password": "y"},
        "/clients": card_body(
            office_id=str(office.id),
            kind="online",
            name_verified=True,
            email="x@mail.example",
            category="retail",
            group="Ы",
            buyer_group="Ы",
            organization_name="Ы",
            region="Ы",
            city="Ы",
            time_zone="UTC",
            manager_id=str(office.managers[0]),
            source="Ы",
            description="Ы",
            consents=["calls"],
            allow_duplicate=True,
        ),
        f"{client}/login": {"login": "abc", "password": PASSWORD},
        f"{client}/password": {"password": PASSWORD},
        f"{client}/disabling": {"comment": "Ы"},
        f"{client}/calls": {
            "outcome": "reached",
            "goals": ["other"],
            "order_id": str(new_id()),
            "rating": 3,
            "comment": "Ы",
            "objection": "price",
            "source": "Ы",
            "full_name": "Ы",
            "called_at": "2025-01-01T00:00:00Z",
        },
        f"{client}/vehicles": {
            "vin": "XTA210990Y2766389",
            "frame": "GX105-6010796",
            "make": "Ы",
            "model": "Ы",
            "year": 2000,
            "engine": "Ы",
            "note": "Ы",
        },
        f"{client}/price-checks": {"article": "Ы", "brand": "Ы", "description": "Ы", "price": "1.00", "term_days": 1},
        "/contents": {"code": "consent_calls", "title": "Ы", "body": "Ы", "effective_from": "2099-01-01T00:00:00Z"},
        "/policies": {
            "answer_within": 72,
            "unit": "calendar_hours",
            "cards_per_phone": 3,
            "cold_from_days": 7,
            "cold_until_days": 10,
            "effective_from": "2099-01-01T00:00:00Z",
        },
    }


def check(answer: httpx.Response) -> None:
    told = f"{answer.request.method} {answer.request.url} {answer.request.content[:300]!r} → {answer.status_code}"
    assert answer.status_code < 500, f"{told} {answer.text}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", told


async def send(http: httpx.AsyncClient, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
    # Lone surrogates have to be escaped, as a hostile caller would write them.
    content = json.dumps(body).encode()
    return await http.request(method, path, content=content, headers={"content-type": "application/json", **headers})


async def test_no_spoilt_body_is_our_fault(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create()
    async with clients.http(Role.HEAD_OFFICE) as http:
        for path, valid in bodies(office, card).items():
            wholes: tuple[Any, ...] = (None, [], "text", 7, {**valid, "extra": 1}, {**valid, "\x00": 1})
            for spoilt in wholes:
                check(await send(http, "POST", path, spoilt))
            for field in valid:
                for value in NASTY:
                    check(await send(http, "POST", path, {**valid, field: value}))
            check(await http.post(path, content=b"{", headers={"content-type": "application/json"}))
            check(await http.post(path, content=b"\xff\xfe", headers={"content-type": "application/json"}))


async def test_no_spoilt_change_is_our_fault(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create()
    async with office.manager() as http:
        car = await http.post(f"/clients/{card['id']}/vehicles", json={"vin": "XTA210990Y2766389"})
        fields = {
            f"/clients/{card['id']}": list(bodies(office, card)["/clients"]),
            f"/vehicles/{car.json()['id']}": ["make", "model", "year", "engine", "note"],
        }
        for path, names in fields.items():
            for name in names:
                for value in NASTY:
                    tag = (await http.get(path)).headers["etag"]
                    check(await send(http, "PATCH", path, {name: value}, **{"if-match": tag}))
        for tag in ("", "*", '"', '"x"', '"-1"', '"' + "9" * 30 + '"'):
            check(await send(http, "PATCH", f"/clients/{card['id']}", {"city": "Ы"}, **{"if-match": tag}))
        for value in NASTY:
            check(await send(http, "PUT", f"/clients/{card['id']}/consents/calls", {"given": value}))


@pytest.mark.parametrize(
    "path",
    [
        "/clients?q={}", "/clients?office_id={}", "/clients?manager_id={}", "/clients?kind={}", "/clients?group={}",
        "/clients?rating={}", "/clients?active={}", "/clients?registered_from={}", "/clients?registered_until={}",
        "/clients?limit={}", "/clients?cursor={}", "/clients/{}", "/clients/duplicates?phone={}",
        "/clients/duplicates?email={}", "/clients/{}/calls", "/clients/{}/vehicles", "/vehicles/{}",
        "/call-list?goal={}", "/call-list?mine={}", "/call-list?cursor={}", "/cold-list?cursor={}",
        "/contents?code={}", "/contents?cursor={}", "/policies?cursor={}", "/public/offices?cursor={}",
    ],
)  # fmt: skip
async def test_no_spoilt_address_is_our_fault(office: TestOffice, path: str) -> None:
    async with office.manager() as http:
        for value in NASTY_TEXT:
            check(await http.get(path.format(value)))


async def test_twins_of_one_request_register_one_client(clients: ServiceHarness, office: TestOffice) -> None:
    body, key = registration_body(office.id), {"idempotency-key": str(new_id())}
    async with clients.http() as http:
        answers = await asyncio.gather(*(http.post("/registrations", json=body, headers=key) for _ in range(4)))
        assert {answer.status_code for answer in answers} <= {201, 409}
        final = await http.post("/registrations", json=body, headers=key)
    assert final.status_code == 201
    assert {answer.content for answer in answers if answer.status_code == 201} == {final.content}


async def test_of_several_who_want_one_login_one_gets_it(clients: ServiceHarness, office: TestOffice) -> None:
    login = f"wanted-{new_id().hex}"
    async with clients.http() as http:
        answers = await asyncio.gather(
            *(http.post("/registrations", json=registration_body(office.id, login=login)) for _ in range(3))
        )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_of_several_changes_of_one_version_one_is_made(office: TestOffice) -> None:
    card = await office.create()
    async with office.manager() as http:
        answers = await asyncio.gather(
            *(
                http.patch(
                    f"/clients/{card['id']}", json={"city": f"Город {n}"}, headers={"If-Match": f'"{card["version"]}"'}
                )
                for n in range(3)
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]


async def test_the_same_car_sent_twice_at_once_is_one_car(clients: ServiceHarness, office: TestOffice) -> None:
    card = await office.create()
    async with office.manager() as http:
        answers = await asyncio.gather(
            *(http.post(f"/clients/{card['id']}/vehicles", json={"vin": "XTA210990Y2766389"}) for _ in range(3))
        )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    async with clients.session() as session:
        cars = await session.scalar(
            select(func.count()).select_from(Vehicle).where(Vehicle.client_id == UUID(card["id"]))
        )
    assert cars == 1


async def test_the_migrations_make_the_tables_of_the_models(clients: ServiceHarness) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, [KERNEL, IDENTITY, Base.metadata]))  # type: ignore[arg-type]

    engine = create_async_engine(sqlalchemy_url(clients.urls.owner))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_every_operation_is_described_in_russian(clients: ServiceHarness) -> None:
    for path, operations in clients.app.openapi()["paths"].items():
        for method, operation in operations.items():
            assert any("а" <= letter <= "я" for letter in operation.get("summary", "")), f"{method} {path}"
