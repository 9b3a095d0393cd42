"""Head office's own texts: draft, preview, publication; nothing in them can run; old notices keep their text."""

import copy
from typing import Any

import pytest

from services.notifier.rendering import TEMPLATES, TemplateRefused, render, render_source
from services.notifier.samples import SAMPLES
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.notifier.conftest import World
from tests.notifier.test_delivery import ready, sms_of

SAMPLE = SAMPLES["refund"]


def source(name: str) -> tuple[str, str, str]:
    title, _, text = (TEMPLATES / f"{name}.txt").read_text().partition("\n")
    page = (TEMPLATES / f"{name}.html").read_text().partition("{% block body %}")[2].rpartition("{% endblock %}")[0]
    return title, text, page


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_text_of_the_system_can_be_the_start_of_an_own_one(name: str) -> None:
    ours, theirs = render(name, SAMPLES[name]), render_source(*source(name), SAMPLES[name])
    assert (theirs.title, theirs.text, theirs.fragment) == (ours.title, ours.text, ours.fragment)


@pytest.mark.parametrize(
    "trap",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ office.name.upper() }}",
        "{{ 'x' * 100000000 }}",
        "{{ 9 ** 9999999 }}",
        "{{ range(10) }}",
        "{{ cycler }}",
        "{{ 'x' | center(100000000) }}",
        "{% include '_mail.html' %}",
        "{% import '_parts.html' as p %}",
        "{% extends 'refund.html' %}",
        "{% block accent %}red{% endblock %}",
        "{% endblock %}{% block body %}",
        "{% for a in refunds %}{% for b in refunds %}{% for c in refunds %}x{% endfor %}{% endfor %}{% endfor %}",
        "{{ unknown }}",
        "{{ 1 / 0 }}",
        "{% for %}",
        "x" * 20_001,
    ],
)
def test_a_text_can_neither_reach_nor_break_anything(trap: str) -> None:
    for title, text, html in ((trap, "a", "<p>b</p>"), ("a", trap, "<p>b</p>"), ("a", "b", trap)):
        with pytest.raises(TemplateRefused):
            render_source(title, text, html, SAMPLE)


@pytest.mark.parametrize(
    "page",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<p onclick='x'>a</p>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href='{{ client.full_name }}'>a</a>",
        "<p style='background:url(http://x)'>a</p>",
        "<iframe src='http://x'></iframe>",
        "<form><input></form>",
        "<!DOCTYPE html><p>a</p>",
        "<SCRIPT>x</SCRIPT>",
    ],
)
def test_markup_that_runs_or_loads_is_refused(page: str) -> None:
    with pytest.raises(TemplateRefused):
        render_source("a", "b", page, SAMPLE)


def test_data_stays_data_in_an_own_text() -> None:
    hostile = copy.deepcopy(SAMPLE)
    hostile["client"]["full_name"] = "<b>{{ 7 * 7 }}</b>\r\nBcc: all@example.ru"
    made = render_source("{{ client.full_name }}", "{{ client.full_name }}", "<p>{{ client.full_name }}</p>", hostile)
    assert "\n" not in made.title and "{{ 7 * 7 }}" in made.text
    assert "&lt;b&gt;" in made.html and "<b>" not in made.fragment


# ── Over HTTP ──

OWN = {"text": "{{ office.name }}: З {{ number }} ждёт вас", "title": None, "html": None}


async def publish(world: World, name: str, **body: Any) -> dict[str, Any]:
    async with world.notifier.http(Role.HEAD_OFFICE) as http:
        saved = await http.put(f"/templates/{name}/draft", json=body, headers={"If-Match": '"0"'})
        assert saved.status_code == 200, saved.text
        scope = {"office_id": body.get("office_id")}
        done = await http.post(f"/templates/{name}/publication", json=scope)
        assert done.status_code == 201, done.text
        published: dict[str, Any] = done.json()
        return published


