"""The applicability check (ORD-06), removal by hand (ORD-08) and by the clock (ORD-07)."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from services.orders.models import Position
from shared.base.clock import now
from shared.contracts.notifier import ObligationLimitReached
from shared.contracts.orders import ApplicabilityChecked, OrderProcessed, PositionRemoved
from shared.persistence.database import new_id
from tests.integration.orders.conftest import Json, Office, an_item, code


async def mark(office: Office, position: Json, applicable: bool, comment: str | None = None) -> Json:
    answer = await office.manager.put(
        f"/positions/{position['id']}/check",
        json={"applicable": applicable, "comment": comment},
        headers={"If-Match": f'"{position["version"]}"'},
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.clause("ORD-06")
async def test_the_check_is_written_to_the_client_position_by_position(office: Office) -> None:
    order = await office.place(an_item(article="A1"), an_item(article="A2"), check_requested=True)
    first, second = order["positions"]
    path = f"/orders/{order['id']}/check/completion"
    await mark(office, first, True)
    assert code(await office.manager.post(path, json={})) == "check-incomplete"
    await mark(office, second, False, "К Вашему автомобилю не подходит")
    done = await office.manager.post(path, json={})
    assert done.status_code == 200, done.text
    assert [position["applicable"] for position in done.json()["positions"]] == [True, False]
    (event,) = await office.orders.published(ApplicabilityChecked, client_id=office.client_id)
    assert [(result.article, result.applicable) for result in event.results] == [("A1", True), ("A2", False)]
    assert event.results[1].comment == "К Вашему автомобилю не подходит"
    assert event.checked_by == office.manager_id
    assert (await office.manager.post(path, json={})).status_code == 409
    assert len(await office.orders.published(ApplicabilityChecked, client_id=office.client_id)) == 1


async def test_a_check_ends_though_a_senior_has_ordered_a_position_before(office: Office) -> None:
    """A position that has left moderation needs no result and gets no message (ORD-06)."""
    supplier = await office.supplier()
    items = [an_item(article="A1", supplier_id=supplier), an_item(article="A2", supplier_id=supplier)]
    order = await office.pay(await office.place(*items, check_requested=True))
    first, second = order["positions"]
    async with office.orders.session() as session:
        await session.execute(update(Position).where(Position.id == UUID(first["id"])).values(state="ordered"))
    path = f"/orders/{order['id']}/check/completion"
    assert code(await office.manager.post(path, json={})) == "check-incomplete"
    await mark(office, second, True)
    assert (await office.manager.post(path, json={})).status_code == 200
    (event,) = await office.orders.published(ApplicabilityChecked, client_id=office.client_id)
    assert [result.article for result in event.results] == ["A2"]


async def test_a_check_needs_the_version_that_was_seen(office: Office) -> None:
    order = await office.place()
    path = f"/positions/{order['positions'][0]['id']}/check"
    assert (await office.manager.put(path, json={"applicable": True})).status_code == 428
    stale = await office.manager.put(path, json={"applicable": True}, headers={"If-Match": '"7"'})
    assert stale.status_code == 412


@pytest.mark.clause("ORD-06")
async def test_a_requested_check_comes_before_the_supplier(office: Office) -> None:
    supplier = await office.supplier()
    items = [an_item(supplier_id=supplier), an_item(supplier_id=supplier), an_item(supplier_id=supplier)]
    order = await office.pay(await office.place(*items, check_requested=True))
    first, second, third = order["positions"]
    good, bad = await mark(office, first, True), await mark(office, second, False)
    results = await office.act("order", [good, bad, third])
    assert [result["ok"] for result in results] == [True, False, False]
    codes = [result["problem"]["type"].rpartition(":")[2] for result in results[1:]]
    assert codes == ["not-applicable", "check-pending"]


@pytest.mark.clause("K4", "ORD-08")
async def test_removal_needs_a_reason_and_a_text_for_the_client(office: Office) -> None:
    order = await office.place(an_item(), an_item())
    first, second = order["positions"]
    items = [{"position_id": first["id"], "version": first["version"]}]
    without = await office.manager.post("/positions/actions", json={"action": "remove", "items": items})
    assert without.status_code == 422
    rude = {"action": "remove", "items": items, "reason_code": "discussed", "comment": "Вопрос решен по телефону"}
    assert code(await office.manager.post("/positions/actions", json=rude)) == "comment-not-for-client"

    (removed,) = await office.moved("remove", [first], reason_code="not_paid", comment="не поступила предоплата")
    assert removed["state_label"] == "Снят"
    assert removed["client_comment"] == "не поступила предоплата"
    (other,) = await office.moved("remove", [second], reason_code="not_applicable")
    assert other["client_comment"].startswith("Деталь не применима к Вашему автомобилю")
    events = await office.orders.published(PositionRemoved, client_id=office.client_id)
    assert [(event.reason_code, event.automatic) for event in events] == [
        ("not_paid", False),
        ("not_applicable", False),
    ]
    assert (await office.order(order["id"]))["state_label"] == "Снят"
    assert len(await office.orders.published(OrderProcessed, client_id=office.client_id)) == 1
    (again,) = await office.act("remove", [removed], reason_code="not_paid")
    assert again["problem"]["type"] == "urn:reglament:problem:illegal-transition"


@pytest.mark.clause("ORD-08")
async def test_the_client_reads_the_comment_but_not_the_code(office: Office) -> None:
    order = await office.place()
    await office.moved("remove", order["positions"], reason_code="client_request")
    (seen,) = (await office.client.get("/positions")).json()["items"]
    assert seen["client_comment"] == "Позиция снята по Вашей просьбе."
    assert seen["internal"] is None


def limit_reached(office: Office, order: Json, **changes: object) -> ObligationLimitReached:
    facts: Json = {
        "office_id": office.id,
        "version": 1,
        "occurred_at": now(),
        "obligation_id": new_id(),
        "rule_code": "ORD-07",
        "clause": "ORD-07",
        "rule_version": 1,
        "generation": 1,
        "subject_kind": "order",
        "subject_id": UUID(order["id"]),
        "opened_at": now() - timedelta(days=3),
        "due_at": now(),
        "action": "remove_order",
        "reached_at": now(),
    }
    return ObligationLimitReached(**facts | changes)


@pytest.mark.clause("ORD-07")
async def test_what_stays_unattended_is_removed_once(office: Office) -> None:
    order = await office.place(an_item(), an_item())
    await office.orders.deliver(limit_reached(office, order))
    await office.orders.deliver(limit_reached(office, order))
    shown = await office.order(order["id"])
    assert {position["state"] for position in shown["positions"]} == {"removed"}
    events = await office.orders.published(PositionRemoved, client_id=office.client_id)
    assert [(event.automatic, event.comment) for event in events] == [
        (True, "Заявка не актуальна, свяжитесь с менеджером")
    ] * 2
    assert len(await office.orders.published(OrderProcessed, client_id=office.client_id)) == 1


@pytest.mark.clause("K15", "ORD-07")
async def test_what_was_paid_or_ordered_meanwhile_stays(office: Office) -> None:
    supplier = await office.supplier()
    order = await office.place(*[an_item(supplier_id=supplier) for _ in range(3)])
    first, second, _ = order["positions"]
    paid = await office.pay(order, first["id"], second["id"])
    await office.moved("order", paid["positions"][:1])
    await office.orders.deliver(limit_reached(office, order))
    shown = await office.order(order["id"])
    assert [position["state"] for position in shown["positions"]] == ["ordered", "moderation", "removed"]


async def test_other_actions_of_the_clock_are_none_of_our_business(office: Office) -> None:
    order = await office.place()
    await office.orders.deliver(limit_reached(office, order, action="disable_client", subject_kind="client"))
    assert (await office.order(order["id"]))["state"] == "moderation"


async def test_two_actions_that_take_the_last_positions_say_processed_once(office: Office) -> None:
    supplier = await office.supplier()
    order = await office.pay(await office.place(*[an_item(supplier_id=supplier) for _ in range(6)]))
    await asyncio.gather(*(office.moved("order", [position]) for position in order["positions"]))
    assert len(await office.orders.published(OrderProcessed, client_id=office.client_id)) == 1


async def test_a_position_is_taken_by_one_of_two_simultaneous_actions(office: Office) -> None:
    order = await office.pay(await office.place())
    ordered, removed = await asyncio.gather(
        office.act("order", order["positions"]),
        office.act("remove", order["positions"], reason_code="client_request"),
    )
    assert sorted([ordered[0]["ok"], removed[0]["ok"]]) == [False, True]
