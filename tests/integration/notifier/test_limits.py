"""Daily limits of SMS, the alarm, and every way out of advertising."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from services.notifier.delivery.commands import notices as commands
from services.notifier.delivery.loops.sender import handle_incoming
from services.notifier.delivery.models.notices import Notice
from services.notifier.delivery.models.sms import SmsUsage
from services.notifier.delivery.sms.smpp import Incoming
from services.notifier.people.models.projections import Client, Office
from shared.base.clock import now
from shared.contracts.notifier import ConsentWithdrawn
from shared.identity.roles import Role
from shared.persistence.database import new_id
from simulators.sms.gateways import RunningSmsSimulator
from tests.integration.notifier.conftest import World, signed
from tests.integration.notifier.test_delivery import ended, notice, queue_mail, ready, sms_of, tries
from tests.integration.notifier.test_engine import until


@asynccontextmanager
async def policy_with(world: World, **changes: Any) -> AsyncIterator[None]:
    """The delivery policy is the network's, so it is put back at the end."""
    async with world.notifier.http(Role.HEAD_OFFICE) as http:
        for values in (changes, None):
            current = await http.get("/delivery-policy")
            body = {"quiet_hours": False, **(values or {})}
            put = await http.put("/delivery-policy", json=body, headers={"If-Match": current.headers["etag"]})
            assert put.status_code == 200, put.text
            if values is not None:
                yield


async def test_of_two_edits_of_one_version_one_wins(world: World) -> None:
    """Both have seen the same; the second would undo the first without a word."""
    async with world.notifier.http(Role.HEAD_OFFICE) as http:
        for path, body in (
            ("/delivery-policy", {"quiet_hours": False}),
            ("/rules/CALL-01", (await http.get("/rules/CALL-01")).json()["items"][-1]["rule"]),
        ):
            seen = {"If-Match": (await http.get(path)).headers["etag"]}
            answers = await asyncio.gather(*(http.put(path, json=body, headers=seen) for _ in range(6)))
            assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5, path


async def queue_sms(world: World, text: str = "Скидка", purpose: Any = "service", **changes: Any) -> UUID:
    async with world.notifier.session() as session:
        office, client = await session.get(Office, world.office_id), await session.get(Client, world.client_id)
        assert office is not None and client is not None
        values = {"recipient": client.phone, "text": text, "title": text[:60], **changes}
        known = {"office_id": world.office_id, "client_id": world.client_id, "channel": "sms", "purpose": purpose}
        row = Notice(
            template="order_ready_sms",
            recipient_name="Петрова",
            time_zone="Asia/Yekaterinburg",
            sender_name="Офис",
            state="queued",
            attempts=0,
            next_attempt_at=now(),
            expires_at=now() + timedelta(hours=24),
            **{**known, **values},
        )
        session.add(row)
        await session.flush()
        await commands.wake_sender(session)
        return row.id


async def put_off_notice(world: World, notice_id: UUID) -> Notice:
    return await until(lambda: notice(world, notice_id), lambda seen: seen.last_answer is not None)


async def usage(world: World) -> SmsUsage | None:
    async with world.notifier.session() as session:
        return (await session.execute(select(SmsUsage).where(SmsUsage.office_id == world.office_id))).scalars().first()


async def test_an_office_that_has_used_up_its_day_waits_and_head_office_is_notified_once(
    world: World, gateway: RunningSmsSimulator
) -> None:
    await world.open_office()
    await world.hire("head", "head_office", head_office=True)
    await world.register(phone="+79220007001")
    async with policy_with(world, sms_office_limits={str(world.office_id): 2}):
        first = await queue_sms(world, "Длинный текст. " * 7)  # 105 signs of Cyrillic are two SMS.
        await ended(world, first, "sent", "delivered")
        waiting = [await queue_sms(world, "Ещё одно") for _ in range(2)]
        for notice_id in waiting:
            put_off = await put_off_notice(world, notice_id)
            assert (put_off.state, put_off.attempts) == ("queued", 0)
            assert put_off.last_answer == "Дневной лимит SMS офиса исчерпан."
            morning = put_off.next_attempt_at.astimezone(ZoneInfo("Asia/Yekaterinburg"))
            assert (morning.hour, morning.minute) == (0, 0) and put_off.next_attempt_at > now()
        (alarm,) = await world.mailbox.wait_for(to=world.mail_of("head"))
        assert alarm.subject == "SMS: дневной лимит офиса «ПроДеталь-Мира 45» исчерпан"
        async with world.notifier.http(Role.HEAD_OFFICE) as http:
            (row,) = (await http.get("/sms-usage", params={"office_id": str(world.office_id)})).json()["items"]
    assert (row["parts"], row["limit"], row["office_name"]) == (2, 2, "ПроДеталь-Мира 45")
    assert row["exhausted_at"] is not None
    assert len(world.mailbox.store.newest(to=world.mail_of("head"))) == 1
    assert len([sms for sms in gateway.messages if sms.phone == "79220007001"]) == 1


