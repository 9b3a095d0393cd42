"""Rules on their way to publication: draft, check, dry run, publish."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest_asyncio
from sqlalchemy import func, select, update

from services.notifier.clock.loops import calendar_obligations
from services.notifier.clock.models.events import ReceivedEvent
from services.notifier.people.models.projections import Office, StaffMember
from shared.base.clock import now
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.integration.notifier.rules import publish
from tests.support.harness import ServiceHarness
from tests.support.notifier import minutes


@pytest_asyncio.fixture
async def head(notifier: ServiceHarness) -> Any:
    async with notifier.http(Role.HEAD_OFFICE) as http:
        yield http


async def body_of(http: httpx.AsyncClient, code: str, **changes: Any) -> dict[str, Any]:
    known = (await http.get(f"/rules/{code}")).json()["items"][-1]["rule"]
    return {**known, **changes}


async def begin(http: httpx.AsyncClient, code: str, office_id: Any, **changes: Any) -> Any:
    body = await body_of(http, code, **changes)
    answer = await http.post("/rule-drafts", json={**body, "code": code, "office_id": str(office_id)})
    assert answer.status_code == 201, answer.text
    return answer.json()


MINUTES_10 = {"amount": 10, "unit": "working_minutes"}


async def test_a_draft_is_checked_and_published_and_only_then_counts(world: World, head: httpx.AsyncClient) -> None:
    await world.with_people()
    draft = await begin(head, "CALL-01", world.office_id, duration=MINUTES_10)
    await world.register()
    assert (await world.obligation(world.client_id, "CALL-01")).due_at - now() > minutes(15)
    checked = (await head.post(f"/rule-drafts/{draft['id']}/check")).json()
    assert (checked["ok"], checked["problems"], checked["warnings"]) == (True, [], [])
    published = await head.post(f"/rule-drafts/{draft['id']}/publication")
    assert published.status_code == 200, published.text
    assert published.json()["state"] == "published"
    other = World(world.notifier, world.mailbox, office_id=world.office_id, staff=world.staff)
    await other.register()
    (obligation,) = [row for row in await world.obligations() if row.subject_id == other.client_id]
    assert obligation.due_at - obligation.opened_at == minutes(10)
    assert (await head.post(f"/rule-drafts/{draft['id']}/publication")).status_code == 409


async def test_a_draft_that_cannot_work_is_kept_but_not_published(world: World, head: httpx.AsyncClient) -> None:
    await world.open_office()
    draft = await begin(head, "CALL-01", world.office_id, ladder=[], opens=[])
    checked = (await head.post(f"/rule-drafts/{draft['id']}/check")).json()
    messages = [problem["message"] for problem in checked["problems"]]
    assert not checked["ok"]
    assert "Правило ничем не открывается: ни событием, ни календарём." in messages
    assert "Лестница пуста: о нарушении никто не узнает." in messages
    assert (await head.post(f"/rule-drafts/{draft['id']}/publication")).status_code == 422


async def test_the_check_finds_a_paid_order_without_a_rule(head: httpx.AsyncClient, world: World) -> None:
    body = await body_of(head, "ORD-05", active=False)
    draft = (await head.post("/rule-drafts", json={**body, "code": "ORD-05"})).json()
    warnings = (await head.post(f"/rule-drafts/{draft['id']}/check")).json()["warnings"]
    texts = [warning["message"] for warning in warnings]
    assert any("paid = True" in text and "остаётся без правила" in text for text in texts)
    etag = {"If-Match": f'"{draft["version"]}"'}
    assert (await head.delete(f"/rule-drafts/{draft['id']}", headers=etag)).json()["state"] == "dropped"


async def test_the_check_finds_an_office_whose_ladder_has_no_people(world: World, head: httpx.AsyncClient) -> None:
    await world.open_office(name="Пустой офис")
    only_manager = [{"role": "manager", "after": {"amount": 0, "unit": "working_minutes"}}]
    draft = await begin(head, "CALL-01", world.office_id, ladder=only_manager)
    texts = [w["message"] for w in (await head.post(f"/rule-drafts/{draft['id']}/check")).json()["warnings"]]
    somebody_above = [text for text in texts if "не достигает никого" in text]
    async with world.notifier.session() as session:
        query = select(func.count()).select_from(StaffMember).where(StaffMember.role == "head_office")
        heads = (await session.execute(query)).scalar_one()
    # Where nobody is left at a level the next one is told: head office, once somebody works there.
    assert somebody_above == ([] if heads else ["В офисе «Пустой офис» лестница не достигает никого."])


async def test_a_version_published_meanwhile_is_not_overwritten(world: World, head: httpx.AsyncClient) -> None:
    await world.open_office()
    draft = await begin(head, "RET-08", world.office_id)
    await publish(world.notifier, "RET-08", None)
    answer = await head.post(f"/rule-drafts/{draft['id']}/publication")
    assert answer.status_code == 409
    body = await body_of(head, "RET-08", office_id=str(world.office_id))
    etag = {"If-Match": f'"{draft["version"]}"'}
    assert (await head.put(f"/rule-drafts/{draft['id']}", json=body, headers=etag)).status_code == 200
    assert (await head.post(f"/rule-drafts/{draft['id']}/publication")).status_code == 200


async def a_day(world: World) -> dict[str, Any]:
    """Two orders contacted after 15 and 35 minutes, one never; one client called after 12."""
    await world.with_people()
    start = now() - timedelta(hours=5)
    await world.register(at=start)
    await world.call("first_call", at=start + minutes(12), first_attempt=True)
    orders = {name: new_id() for name in ("quick", "slow", "never")}
    for order in orders.values():
        await world.place(order, at=start)
    await world.call("order_contact", order_id=orders["quick"], at=start + minutes(15))
    await world.call("order_contact", order_id=orders["slow"], at=start + minutes(35))
    return {"since": (start - minutes(1)).isoformat(), **orders}


async def test_a_dry_run_shows_which_obligations_would_have_ended_otherwise_and_whose(
    world: World, head: httpx.AsyncClient
) -> None:
    day = await a_day(world)
    draft = await begin(head, "ORD-04", world.office_id, duration={"amount": 20, "unit": "working_minutes"})
    before = await world.obligations()
    answer = await head.post(f"/rule-drafts/{draft['id']}/dry-run", json={"since": day["since"]})
    assert answer.status_code == 200, answer.text
    run = answer.json()
    assert run["breaches_after"] - run["breaches_before"] == 1  # The slow one; the third was late anyway.
    found = {found["subject_id"]: found["what"] for found in run["differences"]}
    assert found == {
        str(day["quick"]): "deadline_moved",
        str(day["slow"]): "breached_now",
        str(day["never"]): "deadline_moved",
    }
    (person,) = run["people"]
    assert person["name"] == "Ivanov manager"
    assert person["breaches_after"] - person["breaches_before"] == 1
    assert [row.due_at for row in await world.obligations()] == [row.due_at for row in before]


async def test_a_replay_with_the_rules_as_they_were_comes_to_what_the_clock_did(
    world: World, head: httpx.AsyncClient
) -> None:
    day = await a_day(world)
    await world.notifier.deliver(world.order_paid(day["never"]))
    await world.notifier.deliver(world.processed(day["never"]))
    draft = await begin(head, "RET-08", world.office_id)
    run = (await head.post(f"/rule-drafts/{draft['id']}/dry-run", json={"since": day["since"]})).json()
    obligations = await world.obligations()
    assert run["duties_before"] == len(obligations)
    late = [
        obligation
        for obligation in obligations
        if obligation.state != "cancelled" and (obligation.closed_at or now()) > obligation.due_at
    ]
    assert run["breaches_before"] == len(late)
    assert run["changed"] == 0


async def tried(head: httpx.AsyncClient, draft: dict[str, Any], since: datetime) -> dict[str, Any]:
    answer = await head.post(f"/rule-drafts/{draft['id']}/dry-run", json={"since": since.isoformat()})
    assert answer.status_code == 200, answer.text
    run: dict[str, Any] = answer.json()
    return run


async def test_a_dry_run_lets_the_clock_stand_while_the_client_does_not_answer(
    world: World, head: httpx.AsyncClient
) -> None:
    """25 minutes of 55 did not count by the draft; by its limit of 10 minutes only those."""
    await world.with_people()
    start = now() - timedelta(hours=5)
    await world.register(at=start)
    order = await world.place(at=start)
    await world.call("order_contact", outcome="no_answer", order_id=order, at=start + minutes(5))
    await world.call("order_offer", order_id=order, at=start + minutes(30))
    await world.call("order_contact", order_id=order, at=start + minutes(55))
    draft = await begin(head, "ORD-04", world.office_id, pauses_for=["client"])
    (change,) = (await tried(head, draft, start - minutes(1)))["differences"]
    assert (change["what"], change["subject_id"]) == ("kept_now", str(order))
    opened, due = (datetime.fromisoformat(value) for value in (change["opened_at"], change["after"]["due_at"]))
    assert due - opened == minutes(65)
    limit = [{"up_to": {"amount": 10, "unit": "working_minutes"}}]
    draft = await begin(head, "ORD-04", world.office_id, pauses_for=["client"], longest_pauses=limit)
    (change,) = (await tried(head, draft, start - minutes(1)))["differences"]
    assert change["what"] == "deadline_moved"
    assert datetime.fromisoformat(change["after"]["due_at"]) - opened == minutes(50)


async def test_a_dry_run_takes_over_what_people_have_done_with_obligations(
    world: World, head: httpx.AsyncClient
) -> None:
    await world.with_people()
    start = now() - timedelta(seconds=1)
    await world.register(at=start)
    moved, paused = (world.vin_request(new_id(), submitted_at=start) for _ in range(2))
    for request in (moved, paused):
        await world.notifier.deliver(request)
    agreed = await world.obligation(moved.request_id, "VIN-05")
    waiting = await world.obligation(paused.request_id, "VIN-05")
    body = {"due_at": (agreed.due_at + minutes(30)).isoformat(), "reason": "Клиент просит позже"}
    asked = {"holder": "client", "reason": "Уточняем сторону"}
    async with world.staff_http() as http:
        assert (await http.post(f"/obligations/{agreed.id}/deadline", json=body)).status_code == 200
        assert (await http.post(f"/obligations/{waiting.id}/waiting", json=asked)).status_code == 200
    minute = {"amount": 1, "unit": "working_minutes"}
    run = await tried(head, await begin(head, "VIN-05", world.office_id, duration=minute), start - minutes(1))
    assert run["deeds"] == 2
    found = {change["subject_id"]: change["what"] for change in run["differences"]}
    # The agreed deadline is the client's by either rule.
    assert found == {str(moved.request_id): "rule_changed", str(paused.request_id): "deadline_moved"}
    never = await begin(head, "VIN-05", world.office_id, duration={"amount": 1, "unit": "seconds"}, pauses_for=[])
    run = await tried(head, never, start - minutes(1))
    found = {change["subject_id"]: change["what"] for change in run["differences"]}
    assert found == {str(moved.request_id): "rule_changed", str(paused.request_id): "breached_now"}
    assert any("неизвестно" in sentence for sentence in run["cannot_know"])


async def test_a_dry_run_knows_the_days_of_the_calendar(world: World, head: httpx.AsyncClient) -> None:
    """HR-03 once a week instead of daily; what was ticked off stays ticked off."""
    await world.with_people()
    at = now()
    async with world.notifier.app.state.database.worker() as session:
        # Not in the offices of other tests.
        others = update(Office).where(Office.office_id != world.office_id, Office.active).values(active=False)
        closed = (await session.execute(others.returning(Office.office_id))).scalars().all()
        await calendar_obligations.open_due(session, at)
        await session.execute(update(Office).where(Office.office_id.in_(closed)).values(active=True))
    daily = [obligation for obligation in await world.obligations() if obligation.rule_code == "HR-03"]
    assert daily
    async with world.staff_http(Role.SENIOR_MANAGER, "senior") as http:
        assert (await http.post(f"/obligations/{daily[-1].id}/completion", json={})).status_code == 200
    monday = {"of": "office", "period": "week", "days": [1]}
    draft = await begin(head, "HR-03", world.office_id, every=monday)
    since = at - timedelta(days=14)
    run = await tried(head, draft, since)
    assert run["duties_before"] - run["duties_after"] == 12
    assert Counter(found["what"] for found in run["differences"]) == {"dropped": 12, "rule_changed": 2}
    done = [
        found["before"]["outcome"] for found in run["differences"] if found["subject_id"] == str(daily[-1].subject_id)
    ]
    assert done == ["done"]
    assert any("по календарю" in sentence for sentence in run["cannot_know"])


async def test_what_is_kept_for_dry_runs_holds_nothing_personal(world: World) -> None:
    await world.with_people()
    await world.register()
    await world.call("first_call", client_name="Петрова Мария Ивановна")
    async with world.notifier.session() as session:
        query = select(ReceivedEvent.body).where(ReceivedEvent.office_id == world.office_id)
        kept = str((await session.execute(query)).scalars().all())
    assert "Петрова" not in kept
    assert "+7922" not in kept
    assert "@" not in kept


async def test_drafts_are_for_head_office(world: World, notifier: ServiceHarness) -> None:
    async with notifier.http(Role.DIRECTOR, office_id=world.office_id) as http:
        assert (await http.get("/rule-drafts")).status_code == 403
