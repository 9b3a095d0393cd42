"""Inquiries: INQ-01, INQ-02, INQ-03, INQ-04, INQ-05, INQ-06."""

from datetime import datetime, timedelta

import pytest

from shared.base.clock import now
from shared.contracts.orders import InquiryRecorded, InquiryStatusChanged
from shared.identity.roles import Role
from tests.integration.orders.conftest import Json, Office


def visit(**changes: object) -> Json:
    return {
        "customer_type": "individual",
        "channel": "visit",
        "name": "Сергей",
        "city": "Москва",
        "items": [{"text": "Тормозные колодки", "quantity": 1, "price": "1800.00"}],
        "status": "lost",
        "lost_reason": "high_price",
        **changes,
    }


async def record(office: Office, **changes: object) -> Json:
    answer = await office.manager.post("/inquiries", json=visit(**changes))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.mark.clause("CALL-13", "INQ-01", "INQ-05")
async def test_a_visitor_who_leaves_is_recorded_with_a_suggested_mark_and_a_lost_reason(office: Office) -> None:
    inquiry = await record(office, internet_advantages_told=True)
    assert (inquiry["suggested_mark"], inquiry["criteria"]) == ("bad", ["товар дешевле 2000 ₽ при разовой покупке"])
    assert inquiry["mark"] is None
    assert inquiry["internet_advantages_told"] is True
    assert inquiry["status_label"] == "Потеряно"
    (event,) = await office.orders.published(InquiryRecorded, office_id=office.id)
    assert (event.channel, event.status, event.lost_reason) == ("visit", "lost", "high_price")
    assert event.staff_id == office.manager_id
    assert (event.lost_reason_label, event.items) == ("Высокая цена", ["Тормозные колодки"])
    assert "Сергей" not in event.model_dump_json()


@pytest.mark.clause("INQ-02")
@pytest.mark.parametrize("name", [None, "1", ""])
async def test_an_unknown_name_is_anonymous(office: Office, name: str | None) -> None:
    inquiry = await record(office, name=name)
    assert inquiry["name"] is None
    assert inquiry["name_label"] == "Без имени"


@pytest.mark.clause("INQ-02", "K9")
@pytest.mark.parametrize("promise", ["delivery", "call_back_promised"])
async def test_the_phone_is_required_by_what_was_promised(office: Office, promise: str) -> None:
    refused = await office.manager.post("/inquiries", json=visit(**{promise: True}))
    assert refused.status_code == 422
    await record(office, phone="+79031234567", **{promise: True})


@pytest.mark.clause("INQ-02", "K9")
@pytest.mark.parametrize("kind", ["call_back", "call_on_arrival"])
async def test_a_call_is_promised_to_a_number_which_may_come_later(office: Office, kind: str) -> None:
    call = {"kind": kind, "text": "Позвонить"}
    assert (await office.manager.post("/inquiries", json=visit(tasks=[call]))).status_code == 422
    inquiry = await record(office, status="open", lost_reason=None, name="1")
    path = f"/inquiries/{inquiry['id']}"
    for refused in (
        await office.manager.post(f"{path}/tasks", json=call),
        await office.manager.post(f"{path}/status", json={"status": "won", "tasks": [call]}),
    ):
        assert (refused.status_code, refused.json()["detail"]) == (409, "Телефона нет: сначала запишите, куда звонить.")
    seen = {"If-Match": f'"{inquiry["version"]}"'}
    changed = await office.manager.patch(path, json={"phone": "+79031234567", "name": "Сергей"}, headers=seen)
    assert changed.status_code == 200, changed.text
    now_known = changed.json()
    assert (now_known["phone"], now_known["name_label"], now_known["city"]) == ("+79031234567", "Сергей", "Москва")
    assert now_known["status"] == "open"
    assert (await office.manager.patch(path, json={"city": "Тула"}, headers=seen)).status_code == 412
    assert (await office.manager.post(f"{path}/tasks", json=call)).status_code == 201


async def test_a_number_is_replaced_and_never_taken_away(office: Office) -> None:
    inquiry = await record(office, phone="+79031234567", call_back_promised=True)
    seen = {"If-Match": f'"{inquiry["version"]}"'}
    assert (await office.manager.patch(f"/inquiries/{inquiry['id']}", json={}, headers={})).status_code == 428
    kept = await office.manager.patch(f"/inquiries/{inquiry['id']}", json={"phone": None, "name": ""}, headers=seen)
    assert (kept.json()["phone"], kept.json()["name_label"]) == ("+79031234567", "Без имени")
    seen = {"If-Match": kept.headers["etag"]}
    better = {"phone": "+79039999999", "city": "Тула"}
    replaced = await office.manager.patch(f"/inquiries/{inquiry['id']}", json=better, headers=seen)
    assert {name: replaced.json()[name] for name in better} == better
    seen = {"If-Match": replaced.headers["etag"]}
    same = await office.manager.patch(f"/inquiries/{inquiry['id']}", json=better, headers=seen)
    assert same.headers["etag"] == replaced.headers["etag"]


@pytest.mark.clause("INQ-02")
@pytest.mark.parametrize("missing", ["customer_type", "channel", "city", "items", "status"])
async def test_required_fields_are_required(office: Office, missing: str) -> None:
    body = visit()
    del body[missing]
    assert (await office.manager.post("/inquiries", json=body)).status_code == 422


