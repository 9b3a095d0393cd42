"""HTTP: my day, explanations, rules, notices, the cabinet; who may and who may not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from shared.base.clock import now
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.integration.notifier.rules import ladder, publish, seconds
from tests.support.harness import ServiceHarness
from tests.support.notifier import calendar, minutes


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("urn:reglament:problem:")


async def day(world: World) -> None:
    """Three obligations: overdue, soon, and with time left."""
    await world.with_people()
    await world.register(at=now() - minutes(16))  # 20 minutes, warned at 15.
    await world.place(at=now() - minutes(45))  # CALL-06 soon, ORD-04 overdue, ORD-07 open.


async def get(http: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_my_day_is_sorted_by_deadline_with_counts_and_the_servers_time(world: World) -> None:
    await day(world)
    async with world.staff_http() as http:
        page = await get(http, "/obligations")
        assert [item["clause"] for item in page["items"]] == ["ORD-04", "CALL-01", "CALL-06", "ORD-07"]
        assert page["counts"] == {"open": 4, "soon": 2, "overdue": 1, "mine": 4, "mine_soon": 2, "mine_overdue": 1}
        assert datetime.fromisoformat(page["server_time"]).tzinfo is not None
        first = page["items"][0]
        assert first["overdue"] and first["seconds_left"] < 0
        assert first["client_name"] == "Петрова Мария Ивановна"
        assert first["responsible_name"] == "Ivanov manager"
        assert first["subject_label"].startswith("заказ З-")
        assert first["state_label"] == "в работе"
        overdue = await get(http, "/obligations", state="overdue")
        assert [item["clause"] for item in overdue["items"]] == ["ORD-04"]
        soon = await get(http, "/obligations", state="soon")
        assert [item["clause"] for item in soon["items"]] == ["CALL-01", "CALL-06"]
        one = await get(http, "/obligations", clause="ORD-07", subject_kind="order", client_id=world.client_id)
        assert [item["rule_code"] for item in one["items"]] == ["ORD-07"]
        await world.call("first_call")
        done = await get(http, "/obligations", state="closed")
        assert [item["clause"] for item in done["items"]] == ["CALL-01"]
        every = await get(http, "/obligations", state="all")
        assert len(every["items"]) == 4


async def test_mine_are_those_i_am_responsible_for(world: World) -> None:
    await day(world)
    await world.hire("petrov", "manager")
    async with world.staff_http(who="petrov") as http:
        page = await get(http, "/obligations", scope="mine")
    assert page["items"] == []
    assert (page["counts"]["open"], page["counts"]["mine"]) == (4, 0)


async def test_the_list_goes_on_page_by_page(world: World) -> None:
    await day(world)
    seen, cursor = [], None
    async with world.staff_http() as http:
        while True:
            page = await get(http, "/obligations", limit=1, **({"cursor": cursor} if cursor else {}))
            seen += [item["clause"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        for state in ("closed", "all"):
            assert "items" in await get(http, "/obligations", state=state, limit=1)
    assert seen == ["ORD-04", "CALL-01", "CALL-06", "ORD-07"]


async def test_another_office_sees_nothing_and_head_office_everything(world: World) -> None:
    """ORG-04."""
    await day(world)
    obligation = await world.obligation(world.client_id, "CALL-01")
    stranger = world.notifier.http(Role.DIRECTOR, office_id=new_id())
    async with stranger as http:
        page = await get(http, "/obligations", state="all", office_id=world.office_id)
        assert page["items"] == [] and page["counts"]["open"] == 0
        for path in (f"/obligations/{obligation.id}", f"/obligations/{obligation.id}/explanation"):
            answer = await http.get(path)
            assert (answer.status_code, code_of(answer)) == (404, "not-found")
    async with world.notifier.http(Role.HEAD_OFFICE) as http:
        page = await get(http, "/obligations", office_id=world.office_id)
        assert len(page["items"]) == 4
        assert page["items"][0]["office_name"] == "ПроДеталь-Мира 45"


async def test_clients_and_strangers_have_no_business_with_the_clocks(world: World) -> None:
    await day(world)
    async with world.client_http() as http:
        for path in ("/obligations", "/rules", "/notices", "/templates", "/delivery-policy"):
            assert (await http.get(path)).status_code == 403
    async with world.notifier.http() as http:
        for path in ("/obligations", "/rules", "/notices", "/cabinet/messages"):
            assert (await http.get(path)).status_code == 401


async def test_an_obligation_shows_its_history_its_ladder_and_why_it_is_due_then(world: World) -> None:
    hours = ((("09:00", "13:00"), ("14:00", "18:00")),) * 5 + ((), ())
    await world.open_office(calendar=calendar(weekly=hours, version=7))
    await world.hire("ivanov", "manager")
    monday = datetime(2026, 11, 16, 5, 42, tzinfo=UTC)  # 10:42 in Yekaterinburg.
    await world.register(at=monday)
    request = world.vin_request(new_id(), occurred_at=monday, submitted_at=monday)
    await world.notifier.deliver(request)
    obligation = await world.obligation(request.request_id, "VIN-05")
    async with world.staff_http() as http:
        answer = await http.get(f"/obligations/{obligation.id}")
        shown = answer.json()
        explanation = await get(http, f"/obligations/{obligation.id}/explanation")
    assert answer.headers["etag"] == f'"{shown["version"]}"'
    assert shown["history"][0]["event_label"] == "срок начат"
    assert [step["role_label"] for step in shown["steps"]][-1] == "головной офис"
    assert explanation["calendar_version"] == 7
    sentences = explanation["sentences"]
    assert sentences[:2] == [
        "VIN-05, правило VIN-05, версия 1: ответить на VIN-запрос.",
        "Отсчёт начат 16.11.2026 10:42.",
    ]
    assert "Срок — 120 рабочих минут по календарю офиса (версия 7, Asia/Yekaterinburg)." in sentences
    assert "пн 10:42–12:42 (2 ч)." in sentences
    assert "Всего засчитано 2 ч рабочего времени." in sentences
    assert "Крайний срок 16.11.2026 12:42." in sentences
    assert sentences[-1].startswith("Просрочено на ")
    assert shown["explanation"][:-1] == sentences[:-1]


async def test_a_kept_deadline_and_a_missed_one_explain_themselves(world: World) -> None:
    await world.with_people()
    await world.register(at=now() - minutes(30))
    await world.call("first_call", at=now() - minutes(5))
    obligation = await world.obligation(world.client_id, "CALL-01")
    order = await world.place()
    await world.call("order_contact", order_id=order)
    kept = await world.obligation(order, "ORD-04")
    async with world.staff_http() as http:
        late = (await get(http, f"/obligations/{obligation.id}/explanation"))["sentences"][-1]
        in_time = (await get(http, f"/obligations/{kept.id}/explanation"))["sentences"][-1]
    assert late.endswith("с опозданием на 5 мин рабочего времени.")
    assert in_time.endswith(", в срок.")


# ── Rules ──


async def test_rules_are_listed_with_russian_figures(notifier: ServiceHarness) -> None:
    async with notifier.http(Role.MANAGER, office_id=new_id()) as http:
        found = await get(http, "/rules")
        labels = {item["code"]: item["duration_label"] for item in found["items"] if item["office_id"] is None}
        versions = await get(http, "/rules/CALL-01")
        unknown = await http.get("/rules/CALL-99")
    assert labels["CALL-01"] == "20 рабочих минут"
    assert labels["RET-08"] == "48 часов"
    assert versions["items"][-1]["rule"]["opens"] == ["clients.client.registered.v1"]
    assert unknown.status_code == 404


async def test_a_running_obligation_keeps_its_rule_and_a_new_one_gets_the_new(world: World) -> None:
    await world.with_people()
    await world.register()
    old = await world.place()
    seven = {"amount": 7, "unit": "working_minutes"}
    published = await publish(world.notifier, "ORD-04", world.office_id, duration=seven)
    new = await world.place()
    before, after = await world.obligation(old, "ORD-04"), await world.obligation(new, "ORD-04")
    assert before.due_at - before.opened_at == minutes(40)
    assert after.due_at - after.opened_at == minutes(7)
    assert after.rule_version == published["version"] > before.rule_version


async def test_an_offices_own_rule_leaves_the_others_alone(world: World, notifier: ServiceHarness) -> None:
    await world.with_people()
    await world.register()
    await publish(notifier, "ORD-04", world.office_id, duration=seconds(600))
    other = World(notifier, world.mailbox)
    await other.with_people()
    await other.register()
    mine, of_other = await world.place(), await other.place()
    own, general = await world.obligation(mine, "ORD-04"), await other.obligation(of_other, "ORD-04")
    assert own.due_at - own.opened_at == minutes(10)
    assert general.due_at - general.opened_at == minutes(40)


async def test_a_withdrawn_office_rule_gives_way_to_the_general_one(world: World, notifier: ServiceHarness) -> None:
    await world.with_people()
    await world.register()
    await publish(notifier, "ORD-04", world.office_id, duration=seconds(600))
    await publish(notifier, "ORD-04", world.office_id, duration=seconds(600), active=False)
    obligation = await world.obligation(await world.place(), "ORD-04")
    assert obligation.due_at - obligation.opened_at == minutes(40)


async def test_a_rule_for_later_is_not_in_force_yet(world: World, notifier: ServiceHarness) -> None:
    await world.with_people()
    await world.register()
    later = (now() + timedelta(days=1)).isoformat()
    await publish(notifier, "ORD-04", world.office_id, duration=seconds(600), effective_from=later)
    obligation = await world.obligation(await world.place(), "ORD-04")
    assert obligation.due_at - obligation.opened_at == minutes(40)


@pytest.mark.parametrize(
    ("changes", "status", "problem"),
    [
        ({"opens": ["orders.order.lost.v1"]}, 422, "rule-refused"),
        ({"ladder": ladder(0, 5, 5)}, 422, "rule-refused"),
        ({"ladder": [{"role": "janitor", "after": seconds(0)}]}, 422, "invalid"),
        ({"duration": {"amount": 10**12, "unit": "seconds"}}, 422, "invalid"),
        ({"duration": {"amount": 5, "unit": "fortnights"}}, 422, "invalid"),
        ({"title": "a\x00b"}, 422, "invalid"),
        ({"effective_from": "2020-01-01T00:00:00Z"}, 422, "invalid"),
        ({"effective_from": "9999-12-31T23:59:59-12:00"}, 422, "invalid"),
        ({"effective_from": "0001-01-01T00:00:00+12:00"}, 422, "invalid"),
        ({"office_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, 404, "not-found"),
        ({"surprise": 1}, 422, "invalid"),
    ],
)
async def test_a_wrong_rule_is_refused(
    notifier: ServiceHarness, changes: dict[str, Any], status: int, problem: str
) -> None:
    async with notifier.http(Role.HEAD_OFFICE) as http:
        known = await http.get("/rules/ORD-04")
        body = {**known.json()["items"][-1]["rule"], **changes}
        answer = await http.put("/rules/ORD-04", json=body, headers={"If-Match": known.headers["etag"]})
        assert (answer.status_code, code_of(answer)) == (status, problem)
        again = await http.get("/rules/ORD-04")
        assert again.headers["etag"] == known.headers["etag"]


async def test_a_second_rule_of_equal_rank_is_refused_with_the_case(notifier: ServiceHarness) -> None:
    async with notifier.http(Role.HEAD_OFFICE) as http:
        body = (await http.get("/rules/ORD-04")).json()["items"][-1]["rule"]
        answer = await http.put("/rules/ORD-04-TWIN", json=body, headers={"If-Match": '"0"'})
        assert (answer.status_code, code_of(answer)) == (422, "rule-refused")
        assert "одного ранга подходят к одному случаю (paid = False)" in answer.json()["detail"]
        draft = {**body, "code": "ORD-04-TWIN"}
        assert (await http.post("/rules/check", json=draft)).json()["ok"] is False
        narrower = {"all": [body["when"], {"fact": "wholesale", "is": True}]}
        draft |= {"when": narrower, "code": "ORD-04-WHOLESALE"}
        assert (await http.post("/rules/check", json=draft)).json() == {"ok": True, "problems": []}


async def test_publishing_needs_the_version_one_has_seen_and_head_office(notifier: ServiceHarness) -> None:
    async with notifier.http(Role.HEAD_OFFICE) as http:
        body = (await http.get("/rules/CALL-06")).json()["items"][-1]["rule"]
        assert (await http.put("/rules/CALL-06", json=body)).status_code == 428
        stale = await http.put("/rules/CALL-06", json=body, headers={"If-Match": '"99"'})
        assert stale.status_code == 412
    async with notifier.http(Role.DIRECTOR, office_id=new_id()) as http:
        assert (await http.put("/rules/CALL-06", json=body, headers={"If-Match": '"1"'})).status_code == 403


# ── Cabinet, notices, templates ──


async def with_message(world: World) -> None:
    await world.with_people()
    await world.register()
    await world.notifier.deliver(world.checked(new_id()))


async def test_a_client_reads_and_marks_only_own_messages(world: World, notifier: ServiceHarness) -> None:
    await with_message(world)
    async with world.client_http() as http:
        page = await get(http, "/cabinet/messages")
        (message,) = page["items"]
        assert page["unread"] == 1 and message["read_at"] is None
        assert "<h1" in message["html"] and "<html" not in message["html"]
        read = await http.post(f"/cabinet/messages/{message['id']}/read")
        assert read.status_code == 200 and read.json()["read_at"] is not None
        assert (await get(http, "/cabinet/messages"))["unread"] == 0
        assert (await get(http, "/cabinet/messages", unread_only=True))["items"] == []
        again = await http.post(f"/cabinet/messages/{message['id']}/read")
        assert again.json()["read_at"] == read.json()["read_at"]
    async with notifier.http(Role.CLIENT, office_id=world.office_id) as http:
        assert (await get(http, "/cabinet/messages", client_id=world.client_id))["items"] == []
        assert (await http.get(f"/cabinet/messages/{message['id']}")).status_code == 404
        assert (await http.post(f"/cabinet/messages/{message['id']}/read")).status_code == 404
    async with world.staff_http() as http:
        assert len((await get(http, "/cabinet/messages", client_id=world.client_id))["items"]) == 1
    async with notifier.http(Role.MANAGER, office_id=new_id()) as http:
        assert (await get(http, "/cabinet/messages", client_id=world.client_id))["items"] == []


async def test_staff_see_what_a_client_was_sent_and_other_offices_do_not(
    world: World, notifier: ServiceHarness
) -> None:
    await with_message(world)
    await world.mailbox.wait_for(to=world.mail_of("client"))
    async with world.staff_http() as http:
        (notice,) = (await get(http, "/notices", client_id=world.client_id))["items"]
        assert (notice["channel_label"], notice["template"]) == ("письмо", "check_result")
        details = await get(http, f"/notices/{notice['id']}")
        assert "НЕ ПОДХОДИТ" in details["text"] and details["html"].startswith("<!DOCTYPE")
        assert (await get(http, "/notices", client_id=world.client_id, channel="sms"))["items"] == []
        assert (await http.post(f"/notices/{notice['id']}/resend")).status_code == 403
    async with notifier.http(Role.SENIOR_MANAGER, office_id=new_id()) as http:
        assert (await get(http, "/notices", client_id=world.client_id))["items"] == []
        assert (await http.get(f"/notices/{notice['id']}")).status_code == 404
        assert (await http.post(f"/notices/{notice['id']}/resend")).status_code == 404
        assert (await http.get(f"/notices/{notice['id']}/attachments/a.xlsx")).status_code == 404


async def test_templates_can_be_previewed(notifier: ServiceHarness) -> None:
    async with notifier.http(Role.MANAGER, office_id=new_id()) as http:
        listed = await get(http, "/templates")
        for template in listed:
            preview = await get(http, f"/templates/{template['name']}/preview")
            assert preview["text"]
        assert (await http.get("/templates/nothing/preview")).status_code == 404
        assert (await http.get("/templates/_mail/preview")).status_code == 404
    by_sms = {template["name"] for template in listed if template["channel"] == "sms"}
    assert by_sms == {"order_ready_sms", "escalation_sms", "digest_sms"}


async def test_the_policy_of_sms_is_versioned(notifier: ServiceHarness) -> None:
    async with notifier.http(Role.HEAD_OFFICE) as http:
        before = await http.get("/delivery-policy")
        body = {"quiet_hours": False, "quiet_from": "22:00"}
        changed = await http.put("/delivery-policy", json=body, headers={"If-Match": before.headers["etag"]})
        assert changed.status_code == 200, changed.text
        assert changed.json()["version"] == before.json()["version"] + 1
        assert (await get(http, "/delivery-policy"))["quiet_from"] == "22:00"
        bad = {"quiet_hours": True, "quiet_from": "25:00"}
        answer = await http.put("/delivery-policy", json=bad, headers={"If-Match": changed.headers["etag"]})
        assert answer.status_code == 422


HOSTILE = ["\x00", "a\x00", "9" * 400, "-1", "null", "../..", "'", "0001-01-01T00:00:00+14:00", "\ud800", "𝟘", "%00"]


@pytest.mark.parametrize("value", HOSTILE)
async def test_bad_input_is_never_our_fault(notifier: ServiceHarness, value: str) -> None:
    encoded = quote(value.encode("utf-8", "surrogatepass"), safe="")
    names = ("scope", "state", "subject_kind", "subject_id", "client_id", "rule_code", "clause", "cursor", "limit")
    queries = [f"/obligations?{name}={encoded}" for name in names]
    queries += [f"/notices?{name}={encoded}" for name in ("client_id", "state", "channel", "cursor", "office_id")]
    queries += [f"/cabinet/messages?{name}={encoded}" for name in ("client_id", "unread_only", "cursor")]
    paths = ["/obligations/{}", "/rules/{}", "/notices/{}", "/cabinet/messages/{}", "/templates/{}/preview"]
    paths += [f"/notices/{new_id()}/attachments/{{}}"]
    async with notifier.http(Role.HEAD_OFFICE) as http:
        for path in queries + [path.format(encoded) for path in paths]:
            answer = await http.get(path)
            assert answer.status_code < 500, (path, answer.text)
        for body in (value, [value], {"title": value}, {"when": value}, None):
            content = json.dumps(body).encode()  # ASCII, with a lone surrogate as an escape.
            headers = {"If-Match": '"1"', "content-type": "application/json"}
            answer = await http.put("/rules/ORD-04", content=content, headers=headers)
            assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("depth", [7, 100, 900, 5_000, 100_000])
async def test_a_condition_that_is_too_deep_is_refused(notifier: ServiceHarness, depth: int) -> None:
    async with notifier.http(Role.HEAD_OFFICE) as http:
        body = (await http.get("/rules/ORD-04")).json()["items"][-1]["rule"]
        rest = json.dumps({name: value for name, value in body.items() if name != "when"})
        tree = '{"not":' * depth + '{"fact":"paid","is":true}' + "}" * depth
        content = f'{rest[:-1]}, "when": {tree}}}'
        headers = {"If-Match": '"1"', "content-type": "application/json"}
        answer = await http.put("/rules/ORD-04", content=content, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text


async def test_no_depth_of_a_body_is_an_error_of_ours(notifier: ServiceHarness) -> None:
    """Just below the depth that the parser refuses, too."""
    async with notifier.http(Role.HEAD_OFFICE) as http:
        for depth in range(850, 1_000, 3):
            content = '{"when":' * depth + "1" + "}" * depth
            headers = {"If-Match": '"1"', "content-type": "application/json"}
            answer = await http.put("/rules/ORD-04", content=content, headers=headers)
            assert 400 <= answer.status_code < 500, (depth, answer.text)
