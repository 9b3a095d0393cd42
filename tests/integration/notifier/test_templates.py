"""Head office's own texts: draft, preview, publication; nothing in them can run; old notices keep their text."""

from typing import Any

import pytest

from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.integration.notifier.test_delivery import ready, sms_of

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


@pytest.mark.clause("K11")
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
    mine, of_other = await sms_of(world), await sms_of(other)
    assert mine.text == "ПроДеталь-Мира 45: З З-000802 ждёт вас"
    assert mine.template_version == published.json()["version"]
    assert of_other.template_version is None and "готов к выдаче" in (of_other.text or "")
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