@pytest.mark.clause("INQ-03")
async def test_a_lost_inquiry_has_a_known_reason(office: Office) -> None:
    for changes in ({"lost_reason": None}, {"lost_reason": "because"}, {"status": "open"}):
        refused = await office.manager.post("/inquiries", json=visit(**changes))
        assert refused.status_code == 422, changes
    reasons = (await office.manager.get("/inquiries/lost-reasons")).json()
    assert {"code": "high_price", "label": "Высокая цена"} in reasons


@pytest.mark.clause("INQ-03", "INQ-04")
async def test_a_status_is_set_after_every_conversation(office: Office) -> None:
    inquiry = await record(office, status="open", lost_reason=None)
    order = await office.place()
    answer = await office.manager.post(
        f"/inquiries/{inquiry['id']}/status",
        json={"status": "won", "order_id": order["id"], "paid_online": True},
    )
    assert answer.status_code == 200, answer.text
    won = answer.json()
    assert (won["status"], won["order_id"]) == ("won", order["id"])
    assert won["suggested_mark"] == "vip"
    assert won["criteria"] == ["после первого касания оформлен заказ с онлайн-оплатой"]
    (event,) = await office.orders.published(InquiryStatusChanged, office_id=office.id)
    assert (event.status, str(event.order_id)) == ("won", order["id"])
    assert event.version == won["version"]


@pytest.mark.clause("INQ-05")
async def test_the_manager_decides_the_mark(office: Office) -> None:
    inquiry = await record(office)
    path = f"/inquiries/{inquiry['id']}/mark"
    assert (await office.manager.put(path, json={"mark": "vip"})).status_code == 428
    answer = await office.manager.put(path, json={"mark": "vip"}, headers={"If-Match": f'"{inquiry["version"]}"'})
    assert (answer.json()["mark"], answer.json()["suggested_mark"]) == ("vip", "bad")
    (event,) = await office.orders.published(InquiryStatusChanged, office_id=office.id)
    assert (event.mark, event.conversation, event.staff_id) == ("vip", False, office.manager_id)


async def test_a_mark_leaves_the_inquiry_with_whoever_had_the_conversation(office: Office) -> None:
    inquiry = await record(office)
    async with office.orders.http(Role.SENIOR_MANAGER, office_id=office.id) as senior:
        version = {"If-Match": f'"{inquiry["version"]}"'}
        marked = await senior.put(f"/inquiries/{inquiry['id']}/mark", json={"mark": "vip"}, headers=version)
    assert marked.status_code == 200, marked.text
    (event,) = await office.orders.published(InquiryStatusChanged, office_id=office.id)
    assert event.staff_id == office.manager_id


@pytest.mark.clause("INQ-06")
async def test_tasks_bring_the_purchase_about(office: Office) -> None:
    before = now()
    inquiry = await record(
        office,
        status="open",
        lost_reason=None,
        phone="+79031234567",
        tasks=[
            {"kind": "supplier_request", "text": "Заказать у поставщика"},
            {"kind": "payment_check", "text": "Проверить оплату счёта"},
        ],
    )
    request, payment = inquiry["tasks"]
    assert (request["kind_label"], payment["kind_label"]) == ("Заявка поставщику", "Проверить оплату")
    assert before + timedelta(days=2) <= datetime.fromisoformat(payment["due_at"]) <= now() + timedelta(days=2)
    added = await office.manager.post(
        f"/inquiries/{inquiry['id']}/tasks", json={"kind": "call_on_arrival", "text": "Позвонить о поступлении"}
    )
    assert added.status_code == 201, added.text
    assert len((await office.manager.get("/tasks")).json()["items"]) == 3
    done = await office.manager.post(f"/tasks/{request['id']}/completion", json={"result": "Заказано"})
    assert done.json()["done_at"] is not None
    again = await office.manager.post(f"/tasks/{request['id']}/completion", json={})
    assert again.status_code == 409
    listed = (await office.manager.get("/tasks")).json()["items"]
    assert [task["kind"] for task in listed] == ["call_on_arrival", "payment_check"]


async def test_inquiries_are_found_by_what_one_looks_for(office: Office, new_office) -> None:  # type: ignore[no-untyped-def]
    other = await new_office()
    await record(other)
    lost = await record(office)
    opened = await record(office, status="open", lost_reason=None, channel="phone")
    for params, expected in (
        ({}, [opened["id"], lost["id"]]),
        ({"status": "lost"}, [lost["id"]]),
        ({"channel": "phone"}, [opened["id"]]),
        ({"staff_id": str(office.manager_id)}, [opened["id"], lost["id"]]),
        ({"recorded_to": "2001-01-01T00:00:00Z"}, []),
    ):
        found = await office.manager.get("/inquiries", params=params)
        assert [item["id"] for item in found.json()["items"]] == expected, params
    foreign = await other.manager.get(f"/inquiries/{lost['id']}")
    assert foreign.status_code == 404
    assert (await office.client.get("/inquiries")).status_code == 403
    head = office.orders.http(Role.HEAD_OFFICE)
    everywhere = await head.get("/inquiries", params={"office_id": str(other.id)})
    assert len(everywhere.json()["items"]) == 1
