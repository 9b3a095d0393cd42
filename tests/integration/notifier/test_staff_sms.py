"""SMS to staff beside letters, as each person wishes (NTF-03)."""

from sqlalchemy import select

from services.notifier.delivery.models.notices import Notice
from shared.base.clock import now
from shared.identity.roles import Role
from tests.integration.notifier.conftest import World
from tests.integration.notifier.rules import ladder
from tests.integration.notifier.test_engine import fast_contact, until
from tests.integration.notifier.test_notify_staff import fire, storm

PHONE = "+79220000045"


async def wants(world: World, sms: str) -> int:
    async with world.staff_http() as http:
        return (await http.put("/telling-preferences", json={"sms": sms})).status_code


async def with_phone(world: World) -> None:
    await world.with_people()
    await world.hire("ivanov", "manager", version=2, phone=PHONE)
    await world.register()


async def staff_notices(world: World, channel: str) -> list[Notice]:
    async with world.notifier.session() as session:
        mine = Notice.staff_id == world.staff["ivanov"]
        query = select(Notice).where(mine, Notice.channel == channel).order_by(Notice.id)
        return list((await session.execute(query)).scalars())


async def test_a_breach_goes_to_the_phone_and_the_letter_comes_in_any_case(world: World) -> None:
    await with_phone(world)
    assert await wants(world, "breaches") == 200
    await fast_contact(world, duration={"amount": 1, "unit": "seconds"}, warnings=[], ladder=ladder(0))
    order = await world.place()

    async def sent() -> list[Notice]:
        return [notice for notice in await staff_notices(world, "sms") if notice.state in ("sent", "delivered")]

    (sms,) = await until(sent, bool)
    assert (sms.recipient, sms.template, sms.purpose) == (PHONE, "escalation_sms", "staff")
    assert (sms.text or "").startswith(f"Срок нарушен: заказ З-{str(order)[-4:]}, ORD-04, до ")
    (letter,) = await world.mailbox.wait_for(to=world.mail_of("ivanov"), subject="Срок нарушен")
    assert "ORD-04" in letter.subject


async def test_a_storm_is_one_sms_with_what_is_in_the_digest(world: World) -> None:
    await with_phone(world)
    await wants(world, "all")
    await fire(world, await storm(world, 7))
    await fire(world, await storm(world, 3))
    await fire(world, await storm(world, 2))  # Into the letter that waits already.
    rows = await staff_notices(world, "sms")
    assert len(rows) == len(await staff_notices(world, "email")) == 2
    assert rows[1].next_attempt_at == (await staff_notices(world, "email"))[1].next_attempt_at

    async def written() -> str | None:
        return (await staff_notices(world, "sms"))[0].text

    assert await until(written, bool) == "Сроки: нарушено 7. Список в «Мой день»"


async def test_a_wish_for_breaches_only_means_no_sms_about_warnings(world: World) -> None:
    await with_phone(world)
    await wants(world, "breaches")
    warning = {"level": 1, "kind": "warning", "at": now().isoformat(), "role": "manager", "action": None}
    await fire(world, await storm(world, 2, schedule=[warning]))
    assert len(await staff_notices(world, "email")) == 1
    assert await staff_notices(world, "sms") == []
    await fire(world, await storm(world, 1, schedule=[warning]))
    await fire(world, await storm(world, 1))  # Into the same waiting letter.
    assert len(await staff_notices(world, "email")) == 2
    (sms,) = await staff_notices(world, "sms")
    assert sms.next_attempt_at == (await staff_notices(world, "email"))[1].next_attempt_at


async def test_without_a_phone_there_is_nothing_to_choose(world: World) -> None:
    await world.with_people()
    assert await wants(world, "all") == 422
    async with world.staff_http() as http:
        assert (await http.get("/telling-preferences")).json()["sms"] == "none"


async def test_head_office_writes_what_letters_and_sms_about_deadlines_say(world: World) -> None:
    await with_phone(world)
    await wants(world, "all")
    async with world.notifier.http(Role.HEAD_OFFICE) as head:
        office = {"office_id": str(world.office_id)}
        texts: dict[str, dict[str, str | None]] = {
            "escalation": {"title": "Внимание: {{ about }}", "text": "{{ sentence }}", "html": "<p>{{ sentence }}</p>"},
            "escalation_sms": {"title": None, "text": "Внимание: {{ about }}", "html": None},
        }
        for name, text in texts.items():
            put = await head.put(f"/templates/{name}/draft", json={**text, **office}, headers={"If-Match": '"0"'})
            assert put.status_code == 200, put.text
            assert (await head.post(f"/templates/{name}/publication", json=office)).status_code in (200, 201)
    await fire(world, await storm(world, 1))
    (letter,) = await world.mailbox.wait_for(to=world.mail_of("ivanov"), subject="Внимание: заказ")
    assert "Срок нарушен" not in letter.subject

    async def written() -> str | None:
        return (await staff_notices(world, "sms"))[0].text

    assert (await until(written, bool) or "").startswith("Внимание: заказ")
    (notice,) = await staff_notices(world, "email")
    assert notice.template_version is not None
