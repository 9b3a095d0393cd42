"""The web kit: problems, idempotency, versions, pages, access."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from shared.contracts.orders import OrderProcessed
from shared.identity.roles import Role
from shared.persistence.database import new_id
from shared.persistence.tables import outbox
from shared.web.route import MAX_BODY_BYTES
from tests.support.harness import ServiceHarness
from tests.support.sample_service.app import Note


def body(text: str | None = None) -> dict[str, str]:
    return {"client_id": str(new_id()), "text": text or f"note {uuid4()}"}


def code(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    return str(problem["type"]).removeprefix("urn:reglament:problem:")


async def test_a_note_is_written_with_its_event_and_etag(sample: ServiceHarness) -> None:
    office = new_id()
    async with sample.http(Role.MANAGER, office_id=office) as http:
        response = await http.post("/notes", json=body())
    assert response.status_code == 201, response.text
    assert response.headers["etag"] == '"1"'
    [event] = await sample.published(OrderProcessed, office_id=office)
    assert str(event.order_id) == response.json()["id"]


async def test_a_repeated_key_gets_the_same_bytes_and_no_second_effect(sample: ServiceHarness) -> None:
    office, note = new_id(), body()
    async with sample.http(Role.MANAGER, office_id=office) as http:
        first = await http.post("/notes", json=note, headers={"Idempotency-Key": "k1"})
        second = await http.post("/notes", json=note, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["idempotent-replayed"] == "true"
    assert len(await sample.published(OrderProcessed, office_id=office)) == 1


async def test_fifty_duplicates_have_one_effect(sample: ServiceHarness) -> None:
    office, note = new_id(), body("slow " + str(uuid4()))
    async with sample.http(Role.MANAGER, office_id=office) as http:
        answers = await asyncio.gather(
            *(http.post("/notes", json=note, headers={"Idempotency-Key": "duplicate"}) for _ in range(50))
        )
        replay = await http.post("/notes", json=note, headers={"Idempotency-Key": "duplicate"})
    made = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(made) + len(waiting) == 50
    assert {answer.content for answer in made} == {replay.content}
    assert waiting
    assert all(answer.headers["retry-after"] == "1" and code(answer) == "request-in-progress" for answer in waiting)
    assert len(await sample.published(OrderProcessed, office_id=office)) == 1


async def test_a_key_for_another_body_is_refused(sample: ServiceHarness) -> None:
    async with sample.http(Role.MANAGER, office_id=new_id()) as http:
        await http.post("/notes", json=body(), headers={"Idempotency-Key": "k2"})
        other = await http.post("/notes", json=body(), headers={"Idempotency-Key": "k2"})
    assert (other.status_code, code(other)) == (422, "idempotency-key-reused")


async def test_a_key_for_another_query_is_refused(sample: ServiceHarness) -> None:
    note, headers = body(), {"Idempotency-Key": "k4"}
    async with sample.http(Role.MANAGER, office_id=new_id()) as http:
        first = await http.post("/notes", json=note, headers=headers, params={"notify": "yes"})
        same = await http.post("/notes", json=note, headers=headers, params={"notify": "yes"})
        others = [
            await http.post("/notes", json=note, headers=headers, params=params)
            for params in ({"notify": "no"}, {"notify": ["yes", "no"]}, {})
        ]
    assert (first.status_code, same.status_code, same.content) == (201, 201, first.content)
    assert [(other.status_code, code(other)) for other in others] == [(422, "idempotency-key-reused")] * 3


async def test_a_failed_request_may_be_repeated_with_its_key(sample: ServiceHarness) -> None:
    async with sample.http(Role.MANAGER, office_id=new_id()) as http:
        taken = body()
        await http.post("/notes", json=taken)
        conflict = await http.post("/notes", json=taken, headers={"Idempotency-Key": "k3"})
        assert (conflict.status_code, code(conflict)) == (409, "conflict")
        again = await http.post("/notes", json=body(), headers={"Idempotency-Key": "k3"})
    assert again.status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_a_creating_post_needs_a_key(sample: ServiceHarness, key: str) -> None:
    async with sample.http(Role.MANAGER, office_id=new_id()) as http:
        response = await http.post("/notes", json=body(), headers={"Idempotency-Key": key})
    assert (response.status_code, code(response)) == (400, "idempotency-key-required")


async def test_of_a_hundred_edits_of_one_version_one_wins(sample: ServiceHarness) -> None:
    async with sample.http(Role.MANAGER, office_id=new_id()) as http:
        note = (await http.post("/notes", json=body())).json()
        path = f"/notes/{note['id']}"
        edits = await asyncio.gather(
            *(http.patch(path, json={"text": str(uuid4())}, headers={"If-Match": '"1"'}) for _ in range(100))
        )
        missing = await http.patch(path, json={"text": "x"})
        malformed = await http.patch(path, json={"text": "x"}, headers={"If-Match": "one"})
    assert sorted(edit.status_code for edit in edits) == [200] + [412] * 99
    assert all(code(edit) == "stale-version" for edit in edits if edit.status_code == 412)
    assert (missing.status_code, code(missing)) == (428, "version-required")
    assert (malformed.status_code, code(malformed)) == (400, "malformed-version")


async def test_pages_show_every_row_once_though_rows_come_meanwhile(sample: ServiceHarness) -> None:
    office = new_id()
    async with sample.http(Role.MANAGER, office_id=office) as http:
        for number in range(7):
            await http.post("/notes", json=body(f"{office} {number}"))
        seen: list[str] = []
        cursor: str | None = None
        while True:
            params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
            page = (await http.get("/notes", params=params)).json()
            seen += [item["text"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
            await http.post("/notes", json=body(f"{office} later {len(seen)}"))
    assert seen == [f"{office} {number}" for number in reversed(range(7))]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwgImIiXQ", "bnVsbA", "WyJcdTAwMDAiLCAiYSJd"])
async def test_a_broken_cursor_is_a_problem(sample: ServiceHarness, cursor: str) -> None:
    async with sample.http(Role.MANAGER, office_id=new_id()) as http:
        response = await http.get("/notes", params={"cursor": cursor})
    assert (response.status_code, code(response)) == (400, "bad-cursor")


@pytest.mark.parametrize(
    ("content", "status", "expected"),
    [
        (b"{", 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b'{"text": 5}', 422, "invalid"),
        (b'{"text": "a\\u0000b"}', 422, "invalid"),
        (b'{"text": "\\ud800"}', 422, "invalid"),
        (b'{"text": "a\\u202eb"}', 422, "invalid"),
        (b'{"text": "a", "\\ud800": 1}', 422, "invalid"),
        (b'{"text": "a", "extra": 1}', 422, "invalid"),
        (b"\xff\xfe", 422, "invalid"),
    ],
)
async def test_bad_bodies_are_problems(sample: ServiceHarness, content: bytes, status: int, expected: str) -> None:
    async with sample.http() as http:
        response = await http.post("/echo", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, code(response)) == (status, expected)


async def test_a_short_text_is_one_line(sample: ServiceHarness) -> None:
    async with sample.http() as http:
        response = await http.post("/echo", json={"text": " Иванов\r\n\n2. Продавец\u2028платит\x85 всё "})
    assert response.json()["text"] == "Иванов 2. Продавец платит всё"


async def test_a_body_over_the_limit_is_refused(sample: ServiceHarness) -> None:
    async with sample.http() as http:
        response = await http.post(
            "/echo", content=bytes(MAX_BODY_BYTES + 1), headers={"Content-Type": "application/json"}
        )
    assert (response.status_code, code(response)) == (413, "body-too-large")


async def test_unknown_paths_methods_and_our_mistakes_are_problems(sample: ServiceHarness) -> None:
    async with sample.http() as http:
        assert code(await http.get("/nowhere")) == "not-found"
        assert code(await http.delete("/echo")) == "method-not-allowed"
        assert code(await http.get("/broken")) == "internal-error"


@pytest.mark.clause("ORG-02")
async def test_who_may_call_is_checked(sample: ServiceHarness) -> None:
    async with sample.http() as anonymous, sample.http(Role.MYSTERY_CHECKER) as checker:
        nobody = await anonymous.get("/notes")
        assert (nobody.status_code, code(nobody)) == (401, "unauthenticated")
        assert nobody.headers["www-authenticate"] == "Bearer"
        wrong = await checker.get("/notes")
        assert (wrong.status_code, code(wrong)) == (403, "forbidden")
        forged = await anonymous.get("/notes", headers={"Authorization": "Bearer a.b.c"})
        assert (forged.status_code, code(forged)) == (401, "unauthenticated")


async def test_the_correlation_id_of_the_caller_comes_back_and_reaches_the_event(sample: ServiceHarness) -> None:
    async with sample.http(Role.MANAGER, office_id=new_id()) as http:
        response = await http.post("/notes", json=body(), headers={"X-Correlation-ID": "abc-1"})
        unsafe = await http.get("/notes", headers={"X-Correlation-ID": "a b\x7f"})
    assert response.headers["x-correlation-id"] == "abc-1"
    assert unsafe.headers["x-correlation-id"] != "a b\x7f"
    async with sample.session() as session:
        subject = f"order/{response.json()['id']}"
        headers = await session.scalar(select(outbox.c.headers).where(outbox.c.subject == subject))
    assert headers is not None
    assert headers["correlation-id"] == "abc-1"


async def test_nothing_is_half_done_when_the_request_fails(sample: ServiceHarness) -> None:
    office, taken = new_id(), body()
    async with sample.http(Role.MANAGER, office_id=office) as http:
        await http.post("/notes", json=taken)
        await http.post("/notes", json=taken)
    async with sample.session() as session:
        notes = await session.scalar(select(func.count()).select_from(Note).where(Note.office_id == office))
    assert notes == 1
    assert len(await sample.published(OrderProcessed, office_id=office)) == 1
