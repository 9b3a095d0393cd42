"""Sending: real SMTP, the gateway's protocol, every end a notice can have."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email import message_from_bytes
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from services.notifier.delivery.commands import notices as commands
from services.notifier.delivery.loops import receipts, sender
from services.notifier.delivery.mail import Outcome
from services.notifier.delivery.models.notices import Notice, NoticeAttempt
from services.notifier.people.models.projections import Client, Office
from services.notifier.settings import NotifierSettings
from services.notifier.texts.samples import SAMPLES
from shared.base.clock import now
from shared.contracts import clients, orders
from shared.identity.roles import Role
from shared.persistence.database import new_id
from simulators.sms.gateways import RunningSmsSimulator
from tests.integration.notifier.conftest import World
from tests.integration.notifier.test_engine import until
from tests.support.harness import ServiceHarness
from tests.support.notifier import PART


async def notice(world: World, notice_id: UUID) -> Notice:
    async with world.notifier.session() as session:
        return (await session.execute(select(Notice).where(Notice.id == notice_id))).scalars().one()


async def ended(world: World, notice_id: UUID, *states: str) -> Notice:
    return await until(lambda: notice(world, notice_id), lambda found: found.state in states)


async def tried_again(world: World, notice_id: UUID) -> Notice:
    """Once the first attempt was put off."""
    return await until(lambda: notice(world, notice_id), lambda seen: seen.attempts == 1 and seen.state == "queued")


async def tries(world: World, notice_id: UUID) -> list[tuple[int, str]]:
    async with world.notifier.session() as session:
        query = select(NoticeAttempt).where(NoticeAttempt.notice_id == notice_id).order_by(NoticeAttempt.number)
        return [(row.number, row.outcome) for row in (await session.execute(query)).scalars()]


async def queue_mail(world: World, to: str, **changes: Any) -> UUID:
    async with world.notifier.session() as session:
        office = await session.get(Office, world.office_id)
        assert office is not None
        options: dict[str, Any] = {"office": office, "to": to, "to_name": "Петрова", "purpose": "service", "at": now()}
        return await commands.queue_mail(session, "refund", SAMPLES["refund"], **{**options, **changes})


async def ready(world: World, number: str = "З-1", **changes: Any) -> orders.GoodsReady:
    line = orders.PositionLine.model_validate(
        {"position_id": new_id(), **PART, "quantity": 1, "sale_price": "1.00", "amount": "1.00"}
    )
    body = {"order_id": new_id(), "number": number, "client_id": world.client_id, "positions": [line], "complete": True}
    event = orders.GoodsReady.model_validate({**world.event(), **body, **changes})
    await world.notifier.deliver(event)
    return event


async def sms_of(world: World) -> Notice:
    async def look() -> Notice | None:
        async with world.notifier.session() as session:
            query = select(Notice).where(Notice.client_id == world.client_id, Notice.channel == "sms")
            return (await session.execute(query)).scalars().one_or_none()

    found = await until(look, lambda seen: seen is not None)
    assert found is not None
    return found


async def test_a_letter_is_sent_once_with_a_stable_id_and_the_offices_name(world: World) -> None:
    await world.open_office()
    to = world.mail_of("client")
    notice_id = await queue_mail(world, to)
    (mail,) = await world.mailbox.wait_for(to=to)
    assert mail.message_id == f"<{notice_id}@reglament.localhost>"
    assert "ПроДеталь-Мира 45" in mail.sender
    assert message_from_bytes(mail.raw)["Reply-To"] == world.mail_of("office")
    sent = await ended(world, notice_id, "sent")
    assert sent.sent_at is not None and sent.last_answer is not None and sent.last_answer.startswith("250")
    assert await tries(world, notice_id) == [(1, "sent")]


async def test_a_busy_mailbox_is_tried_again_later(world: World) -> None:
    await world.open_office()
    notice_id = await queue_mail(world, f"reject4-{world.mail_of('client')}")
    waiting = await until(
        lambda: notice(world, notice_id), lambda found: found.attempts == 1 and found.state == "queued"
    )
    assert waiting.last_answer is not None and waiting.last_answer.startswith("451")
    assert timedelta(seconds=50) < waiting.next_attempt_at - now() <= timedelta(minutes=1)
    assert await tries(world, notice_id) == [(1, "retry")]


async def test_after_a_day_of_trying_a_letter_expires(world: World) -> None:
    await world.open_office()
    notice_id = await queue_mail(world, f"reject4-{world.mail_of('client')}")
    await tried_again(world, notice_id)
    async with world.notifier.session() as session:
        overdue = {"next_attempt_at": now(), "expires_at": now()}
        await session.execute(update(Notice).where(Notice.id == notice_id).values(**overdue))
        await commands.wake_sender(session)
    assert (await ended(world, notice_id, "expired")).attempts == 1


async def test_a_mailbox_that_does_not_exist_ends_the_letter(world: World) -> None:
    await world.open_office()
    notice_id = await queue_mail(world, f"reject5-{world.mail_of('client')}")
    failed = await ended(world, notice_id, "failed")
    assert failed.last_answer is not None and failed.last_answer.startswith("550")


@pytest.mark.parametrize(
    "address", ["a@b.ru\r\nBcc: all@example.ru", "без собаки", "", "a@b.ru, c@d.ru", "юзер@почта.рф"]
)
async def test_an_address_that_is_none_never_reaches_the_wire(world: World, address: str) -> None:
    await world.open_office()
    notice_id = await queue_mail(world, address)
    assert (await ended(world, notice_id, "failed")).attempts == 1


async def test_line_breaks_in_a_name_never_become_headers(world: World) -> None:
    await world.open_office()
    to = world.mail_of("client")
    await queue_mail(world, to, to_name="Иван\r\nBcc: all@example.ru")
    (mail,) = await world.mailbox.wait_for(to=to)
    assert message_from_bytes(mail.raw)["Bcc"] is None
    assert mail.recipients == [to]


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def test_a_letter_whose_sender_died_on_the_wire_becomes_unknown_and_is_not_sent_again(world: World) -> None:
    await world.open_office()
    database = world.notifier.app.state.database
    notice_id = await queue_mail(world, world.mail_of("client"), at=now() + timedelta(hours=1))
    async with world.notifier.session() as session:
        dead = {"state": "sending", "attempts": 1, "sending_since": now() - timedelta(minutes=10)}
        await session.execute(update(Notice).where(Notice.id == notice_id).values(**dead))
    await receipts.mark_lost(database, lease_seconds=180)
    lost = await notice(world, notice_id)
    assert (lost.state, lost.attempts) == ("unknown", 1)
    assert world.mailbox.store.newest(to=world.mail_of("client")) == []
    async with world.notifier.http(Role.SENIOR_MANAGER, office_id=world.office_id) as http:
        again = await http.post(f"/notices/{notice_id}/resend")
        assert again.status_code == 200, again.text
        assert again.json()["state"] == "queued"
        await world.mailbox.wait_for(to=world.mail_of("client"))
        await ended(world, notice_id, "sent")
        once_more = await http.post(f"/notices/{notice_id}/resend")
    assert once_more.status_code == 409
    assert await tries(world, notice_id) == [(1, "unknown"), (2, "sent")]


async def test_an_outcome_that_comes_after_the_lease_changes_nothing(world: World) -> None:
    await world.open_office()
    notice_id = await queue_mail(world, world.mail_of("client"), at=now() + timedelta(hours=1))
    async with world.notifier.session() as session:
        due = {"next_attempt_at": now() - timedelta(seconds=1), "channel": "post"}  # No loop of the service sends it.
        await session.execute(update(Notice).where(Notice.id == notice_id).values(**due))
    settings = NotifierSettings()
    database = world.notifier.app.state.database
    claimed = await sender.claim(database, "post", settings)
    assert claimed is not None
    async with world.notifier.session() as session:
        await session.execute(update(Notice).where(Notice.id == notice_id).values(state="unknown"))
    await sender.record(database, claimed, Outcome("sent", "250"), settings)
    assert (await notice(world, notice_id)).state == "unknown"


async def test_two_senders_never_take_the_same_letter(world: World) -> None:
    await world.open_office()
    ids = {await queue_mail(world, world.mail_of("client"), at=now() + timedelta(hours=1)) for _ in range(10)}
    async with world.notifier.session() as session:
        due = {"next_attempt_at": now() - timedelta(seconds=1), "channel": "pigeon"}
        await session.execute(update(Notice).where(Notice.id.in_(ids)).values(**due))
    database = world.notifier.app.state.database

    async def take() -> list[UUID]:
        taken = []
        while (claimed := await sender.claim(database, "pigeon", NotifierSettings())) is not None:
            taken.append(claimed.letter.id)
        return taken

    taken = [notice_id for part in await asyncio.gather(take(), take(), take()) for notice_id in part]
    assert len(taken) == 10 and set(taken) == ids


# ── SMS ──


@pytest.mark.clause("NTF-02")
async def test_goods_that_are_ready_make_one_sms_that_is_delivered(world: World, gateway: RunningSmsSimulator) -> None:
    """NTF-02."""
    await world.open_office()
    await world.register(phone="+79220000101")
    await ready(world, number="З-000101")
    queued = await sms_of(world)
    delivered = await ended(world, queued.id, "delivered")
    assert delivered.delivered_at is not None
    texts = [sms.text for sms in gateway.messages if sms.phone.endswith("9220000101")]
    assert texts == ["ПроДеталь-Мира 45: заказ З-000101 готов к выдаче. пр. Мира, 45, т. +73435000000"]
    assert world.mailbox.store.newest(to=world.mail_of("client")) == []


async def test_a_client_without_a_phone_gets_a_mail_instead(world: World) -> None:
    await world.open_office()
    await world.register(phone=None)
    await ready(world, number="З-000102")
    (mail,) = await world.mailbox.wait_for(to=world.mail_of("client"))
    assert mail.subject == "Заказ З-000102 готов к выдаче"


@pytest.mark.parametrize(
    ("phone", "state"), [("+79220009125", "failed"), ("+79220009103", "expired"), ("+79220009007", "failed")]
)
async def test_what_the_gateway_says_is_the_state_of_the_sms(world: World, phone: str, state: str) -> None:
    await world.open_office()
    await world.register(phone=phone)
    await ready(world)
    assert (await ended(world, (await sms_of(world)).id, "failed", "expired", "delivered")).state == state


async def test_money_missing_at_the_gateway_is_tried_again_later(world: World) -> None:
    await world.open_office()
    await world.register(phone="+79220009003")
    await ready(world)
    queued = await sms_of(world)
    waiting = await until(
        lambda: notice(world, queued.id), lambda found: found.attempts == 1 and found.state == "queued"
    )
    assert waiting.next_attempt_at > now() + timedelta(seconds=30)


async def test_an_sms_whose_answer_was_lost_is_looked_up_and_not_sent_twice(
    world: World, gateway: RunningSmsSimulator
) -> None:
    await world.open_office()
    await world.register(phone="+79220009601")
    await ready(world, number="З-000601")
    queued = await sms_of(world)
    await ended(world, queued.id, "delivered")
    assert await tries(world, queued.id) == [(1, "unknown")]
    assert len([sms for sms in gateway.messages if "З-000601" in sms.text]) == 1


async def test_a_foreign_number_gets_no_sms(world: World, gateway: RunningSmsSimulator) -> None:
    await world.open_office()
    await world.register(phone="+491700000000")
    await ready(world, number="З-000777")
    failed = await ended(world, (await sms_of(world)).id, "failed")
    assert (failed.attempts, failed.last_answer) == (0, "SMS отправляются только на номера +7.")
    assert not [sms for sms in gateway.messages if "З-000777" in sms.text]


async def test_at_night_an_sms_waits_for_the_recipients_morning(world: World) -> None:
    await world.open_office()
    # A zone where it is night now: local midnight is within the last hours.
    offset = round((2 - now().hour) % 24)
    zone = f"Etc/GMT{-offset:+d}" if offset <= 12 else f"Etc/GMT{24 - offset:+d}"
    async with world.notifier.http(Role.HEAD_OFFICE) as http:
        current = await http.get("/delivery-policy")
        quiet = {"quiet_hours": True, "quiet_from": "21:00", "quiet_until": "08:00"}
        changed = await http.put("/delivery-policy", json=quiet, headers={"If-Match": current.headers["etag"]})
        assert changed.status_code == 200, changed.text
        try:
            await world.register(phone="+79220000999", time_zone=zone)
            await ready(world)
            queued = await sms_of(world)
            waiting = await until(lambda: notice(world, queued.id), lambda found: found.last_answer is not None)
            assert (waiting.state, waiting.attempts, waiting.last_answer) == ("queued", 0, "Тихие часы получателя.")
            morning = waiting.next_attempt_at.astimezone(ZoneInfo(zone))
            assert (morning.hour, morning.minute) == (8, 0)
            assert waiting.next_attempt_at > now()
        finally:
            body = {"quiet_hours": False}
            await http.put("/delivery-policy", json=body, headers={"If-Match": changed.headers["etag"]})


@pytest.mark.clause("NTF-02", "NTF-04")
@pytest.mark.parametrize(("consents", "state"), [(["service"], "failed"), (["advertising"], "sent")])
async def test_advertising_needs_consent_at_the_moment_of_sending(
    world: World, consents: list[clients.ConsentPurpose], state: str
) -> None:
    await world.open_office()
    await world.register(consents=["advertising"])
    await world.change_client(2, consents=consents)
    async with world.notifier.session() as session:
        client = await session.get(Client, world.client_id)
    notice_id = await queue_mail(world, world.mail_of("client"), purpose="advertising", client=client)
    assert (await ended(world, notice_id, "failed", "sent")).state == state


async def test_mail_goes_on_while_the_mail_server_was_away(notifier: ServiceHarness, world: World) -> None:
    """The kept connection is gone; the next letter opens a new one without losing an attempt."""
    await world.open_office()
    first = await queue_mail(world, world.mail_of("client"))
    await ended(world, first, "sent")
    second = await queue_mail(world, world.mail_of("client"))
    assert (await ended(world, second, "sent")).attempts == 1
