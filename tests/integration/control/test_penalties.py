"""Penalty points (HR-03) and the figures of the regulations."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from services.control.models.projections import ObligationProjection
from shared.base.clock import now
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.control.conftest import hire, open_office, problem
from tests.integration.control.events import Duty, calendar_duty
from tests.support.harness import ServiceHarness


def penalty(staff_id: UUID | str, **changes: Any) -> dict[str, Any]:
    body = {"staff_id": str(staff_id), "points": 3, "clause": "CALL-09", "reason": "Трубку сняли после пятого звонка"}
    return body | changes


async def entries(http: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await http.get("/penalties", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.clause("HR-03")
async def test_a_breach_costs_the_responsible_the_points_of_its_rule_once(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office, "manager")
    [manager] = team.staff["manager"]
    duty = Duty(team.office_id, staff_id=manager)
    for event in (duty.breached(), duty.breached(4), Duty(team.office_id, staff_id=manager).breached(points=0)):
        await control.deliver(event)
    [entry] = await entries(head_office, office_id=team.office["id"])
    assert (entry["staff_id"], entry["staff_name"]) == (str(manager), "Иванов Иван Иванович")
    assert (entry["points"], entry["clause"], entry["imposed_by"]) == (5, "ORD-04", None)
    assert (entry["subject_kind"], entry["obligation_id"]) == ("order", str(duty.breached().obligation_id))


@pytest.mark.clause("RPT-01")
async def test_a_report_that_is_late_costs_points_once_and_stands_on_the_board(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    """HR-03 about RPT-01: duties by the calendar tell everything with each event, in whatever order."""
    team = await open_office(head_office, "manager")
    [manager] = team.staff["manager"]
    duty = {"obligation_id": new_id(), "responsible_staff_id": manager}
    for happened, version in (("breached", 3), ("opened", 1), ("warned", 2), ("breached", 3)):
        await control.deliver(calendar_duty(team.office_id, happened, version, **duty))
    free = calendar_duty(team.office_id, "breached", 3, obligation_id=new_id(), penalty_points=0)
    await control.deliver(free)
    [entry] = await entries(head_office, office_id=team.office["id"])
    assert (entry["staff_id"], entry["points"], entry["clause"]) == (str(manager), 2, "RPT-01")
    assert entry["reason"] == "Просрочена обязанность RPT-01: Иванов Иван Иванович, неделя 16.11.2026"
    board = (await head_office.get("/board")).json()["offices"]
    [row] = [row["obligations"] for row in board if row["office_id"] == team.office["id"]]
    assert (row["open"], row["overdue"]) == (2, 2)
    done = {**duty, "breached": True, "closed_at": now()}
    await control.deliver(calendar_duty(team.office_id, "done", 4, **done))
    board = (await head_office.get("/board")).json()["offices"]
    [row] = [row["obligations"] for row in board if row["office_id"] == team.office["id"]]
    assert row["open"] == 1


@pytest.mark.parametrize("first", ["the breach", "the closing"])
async def test_what_was_done_in_time_costs_nothing_whenever_it_is_heard(
    control: ServiceHarness, head_office: httpx.AsyncClient, first: str
) -> None:
    """A call of 10:15 is entered at 10:40, the deadline was at 10:20."""
    team = await open_office(head_office, "manager")
    [manager] = team.staff["manager"]
    duty = Duty(team.office_id, staff_id=manager, hours=-1)
    closed = duty.closed().model_copy(update={"closed_at": duty.due_at - timedelta(minutes=5)})
    report = {"obligation_id": new_id(), "responsible_staff_id": manager, "due_at": duty.due_at}
    late = calendar_duty(team.office_id, "breached", 3, **report)
    in_time = calendar_duty(team.office_id, "done", 4, **report, closed_at=closed.closed_at)
    for pair in ((duty.breached(), closed), (late, in_time)):
        for event in pair if first == "the breach" else reversed(pair):
            await control.deliver(event)
    found = await entries(head_office, office_id=team.office["id"])
    assert len(found) == (2 if first == "the breach" else 0)
    for entry in found:
        assert entry["withdrawn_by"] is None and entry["withdrawn_at"] is not None
        assert entry["withdrawal_reason"] == "Выполнено в срок, об этом стало известно позже."
    async with control.session() as session:
        kept = await session.scalars(
            select(ObligationProjection).where(ObligationProjection.office_id == team.office_id)
        )
        assert [row.breached_at for row in kept] == [None, None]


async def test_points_without_a_responsible_are_the_offices(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office)
    await control.deliver(Duty(team.office_id).breached())
    [entry] = await entries(head_office, office_id=team.office["id"])
    assert (entry["staff_id"], entry["staff_name"]) == (None, None)


@pytest.mark.clause("HR-03")
async def test_the_senior_gives_points_and_takes_them_back_visibly(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office, "manager", "senior_manager")
    [manager], [senior] = team.staff["manager"], team.staff["senior_manager"]
    async with control.http(Role.SENIOR_MANAGER, office_id=team.office_id, principal_id=senior) as http:
        imposed = await http.post("/penalties", json=penalty(manager))
        assert imposed.status_code == 201, imposed.text
        assert imposed.json()["imposed_by"] == str(senior)
        address = f"/penalties/{imposed.json()['id']}/withdrawal"
        withdrawn = await http.post(address, json={"reason": "Линия была занята"})
        assert withdrawn.status_code == 200, withdrawn.text
        again = await http.post(address, json={"reason": "ещё раз"})
        assert (again.status_code, problem(again)) == (409, "conflict")
        [entry] = await entries(http)
    assert (entry["points"], entry["withdrawal_reason"], entry["withdrawn_by"]) == (3, "Линия была занята", str(senior))
    offices = (await head_office.get("/statistics", params={"office_id": team.office["id"]})).json()["offices"]
    assert sum(office["totals"]["penalty_points"] for office in offices) == 0


@pytest.mark.clause("HR-03")
async def test_nobody_gives_points_to_themselves_to_strangers_or_to_head_office(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team, other = await open_office(head_office, "senior_manager"), await open_office(head_office, "manager")
    [senior], [stranger] = team.staff["senior_manager"], other.staff["manager"]
    async with control.http(Role.SENIOR_MANAGER, office_id=team.office_id, principal_id=senior) as http:
        assert (await http.post("/penalties", json=penalty(senior))).status_code == 403
        hidden = await http.post("/penalties", json=penalty(stranger))
        assert (hidden.status_code, problem(hidden)) == (422, "invalid")
    own = await head_office.post("/penalties", json=penalty(senior))
    async with control.http(Role.SENIOR_MANAGER, office_id=team.office_id, principal_id=senior) as http:
        mine = await http.post(f"/penalties/{own.json()['id']}/withdrawal", json={"reason": "не виноват"})
        assert mine.status_code == 403
        strange = await head_office.post("/penalties", json=penalty(stranger))
        foreign = await http.post(f"/penalties/{strange.json()['id']}/withdrawal", json={"reason": "прощаю"})
        assert foreign.status_code == 404
    boss = await head_office.post("/penalties", json=penalty((await hire(head_office, "head_office"))["id"]))
    assert (boss.status_code, problem(boss)) == (409, "staff-without-office")


async def test_a_manager_sees_the_own_points_only(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office, "manager", "manager")
    mine, colleague = team.staff["manager"]
    for staff_id in (mine, colleague):
        assert (await head_office.post("/penalties", json=penalty(staff_id))).status_code == 201
    async with control.http(Role.MANAGER, office_id=team.office_id, principal_id=mine) as http:
        assert [entry["staff_id"] for entry in await entries(http)] == [str(mine)]
        assert await entries(http, staff_id=str(colleague)) == []
        assert (await http.post("/penalties", json=penalty(colleague))).status_code == 403
    async with control.http(Role.DIRECTOR, office_id=team.office_id) as http:
        assert {entry["staff_id"] for entry in await entries(http)} == {str(mine), str(colleague)}
    async with control.http(Role.DIRECTOR, office_id=new_id()) as http:
        assert await entries(http) == []


async def test_points_are_listed_by_day(head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office, "manager")
    await head_office.post("/penalties", json=penalty(team.staff["manager"][0]))
    today = now().date()
    for first, last, count in ((today, today, 1), (today + timedelta(days=1), today + timedelta(days=2), 0)):
        query = {"office_id": team.office["id"], "first_day": str(first), "last_day": str(last)}
        assert len(await entries(head_office, **query)) == count


@pytest.mark.clause("K12")
async def test_a_figure_of_the_regulations_changes_from_a_date_on(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    """ORG-03, K12."""

    async def threshold() -> dict[str, Any]:
        policies = (await head_office.get("/policies")).json()
        return next(policy for policy in policies if policy["code"] == "turnover_threshold")

    assert (await threshold())["default"] == "1000000"
    change = {"code": "turnover_threshold", "effective_from": "2190-01-01", "value": "1500000.50"}
    later = await head_office.post("/policies", json=change)
    assert later.status_code == 201, later.text
    assert later.json()["current"] == "1000000"
    corrected = await head_office.post("/policies", json=change | {"value": 1600000})
    assert [row["value"] for row in corrected.json()["values"]] == ["1600000.00"]
    for wrong in ({"value": "-1"}, {"value": "NaN"}, {"code": "unknown"}, {"effective_from": "9999-01-01"}):
        answer = await head_office.post("/policies", json=change | wrong)
        assert answer.status_code == 422, answer.text
    half = {"code": "norm_managers", "effective_from": "2190-01-01", "value": 2.5}
    assert (await head_office.post("/policies", json=half)).status_code == 422
    async with control.http(Role.DIRECTOR, office_id=new_id()) as http:
        assert (await http.get("/policies")).status_code == 403


@pytest.mark.parametrize("points", [0, -1, 1001, 10**30, "много", None])
async def test_senseless_points_are_refused(head_office: httpx.AsyncClient, points: Any) -> None:
    answer = await head_office.post("/penalties", json=penalty(new_id(), points=points))
    assert (answer.status_code, problem(answer)) == (422, "invalid")


async def test_the_period_of_a_breach_is_when_it_happened(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office)
    duty = Duty(team.office_id)
    duty.due_at = datetime(2026, 2, 14, 12, tzinfo=UTC)
    await control.deliver(duty.breached())
    [entry] = await entries(head_office, office_id=team.office["id"], first_day="2026-02-14", last_day="2026-02-14")
    assert entry["imposed_at"].startswith("2026-02-14T12:00:00")
