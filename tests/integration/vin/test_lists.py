"""«Необработанные запросы» with their clocks, and the client's cabinet."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from shared.base.clock import now
from shared.contracts.notifier import ObligationBreached, ObligationClosed, ObligationOpened
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.vin.conftest import Office, problem


async def listed(http: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await http.get("/requests", params={**params, **cursor})
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next"] is None:
            return found
        cursor = {"cursor": answer.json()["next"]}


def clock(
    office: Office,
    request_id: UUID,
    *,
    due_in_minutes: int,
    kind: Literal["vin_request", "order"] = "vin_request",
    obligation_id: UUID | None = None,
) -> dict[str, Any]:
    return {
        "office_id": office.id,
        "occurred_at": now(),
        "obligation_id": obligation_id or new_id(),
        "rule_code": "VIN-05",
        "clause": "VIN-05",
        "rule_version": 1,
        "generation": 1,
        "subject_kind": kind,
        "subject_id": request_id,
        "client_id": office.client_id,
        "opened_at": now(),
        "due_at": now() + timedelta(minutes=due_in_minutes),
    }


@pytest.mark.clause("VIN-01")
async def test_unanswered_requests_stand_oldest_first(office: Office) -> None:
    first = await office.request()
    await office.answered("Колодки")
    second, third = await office.request(), await office.request()
    async with office.manager() as http:
        assert [row["id"] for row in await listed(http, limit=1)] == [first["id"], second["id"], third["id"]]


async def test_a_request_under_correction_is_unprocessed_again(office: Office) -> None:
    request = await office.answered("Колодки")
    async with office.manager() as http:
        assert await listed(http) == []
        assert [row["id"] for row in await listed(http, state="answered")] == [request["id"]]
        await office.post(request, "correction", {"reason": "Ошибка"})
        assert [row["state_label"] for row in await listed(http)] == ["Ответ исправляется"]
        assert await listed(http, state="answered") == []


async def test_all_requests_stand_newest_first_and_can_be_narrowed_to_a_client(office: Office) -> None:
    first, second = await office.request(), await office.answered("Колодки")
    other = await Office(office.vin, id=office.id).request()
    async with office.manager() as http:
        assert [row["id"] for row in await listed(http, state="all", limit=2)] == [
            other["id"],
            second["id"],
            first["id"],
        ]
        of_client = await listed(http, state="all", client_id=str(office.client_id))
    assert [row["id"] for row in of_client] == [second["id"], first["id"]]


async def test_each_request_shows_how_long_the_office_has(office: Office) -> None:
    late, early, without = await office.request(), await office.request(), await office.request()
    await office.vin.deliver(ObligationOpened(**clock(office, UUID(late["id"]), due_in_minutes=-1), version=1))
    await office.vin.deliver(ObligationOpened(**clock(office, UUID(early["id"]), due_in_minutes=90), version=1))
    await office.vin.deliver(
        ObligationOpened(**clock(office, UUID(without["id"]), due_in_minutes=5, kind="order"), version=1)
    )
    async with office.manager() as http:
        rows = {row["id"]: row for row in await listed(http)}
    assert rows[late["id"]]["overdue"]
    assert rows[early["id"]]["due_at"] is not None
    assert not rows[early["id"]]["overdue"]
    assert (rows[without["id"]]["due_at"], rows[without["id"]]["overdue"]) == (None, False)


async def test_a_closed_clock_runs_no_more_whatever_the_order_of_the_events(office: Office) -> None:
    request = await office.request()
    facts = clock(office, UUID(request["id"]), due_in_minutes=-1)
    await office.vin.deliver(ObligationClosed(**facts, version=3, outcome="done", breached=True, closed_at=now()))
    await office.vin.deliver(ObligationOpened(**facts, version=1))
    await office.vin.deliver(ObligationBreached(**facts, version=2, breached_at=now(), penalty_points=1))
    assert (await office.show(request["id"]))["due_at"] is None


async def test_the_client_sees_own_requests_without_the_office_s_clocks(office: Office) -> None:
    request = await office.request()
    await Office(office.vin, id=office.id).request()
    await office.vin.deliver(ObligationOpened(**clock(office, UUID(request["id"]), due_in_minutes=90), version=1))
    async with office.client() as http:
        (row,) = await listed(http)
        assert await listed(http, client_id=str(new_id())) == [row], "a client sees themselves, whatever is asked"
    assert (row["id"], row["due_at"]) == (request["id"], None)


async def test_head_office_sees_every_office_and_can_choose_one(office: Office) -> None:
    other = Office(office.vin)
    mine, theirs = await office.request(), await other.request()
    async with office.vin.http(Role.HEAD_OFFICE) as http:
        everywhere = {row["id"] for row in await listed(http)}
        assert {mine["id"], theirs["id"]} <= everywhere
        assert [row["id"] for row in await listed(http, office_id=str(other.id))] == [theirs["id"]]
        assert (await http.get(f"/requests/{mine['id']}")).status_code == 200


async def test_another_office_s_list_is_empty(office: Office) -> None:
    await office.request()
    async with Office(office.vin).manager() as http:
        assert await listed(http, state="all", office_id=str(office.id)) == []


@pytest.mark.parametrize(
    "params",
    [{"state": "new"}, {"limit": 0}, {"limit": 10**20}, {"client_id": "x"}, {"cursor": "\x00"}, {"cursor": "e30"}],
)
async def test_bad_parameters_are_a_problem_of_the_caller(office: Office, params: dict[str, Any]) -> None:
    async with office.manager() as http:
        answer = await http.get("/requests", params=params)
    assert answer.status_code in (400, 422)
    problem(answer)


@pytest.mark.parametrize(
    ("condition", "order", "index"),
    [
        ("office_id = :id AND state != 'answered'", "submitted_at, id", "ix_requests_open"),
        ("state != 'answered'", "submitted_at, id", "ix_requests_network_open"),
        ("office_id = :id", "submitted_at DESC, id DESC", "ix_requests_list"),
        ("true", "submitted_at DESC, id DESC", "ix_requests_network_list"),
        ("client_id = :id", "submitted_at DESC, id DESC", "ix_requests_of_client"),
    ],
)
async def test_every_list_is_read_from_an_index(office: Office, condition: str, order: str, index: str) -> None:
    async with office.vin.session() as session:
        # A handful of rows would be scanned; with scans disabled the plan is that of millions of rows.
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        await session.execute(text("SET LOCAL enable_sort = off"))
        await session.execute(text("SET LOCAL enable_bitmapscan = off"))
        query = text(f"EXPLAIN SELECT * FROM requests WHERE {condition} ORDER BY {order} LIMIT 50")
        plan = "\n".join(await session.scalars(query, {"id": office.id} if ":id" in condition else {}))
    assert index in plan, plan
