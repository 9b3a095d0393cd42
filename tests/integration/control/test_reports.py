"""INQ-01, RPT-07: visits, calls, messages, conversion, lost reasons, marks, calls made, breaches, points."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from services.control.models.projections import Inquiry, MonthlyTurnover, ObligationProjection
from shared.identity.roles import SENIORS, Role
from shared.persistence.database import new_id
from tests.integration.control.conftest import open_office, problem
from tests.integration.control.events import Duty, call_logged, inquiry_changed, inquiry_recorded, payment_received
from tests.support.harness import ServiceHarness


async def statistics(http: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await http.get("/statistics", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.clause("INQ-01", "RPT-07")
async def test_statistics_answer_the_questions_of_inq_01(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office, "manager", "manager")
    first, second = team.staff["manager"]
    office = team.office_id
    visit = inquiry_recorded(office, staff_id=first, items=["Колодки тормозные", "Фильтр"])
    lost = inquiry_recorded(
        office, staff_id=first, channel="phone", status="lost", lost_reason="Дорого", mark="bad", items=["фильтр"]
    )
    for event in (
        visit,
        lost,
        inquiry_recorded(office, staff_id=first, channel="messenger", items=["Масло"]),
        inquiry_recorded(office, staff_id=second, channel="email", mark="vip"),
        inquiry_recorded(
            office, staff_id=second, channel="site", status="lost", lost_reason="price", lost_reason_label="Дорого"
        ),
        inquiry_recorded(office, staff_id=second, channel="visit", status="lost", lost_reason="Долго ждать"),
        inquiry_changed(visit, 2, status="won", order_id=new_id()),
        call_logged(office, staff_id=first, rating=5),
        call_logged(office, staff_id=first, rating=4),
        call_logged(office, staff_id=first, outcome="no_answer"),
        Duty(office, staff_id=first).breached(points=7),
    ):
        await control.deliver(event)
    [shown] = (await statistics(head_office, office_id=team.office["id"]))["offices"]
    totals = shown["totals"]
    assert {name: totals[name] for name in ("visits", "calls", "messages", "inquiries")} == {
        "visits": 2,
        "calls": 1,
        "messages": 3,
        "inquiries": 6,
    }
    assert (totals["won"], totals["lost"], totals["open"], totals["conversion_percent"]) == (1, 3, 2, "16.7")
    assert (totals["vip"], totals["bad"]) == (1, 1)
    assert shown["lost_reasons"] == [{"name": "Дорого", "count": 2}, {"name": "Долго ждать", "count": 1}]
    assert shown["goods"] == [
        {"name": "фильтр", "count": 2},
        {"name": "колодки тормозные", "count": 1},
        {"name": "масло", "count": 1},
    ]
    managers = {row["staff_id"]: row for row in shown["managers"]}
    mine = managers[str(first)]
    assert (mine["inquiries"], mine["won"], mine["conversion_percent"]) == (3, 1, "33.3")
    assert (mine["calls_made"], mine["calls_reached"], mine["average_rating"]) == (3, 2, "4.5")
    assert (mine["breached"], mine["penalty_points"]) == (1, 7)
    assert (mine["staff_name"], mine["role_label"]) == ("Иванов Иван Иванович", "менеджер")
    assert (managers[str(second)]["inquiries"], managers[str(second)]["conversion_percent"]) == (3, "0.0")


@pytest.mark.clause("INQ-03")
async def test_a_status_that_outruns_the_record_loses_nothing(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office)
    recorded = inquiry_recorded(team.office_id, channel="phone", items=["Свечи"])
    await control.deliver(inquiry_changed(recorded, 3, status="won", mark="vip"))
    await control.deliver(inquiry_changed(recorded, 2, status="lost", lost_reason="Дорого"))
    await control.deliver(recorded)
    [office] = (await statistics(head_office, office_id=team.office["id"]))["offices"]
    assert (office["totals"]["calls"], office["totals"]["won"], office["totals"]["lost"]) == (1, 1, 0)
    assert office["totals"]["vip"] == 1
    assert office["goods"] == [{"name": "свечи", "count": 1}]
    async with control.session() as session:
        row = (await session.scalars(select(Inquiry).where(Inquiry.inquiry_id == recorded.inquiry_id))).one()
        assert (row.version, row.lost_reason) == (3, None)


async def test_a_repeated_event_counts_once(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office)
    at = datetime(2026, 3, 10, tzinfo=UTC)
    event = payment_received(team.office_id, "100.50", at)
    event_id = await control.deliver(event)
    await control.deliver(event, event_id=event_id)
    await control.deliver(payment_received(team.office_id, "1", at))
    async with control.session() as session:
        query = select(MonthlyTurnover.month, MonthlyTurnover.amount)
        rows = (await session.execute(query.where(MonthlyTurnover.office_id == team.office_id))).all()
    assert [(row.month, str(row.amount)) for row in rows] == [(date(2026, 3, 1), "101.50")]


@pytest.mark.clause("K12", "RPT-07")
async def test_days_are_those_of_the_office(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    """20:00 UTC is the next day in Yekaterinburg and the same day in Moscow; months of turnover likewise."""
    evening = datetime(2026, 3, 31, 20, tzinfo=UTC)
    for zone, day, month in (("Asia/Yekaterinburg", "2026-04-01", 4), ("Europe/Moscow", "2026-03-31", 3)):
        team = await open_office(head_office, time_zone=zone)
        await control.deliver(inquiry_recorded(team.office_id, at=evening))
        await control.deliver(call_logged(team.office_id, at=evening))
        await control.deliver(payment_received(team.office_id, "10", evening))
        [office] = (await statistics(head_office, office_id=team.office["id"], first_day=day, last_day=day))["offices"]
        assert (office["totals"]["visits"], office["totals"]["calls_made"]) == (1, 1), zone
        for other in (date.fromisoformat(day) + timedelta(days=1), date.fromisoformat(day) - timedelta(days=1)):
            empty = await statistics(
                head_office, office_id=team.office["id"], first_day=str(other), last_day=str(other)
            )
            assert empty["offices"] == [], zone
        async with control.session() as session:
            months = await session.scalars(
                select(MonthlyTurnover.month).where(MonthlyTurnover.office_id == team.office_id)
            )
            assert months.all() == [date(2026, month, 1)]


@pytest.mark.clause("RPT-07")
@pytest.mark.parametrize("role", SENIORS)
async def test_a_senior_reads_the_statistics_of_the_own_office_only(
    control: ServiceHarness, head_office: httpx.AsyncClient, role: Role
) -> None:
    mine, other = await open_office(head_office, name="Мой"), await open_office(head_office)
    for team in (mine, other):
        await control.deliver(inquiry_recorded(team.office_id, lost_reason="Дорого", status="lost"))
        await control.deliver(Duty(team.office_id).breached())
        await control.deliver(call_logged(team.office_id))
    async with control.http(role, office_id=mine.office_id) as http:
        for query in ({}, {"office_id": mine.office["id"]}):
            shown = await statistics(http, **query)
            assert [office["office_name"] for office in shown["offices"]] == ["Мой"]
            assert (shown["totals"]["inquiries"], shown["totals"]["breached"], shown["totals"]["calls_made"]) == (
                1,
                1,
                1,
            )
        assert (await statistics(http, office_id=other.office["id"]))["offices"] == []
    async with control.http(Role.MANAGER, office_id=mine.office_id) as http:
        assert (await http.get("/statistics")).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        {"first_day": "2026-02-01", "last_day": "2026-01-01"},
        {"first_day": "2025-01-01", "last_day": "2026-01-02"},
        {"first_day": "0001-01-01"},
        {"last_day": "9999-12-31"},
        {"last_day": "вчера"},
        {"office_id": "мой"},
    ],
)
async def test_a_senseless_period_is_refused(head_office: httpx.AsyncClient, query: dict[str, str]) -> None:
    answer = await head_office.get("/statistics", params=query)
    assert (answer.status_code, problem(answer)) == (422, "invalid")


async def duty_rows(control: ServiceHarness, obligation_id: UUID) -> list[tuple[int, str, bool]]:
    async with control.session() as session:
        query = (
            select(ObligationProjection)
            .where(ObligationProjection.obligation_id == obligation_id)
            .order_by(ObligationProjection.generation)
        )
        return [(row.generation, row.state, row.breached_at is not None) for row in await session.scalars(query)]


async def test_a_breach_heard_after_the_closing_is_history_all_the_same(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office)
    duty = Duty(team.office_id, hours=-1)
    await control.deliver(duty.closed(breached=True))
    await control.deliver(duty.breached())
    await control.deliver(duty.opened())
    assert await duty_rows(control, duty.opened().obligation_id) == [(1, "closed", True)]


async def test_a_superseded_duty_and_its_successor_are_two(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office)
    duty = Duty(team.office_id)
    for event in (duty.opened(), duty.warned(), duty.closed(3, outcome="superseded"), duty.opened(4, generation=2)):
        await control.deliver(event)
    assert await duty_rows(control, duty.opened().obligation_id) == [(1, "closed", False), (2, "open", False)]
