"""Bad input of every kind to every route: problem+json, never 5xx."""

import itertools
import json
from typing import Any

import pytest

from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.orders.conftest import Json, Office, an_item

HUGE = 10**40
BODIES: list[Any] = [
    None,
    [],
    "text",
    17,
    {},
    {"unknown": 1},
    {"name": "\x00", "comment": "\x00"},
    {"quantity": HUGE, "sale_price": 1e308, "client_id": "\ud800"},
    {"items": [{"position_id": str(new_id()), "version": HUGE}], "action": "order"},
    {"effective_from": "9999-12-31T23:59:59-14:00", "data": {}},
    {"effective_from": "0001-01-01T00:00:00+14:00", "data": {"exempt_categories": "\x00"}},
    {"promised_at": "9999-12-31T23:59:59-14:00"},
    {"promised_at": 1e20, "due_at": -1e20, "kind": "other", "text": "x"},
]
QUERIES = [
    {"changed_from": "9999-12-31T23:59:59-14:00"},
    {"changed_to": "0001-01-01T00:00:00+14:00"},
    {"placed_from": "0001-01-01T00:00:00+14:00"},
    {"recorded_to": "9999-12-31T23:59:59-14:00"},
    {"changed_from": "1e300"},
    {"client_id": "x", "office_id": "\x00", "supplier_id": "😀"},
    {"limit": str(HUGE)},
    {"cursor": "AAAA"},
    {"cursor": "WyI5OTk5LTEyLTMxVDIzOjU5OjU5LTE0OjAwIiwgIngiXQ"},
    {"state": "\x00", "status": "'; --", "number": "\x00"},
    {"amount": "NaN"},
    {"amount": "1e400"},
]


async def test_no_route_answers_bad_input_with_a_server_error(office: Office) -> None:
    order = await office.place()
    known: Json = {
        "client_id": str(office.client_id),
        "order_id": order["id"],
        "position_id": order["positions"][0]["id"],
        "code": "prepayment",
    }
    head = office.orders.http(Role.HEAD_OFFICE)
    headers = {"If-Match": '"1"', "Content-Type": "application/json"}
    tried = 0
    for path, operations in office.orders.app.openapi()["paths"].items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        for method in operations:
            for choice in ("known", "unknown", "malformed"):
                filled = path
                for name in names:
                    value = {"known": known.get(name, str(new_id())), "unknown": str(new_id()), "malformed": "%00x"}
                    filled = filled.replace(f"{{{name}}}", value[choice])
                bodies = BODIES if method in ("post", "put", "patch") else [None]
                queries = QUERIES if method == "get" else [None]
                if choice != "known":
                    bodies, queries = bodies[:5], queries[:1]
                for body, query in itertools.product(bodies, queries):
                    caller = head if "policies" in path else office.senior
                    request = caller.build_request(
                        method.upper(), filled, content=json.dumps(body), params=query, headers=headers
                    )
                    answer = await caller.send(request)
                    tried += 1
                    what = f"{method} {filled} {query} {body!r}: {answer.status_code} {answer.text[:300]}"
                    assert answer.status_code < 500, what
                    if answer.status_code >= 400:
                        assert answer.headers["content-type"] == "application/problem+json", what
    assert tried > 500


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"{", b'{"client_id": "\\ud800"}', b'{"client_id": NaN}', b"[" * 5000, b""],
)
async def test_a_body_that_is_no_json_is_refused(office: Office, content: bytes) -> None:
    answer = await office.manager.post("/orders", content=content, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "changes",
    [
        {"sale_price": "0"},
        {"sale_price": "-1"},
        {"sale_price": "1.001"},
        {"sale_price": "Infinity"},
        {"sale_price": True},
        {"quantity": 0},
        {"quantity": 1.5},
        {"quantity": 10_000, "sale_price": "9999.00"},
        {"term_days": -1},
        {"article": ""},
        {"article": "   "},
        {"article": "A" * 101},
        {"brand": "\x00"},
        {"kind": "engine"},
        {"supplier_id": str(new_id())},
        {"unknown": 1},
    ],
)
async def test_a_basket_item_is_sound(office: Office, changes: Json) -> None:
    answer = await office.manager.post(f"/baskets/{office.client_id}/items", json=an_item(**changes))
    assert answer.status_code == 422, answer.text


@pytest.mark.clause("ORD-03")
async def test_a_position_is_marked_once_per_action(office: Office) -> None:
    order = await office.place()
    item = {"position_id": order["positions"][0]["id"], "version": 1}
    answer = await office.manager.post("/positions/actions", json={"action": "receive", "items": [item, item]})
    assert answer.status_code == 422
    assert "отмечена дважды" in answer.json()["detail"]


async def test_every_route_refuses_a_stranger_and_a_client_where_it_is_not_for_clients(office: Office) -> None:
    nobody = office.orders.http()
    for path, operations in office.orders.app.openapi()["paths"].items():
        for method, operation in operations.items():
            filled = path.replace("{", "").replace("}", "")
            if not operation.get("security"):
                continue
            answer = await nobody.request(method.upper(), filled)
            assert answer.status_code == 401, (method, path, answer.text)