async def test_what_the_gateway_has_surely_not_sent_costs_nothing(world: World) -> None:
    await world.open_office()
    await world.register(phone="+79220009007")
    await ended(world, await queue_sms(world), "failed")
    used = await usage(world)
    assert used is not None and used.parts == 0


async def test_one_number_gets_no_more_than_its_limit(world: World, gateway: RunningSmsSimulator) -> None:
    await world.open_office()
    await world.register(phone="+79220007003")
    async with policy_with(world, sms_number_limit=2):
        for text in ("Один", "Два"):
            await ended(world, await queue_sms(world, text), "sent", "delivered")
        third = await queue_sms(world, "Три")
        put_off = await put_off_notice(world, third)
    assert put_off.last_answer == "Суточный лимит SMS на этот номер."
    assert timedelta(minutes=55) < put_off.next_attempt_at - now() <= timedelta(hours=1)
    assert len([sms for sms in gateway.messages if sms.phone == "79220007003"]) == 2


@pytest.mark.parametrize("state", ["unknown", "sending"])
async def test_an_sms_of_which_nothing_is_known_counts_against_the_numbers_limit(world: World, state: str) -> None:
    """It may have reached the recipient."""
    await world.open_office()
    phone = {"unknown": "+79220007004", "sending": "+79220007005"}[state]
    await world.register(phone=phone)
    async with policy_with(world, sms_number_limit=1):
        first = await queue_sms(world, "Один")
        await ended(world, first, "delivered")
        async with world.notifier.session() as session:
            since = now() if state == "sending" else None
            nothing_known = {"state": state, "attempts": 2, "sent_at": None, "sending_since": since}
            await session.execute(update(Notice).where(Notice.id == first).values(**nothing_known))
        put_off = await put_off_notice(world, await queue_sms(world, "Два"))
    assert (put_off.state, put_off.last_answer) == ("queued", "Суточный лимит SMS на этот номер.")


async def test_an_sms_of_unknown_outcome_counts_against_the_offices_limit(world: World) -> None:
    """The gateway took it and lost the answer: operators charge for it all the same."""
    await world.open_office()
    await world.register(phone="+79220009601")
    async with policy_with(world, sms_office_limits={str(world.office_id): 1}):
        lost = await queue_sms(world)
        await ended(world, lost, "delivered")
        assert await tries(world, lost) == [(1, "unknown")]
        used = await usage(world)
        assert used is not None and used.parts == 1
        put_off = await put_off_notice(world, await queue_sms(world, "Ещё одно"))
    assert put_off.last_answer == "Дневной лимит SMS офиса исчерпан."


async def test_bad_limits_are_refused(world: World) -> None:
    async with world.notifier.http(Role.HEAD_OFFICE) as http:
        etag = (await http.get("/delivery-policy")).headers["etag"]
        for wrong in ({"sms_daily_limit": -1}, {"sms_office_limits": {"x": 1}}, {"answer_within_seconds": 0}):
            body = {"quiet_hours": False, **wrong}
            assert (await http.put("/delivery-policy", json=body, headers={"If-Match": etag})).status_code == 422


# ── The way out of advertising ──


async def advertising(world: World) -> UUID:
    async with world.notifier.session() as session:
        client = await session.get(Client, world.client_id)
    return await queue_mail(world, world.mail_of("client"), purpose="advertising", client=client)