async def test_an_offices_text_is_drafted_previewed_published_and_taken_back(world: World) -> None:
    await world.open_office()
    await world.register(phone="+79220008001")
    office = {"office_id": str(world.office_id)}
    await ready(world, number="З-000801")
    before = await sms_of(world)
    async with world.notifier.http(Role.HEAD_OFFICE) as http:
        started = (await http.get("/templates/order_ready_sms/source", params=office)).json()
        assert "к выдаче" in started["text"]
        body = {**OWN, **office}
        saved = await http.put("/templates/order_ready_sms/draft", json=body, headers={"If-Match": '"0"'})
        assert saved.status_code == 200, saved.text
        draft = await http.get("/templates/order_ready_sms/draft/preview", params=office)
        assert draft.json()["text"] == "ПроДеталь-Мира 45: З З-000031 ждёт вас"
        assert "готов к выдаче" in (await http.get("/templates/order_ready_sms/preview", params=office)).json()["text"]
        stale = await http.put("/templates/order_ready_sms/draft", json=body, headers={"If-Match": '"0"'})
        assert stale.status_code == 412
        published = await http.post("/templates/order_ready_sms/publication", json=office)
        assert published.status_code == 201, published.text
        assert (await http.get("/templates/order_ready_sms/draft", params=office)).status_code == 404
    other = World(world.notifier, world.mailbox)
    await other.open_office()
    for where, phone in ((world, "+79220008002"), (other, "+79220008003")):
        where.client_id = new_id()
        await where.register(phone=phone)
        await ready(where, number="З-000802")
    mine, theirs = await sms_of(world), await sms_of(other)
    assert mine.text == "ПроДеталь-Мира 45: З З-000802 ждёт вас"
    assert mine.template_version == published.json()["version"]
    assert theirs.template_version is None and "готов к выдаче" in (theirs.text or "")
    assert "готов к выдаче" in (before.text or "")
    async with world.notifier.http(Role.HEAD_OFFICE) as http:
        assert (await http.post("/templates/order_ready_sms/reset", json=office)).status_code == 201
        assert "готов к выдаче" in (await http.get("/templates/order_ready_sms/preview", params=office)).json()["text"]
        versions = (await http.get("/templates/order_ready_sms/versions")).json()["items"]
        assert [version["text"] for version in versions[:2]] == [None, OWN["text"]]


async def test_a_letters_own_text_reaches_the_client_in_the_networks_frame(world: World) -> None:
    await world.open_office()
    await world.register()
    html = "<p>Уважаемый {{ client.full_name | first_names }}!</p>"
    html += "{% for result in results %}{{ result.brand }}{% endfor %}"
    letter = {"title": "Проверка {{ number }}", "text": "Проверили {{ number }}.", "html": html}
    await publish(world, "check_result", office_id=str(world.office_id), **letter)
    await world.notifier.deliver(world.checked(new_id()))
    (mail,) = await world.mailbox.wait_for(to=world.mail_of("client"))
    assert mail.subject == "Проверка З-1" and (mail.text or "").strip() == "Проверили З-1."
    assert "<p>Уважаемый Мария Ивановна!</p>TRW" in (mail.html or "") and "пр. Мира, 45" in (mail.html or "")


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("order_ready_sms", {"text": "{{ ''.__class__ }}"}, 422),
        ("order_ready_sms", {"text": "a", "title": "b", "html": "c"}, 422),
        ("refund", {"text": "a"}, 422),
        ("refund", {"title": "a", "text": "b", "html": "<script></script>"}, 422),
        ("nothing_such", {"text": "a"}, 404),
    ],
)
async def test_a_bad_draft_is_refused(world: World, name: str, body: dict[str, Any], status: int) -> None:
    async with world.notifier.http(Role.HEAD_OFFICE) as http:
        saved = await http.put(f"/templates/{name}/draft", json=body, headers={"If-Match": '"0"'})
        assert saved.status_code == status, saved.text
        assert (await http.post(f"/templates/{name}/check", json=body)).status_code == status


async def test_only_head_office_writes_texts(world: World) -> None:
    await world.open_office()
    async with world.notifier.http(Role.DIRECTOR, office_id=world.office_id) as http:
        assert (await http.put("/templates/refund/draft", json=OWN, headers={"If-Match": '"0"'})).status_code == 403
        assert (await http.post("/templates/refund/publication", json={})).status_code == 403
        assert (await http.get("/templates/refund/versions")).status_code == 200