@pytest.mark.clause("NTF-04")
async def test_a_letter_of_advertising_carries_its_way_out_and_it_works(world: World) -> None:
    await world.open_office()
    await world.register(consents=["service", "advertising"])
    notice_id = await advertising(world)
    (mail,) = await world.mailbox.wait_for(to=world.mail_of("client"))
    parsed = message_from_bytes(mail.raw, policy=policy.default)
    link = f"http://127.0.0.1:8000/api/notifier/unsubscribe/{notice_id}"
    assert parsed["List-Unsubscribe"] == f"<{link}>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"Отказаться от рекламных писем: {link}" in (mail.text or "")
    assert f'href="{link}"' in (mail.html or "")
    async with world.notifier.http() as anybody:
        page = await anybody.get(f"/unsubscribe/{notice_id}")
        assert page.status_code == 200 and '<form method="post">' in page.text
        assert await world.notifier.published(ConsentWithdrawn, client_id=world.client_id) == []
        for _ in range(2):
            done = await anybody.post(f"/unsubscribe/{notice_id}", data={"List-Unsubscribe": "One-Click"})
            assert done.status_code == 200 and "отказались" in done.text
    (withdrawn,) = await world.notifier.published(ConsentWithdrawn, client_id=world.client_id)
    assert (withdrawn.purpose, withdrawn.source) == ("advertising", "link")
    assert (await ended(world, await advertising(world), "failed", "sent")).last_answer == "Нет согласия на рекламу."
    service = await queue_mail(world, world.mail_of("client"))
    assert (await ended(world, service, "failed", "sent")).state == "sent"


async def test_only_advertising_has_a_way_out(world: World) -> None:
    await world.open_office()
    await world.register()
    service = await queue_mail(world, world.mail_of("client"))
    (mail,) = await world.mailbox.wait_for(to=world.mail_of("client"))
    assert message_from_bytes(mail.raw)["List-Unsubscribe"] is None
    async with world.notifier.http() as anybody:
        for unknown in (service, new_id()):
            assert (await anybody.get(f"/unsubscribe/{unknown}")).status_code == 404
            assert (await anybody.post(f"/unsubscribe/{unknown}")).status_code == 404


@pytest.mark.clause("NTF-04")
async def test_stop_by_the_gateways_webhook_ends_advertising_to_that_number_only_once(world: World) -> None:
    await world.open_office()
    await world.register(phone="+79220007010", consents=["advertising"])
    body = {"event_id": str(new_id()), "phone": "+79220007010", "text": "СТОП"}
    async with world.notifier.http() as gateway:
        assert (await gateway.post("/webhooks/sms", **signed(body))).json() == {"stopped": True}
        assert (await gateway.post("/webhooks/sms", **signed(body))).json() == {"stopped": False}
    (withdrawn,) = await world.notifier.published(ConsentWithdrawn, client_id=world.client_id)
    assert withdrawn.source == "stop_word"
    await world.change_client(2, phone="+79220007010", consents=["advertising"])
    refused = await ended(world, await queue_sms(world, purpose="advertising"), "failed", "sent", "delivered")
    assert refused.last_answer == "Получатель отказался от рекламы («СТОП»)."
    await ready(world, number="З-000710")
    assert (await ended(world, (await sms_of_service(world)), "sent", "delivered")).purpose == "service"


async def sms_of_service(world: World) -> UUID:
    async def look() -> Notice | None:
        async with world.notifier.session() as session:
            query = select(Notice).where(Notice.client_id == world.client_id, Notice.purpose == "service")
            return (await session.execute(query.where(Notice.channel == "sms"))).scalars().one_or_none()

    found = await until(look, lambda seen: seen is not None)
    assert found is not None
    return found.id


async def test_stop_over_smpp_ends_advertising_too(world: World) -> None:
    await world.open_office()
    await world.register(phone="+79220007011", consents=["advertising"])
    database = world.notifier.app.state.database
    await handle_incoming(database, Incoming("smpp", "+79220007011", "Где мой заказ?"))
    assert await world.notifier.published(ConsentWithdrawn, client_id=world.client_id) == []
    await handle_incoming(database, Incoming("smpp", "+79220007011", "Стоп"))
    assert len(await world.notifier.published(ConsentWithdrawn, client_id=world.client_id)) == 1


@pytest.mark.parametrize("spoiled", [{"secret": "wrong"}, {"at": time.time() - 400}])
async def test_a_webhook_with_a_bad_or_old_signature_is_refused(world: World, spoiled: dict[str, Any]) -> None:
    body = {"event_id": "1", "phone": "+79220007012", "text": "СТОП"}
    async with world.notifier.http() as gateway:
        assert (await gateway.post("/webhooks/sms", **signed(body, **spoiled))).status_code == 401
        assert (await gateway.post("/webhooks/sms", json=body)).status_code == 422


async def test_sms_of_another_office_do_not_show(world: World) -> None:
    await world.open_office()
    await world.register(phone="+79220007013")
    await ended(world, await queue_sms(world), "sent", "delivered")
    assert (await sms_of(world)).parts == 1
    async with world.notifier.http(Role.DIRECTOR, office_id=new_id()) as stranger:
        assert (await stranger.get("/sms-usage", params={"office_id": str(world.office_id)})).json()["items"] == []
