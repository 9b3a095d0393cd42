"""Letters to an office: a real IMAP server, conversations, automatic answers, bounces, and the clock of CALL-12."""

from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from services.notifier.inbound.models import InboundMail
from services.notifier.people.models.projections import Client
from shared.base.clock import now
from shared.contracts.notifier import ConsentWithdrawn, MailAnswered, MailReceived
from shared.contracts.orders import InquiryRecorded, InquiryStatusChanged
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.integration.notifier.test_delivery import ended, queue_mail
from tests.integration.notifier.test_engine import until
from tests.support.dovecot import PASSWORD, Dovecot, running_dovecot, why_not
from tests.support.letters import bounce, letter

needs_dovecot = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


# ── Reading ──


# ── The mailbox ──


@pytest_asyncio.fixture(scope="session")
async def dovecot() -> AsyncIterator[Dovecot]:
    async with running_dovecot() as running:
        yield running


def settings_of(server: Dovecot, world: World, **changes: Any) -> dict[str, Any]:
    access = {"host": "127.0.0.1", "port": server.port, "security": "none", "login": str(world.office_id)}
    return {**access, "password": PASSWORD, **changes}


async def configure(server: Dovecot, world: World, version: int = 0, **changes: Any) -> httpx.Response:
    async with world.notifier.http(Role.HEAD_OFFICE) as http:
        body = settings_of(server, world, **changes)
        return await http.put(f"/mailboxes/{world.office_id}", json=body, headers={"If-Match": f'"{version}"'})


async def checked(world: World) -> dict[str, Any]:
    """The mailbox once it has been looked into after this moment."""
    since = now()

    async def look() -> dict[str, Any]:
        async with world.staff_http() as http:
            found: dict[str, Any] = (await http.get(f"/mailboxes/{world.office_id}")).json()
            return found

    return await until(look, lambda seen: (seen["checked_at"] or "") > since.isoformat().replace("+00:00", "Z"))


async def mails(world: World, count: int) -> list[InboundMail]:
    async def look() -> list[InboundMail]:
        async with world.notifier.session() as session:
            query = select(InboundMail).where(InboundMail.office_id == world.office_id).order_by(InboundMail.id)
            return list((await session.execute(query)).scalars())

    return await until(look, lambda seen: len(seen) >= count)


async def received(world: World) -> list[MailReceived]:
    return await world.notifier.published(MailReceived, office_id=world.office_id)


@pytest_asyncio.fixture
async def office(world: World, dovecot: Dovecot) -> World:
    """An office whose mailbox is being read."""
    await world.with_people()
    assert (await configure(dovecot, world)).status_code == 200
    assert (await checked(world))["error"] is None
    return world


@needs_dovecot
async def test_a_letter_becomes_an_inquiry_once_and_stays_unread_in_the_mailbox(
    office: World, dovecot: Dovecot
) -> None:
    await office.register(email="Sergey@example.ru")
    dovecot.put(str(office.office_id), letter())
    (mail,) = await mails(office, 1)
    assert (mail.title, mail.text, mail.client_id) == ("Колодки на Камри", "Есть ли колодки?", office.client_id)
    await checked(office)
    (published,) = await received(office)
    assert (published.mail_id, published.thread_id, published.client_id) == (mail.id, mail.id, office.client_id)
    assert b"Seen" not in dovecot.flags(str(office.office_id))
    async with office.staff_http() as http:
        (row,) = (await http.get("/mails", params={"unanswered": True})).json()["items"]
        assert (await http.get(f"/mails/{row['id']}")).json()["text"] == "Есть ли колодки?"


@needs_dovecot
async def test_what_was_in_the_mailbox_before_is_left_alone(world: World, dovecot: Dovecot) -> None:
    await world.open_office()
    dovecot.put(str(world.office_id), letter(Subject="Старое"))
    await configure(dovecot, world)
    await checked(world)
    dovecot.put(str(world.office_id), letter(Subject="Новое"))
    assert [mail.title for mail in await mails(world, 1)] == ["Новое"]


@needs_dovecot
async def test_a_renumbered_mailbox_makes_nothing_twice(office: World, dovecot: Dovecot) -> None:
    dovecot.put(str(office.office_id), letter(Subject="Первое"))
    await mails(office, 1)
    dovecot.renumber(str(office.office_id))
    dovecot.put(str(office.office_id), letter(Subject="Второе"))
    assert [mail.title for mail in await mails(office, 2)] == ["Первое", "Второе"]
    assert len(await received(office)) == 2


@pytest.mark.clause("CALL-12")
@needs_dovecot
async def test_a_conversation_is_answered_and_the_answer_is_threaded(office: World, dovecot: Dovecot) -> None:
    """CALL-12: one inquiry until there is an answer, which closes it; a further letter opens a new one."""
    first_id = f"<{new_id()}@example.ru>"
    dovecot.put(str(office.office_id), letter(From=office.mail_of("asker"), Message_ID=first_id))
    (first,) = await mails(office, 1)
    dovecot.put(str(office.office_id), letter("И фильтр?", From=office.mail_of("asker"), In_Reply_To=first_id))
    await mails(office, 2)
    assert [published.mail_id for published in await received(office)] == [first.id]
    async with office.staff_http() as http:
        done = await http.post(f"/mails/{first.id}/answer", json={"text": "Есть, 2 450 рублей."})
        assert done.status_code == 201, done.text
        assert (await http.get("/mails", params={"unanswered": True})).json()["items"] == []
    (published,) = await office.notifier.published(MailAnswered, mail_id=first.id)
    assert published.staff_id == office.staff["ivanov"]
    (answer,) = await office.mailbox.wait_for(to=office.mail_of("asker"))
    parsed = message_from_bytes(answer.raw, policy=policy.default)
    assert parsed["In-Reply-To"] == parsed["References"] == first_id
    assert parsed["Subject"] == "Re: Колодки на Камри" and parsed["Auto-Submitted"] is None
    assert "Есть, 2 450 рублей." in (answer.text or "")
    dovecot.put(
        str(office.office_id), letter("Спасибо", From=office.mail_of("asker"), In_Reply_To=parsed["Message-ID"])
    )
    third = (await mails(office, 3))[2]
    assert third.thread_id == first.id
    assert [event.mail_id for event in await received(office)] == [first.id, third.id]


@needs_dovecot
async def test_a_reply_to_our_letter_finds_the_client_and_programs_open_nothing(
    office: World, dovecot: Dovecot
) -> None:
    await office.register()
    async with office.notifier.session() as session:
        client = await session.get(Client, office.client_id)
    notice_id = await queue_mail(office, office.mail_of("client"), client=client)
    ours = f"<{notice_id}@reglament.localhost>"
    await ended(office, notice_id, "sent")
    dovecot.put(str(office.office_id), letter("Я в отпуске", In_Reply_To=ours, Auto_Submitted="auto-replied"))
    dovecot.put(str(office.office_id), letter("Понял", From="other@example.ru", In_Reply_To=ours))
    automatic, reply = await mails(office, 2)
    assert (automatic.kind, reply.kind) == ("automatic", "message")
    assert (reply.client_id, reply.thread_id) == (office.client_id, notice_id)
    assert [published.mail_id for published in await received(office)] == [reply.id]
    async with office.staff_http() as http:
        assert (await http.post(f"/mails/{automatic.id}/answer", json={"text": "?"})).status_code == 409


@needs_dovecot
async def test_a_letter_that_comes_back_was_not_delivered(office: World, dovecot: Dovecot) -> None:
    notice_id = await queue_mail(office, office.mail_of("gone"))
    await ended(office, notice_id, "sent")
    dovecot.put(str(office.office_id), bounce(notice_id))
    failed = await ended(office, notice_id, "failed")
    assert failed.last_answer is not None and failed.last_answer.startswith("Письмо вернулось")
    assert await received(office) == []


@pytest.mark.clause("NTF-04")
@needs_dovecot
async def test_stop_in_answer_to_advertising_ends_it(office: World, dovecot: Dovecot) -> None:
    await office.register(consents=["service", "advertising"])
    async with office.notifier.session() as session:
        client = await session.get(Client, office.client_id)
    notice_id = await queue_mail(office, office.mail_of("client"), client=client, purpose="advertising")
    await ended(office, notice_id, "sent")
    dovecot.put(str(office.office_id), letter("Стоп!\n> реклама", In_Reply_To=f"<{notice_id}@reglament.localhost>"))
    await mails(office, 1)
    assert len(await office.notifier.published(ConsentWithdrawn, client_id=office.client_id)) == 1
    assert await received(office) == []


@needs_dovecot
async def test_stop_comes_from_the_client_who_was_written_to(office: World, dovecot: Dovecot) -> None:
    """NTF-02: of two clients with one e-mail the other goes on to get advertising."""
    email = office.mail_of("family")
    await office.register(email=email, consents=["service", "advertising"])
    husband, office.client_id = office.client_id, new_id()
    await office.register(email=email, consents=["service", "advertising"])
    async with office.notifier.session() as session:
        wife = await session.get(Client, office.client_id)
    notice_id = await queue_mail(office, email, client=wife, purpose="advertising")
    await ended(office, notice_id, "sent")
    dovecot.put(str(office.office_id), letter("Стоп", From=email, In_Reply_To=f"<{notice_id}@reglament.localhost>"))
    await mails(office, 1)
    assert len(await office.notifier.published(ConsentWithdrawn, client_id=office.client_id)) == 1
    assert await office.notifier.published(ConsentWithdrawn, client_id=husband) == []


@needs_dovecot
async def test_a_status_set_by_hand_answers_the_letter_too(office: World, dovecot: Dovecot) -> None:
    dovecot.put(str(office.office_id), letter())
    (mail,) = await mails(office, 1)
    status = {"inquiry_id": mail.id, "staff_id": office.staff["ivanov"], "status": "won"}
    moment = now() + timedelta(seconds=1)
    await office.notifier.deliver(InquiryStatusChanged.model_validate({**office.event(occurred_at=moment), **status}))
    assert (await mails(office, 1))[0].answered_at is not None


@needs_dovecot
async def test_a_mark_is_no_answer(office: World, dovecot: Dovecot) -> None:
    """INQ-05 is no conversation: the letter waits, and so does its clock (CALL-12)."""
    dovecot.put(str(office.office_id), letter())
    (mail,) = await mails(office, 1)
    recorded = {"inquiry_id": mail.id, "staff_id": office.staff["ivanov"], "channel": "email", "status": "open"}
    await office.notifier.deliver(InquiryRecorded.model_validate({**office.event(), "recorded_at": now(), **recorded}))
    mark = {"inquiry_id": mail.id, "staff_id": office.staff["ivanov"], "status": "open", "mark": "vip"}
    event = {**office.event(version=2, occurred_at=now()), **mark, "conversation": False}
    await office.notifier.deliver(InquiryStatusChanged.model_validate(event))
    assert (await office.obligation(mail.id, "CALL-12")).state == "open"
    assert (await mails(office, 1))[0].answered_at is None


@needs_dovecot
async def test_a_letter_that_comes_after_the_closing_opens_an_inquiry_of_its_own(
    office: World, dovecot: Dovecot
) -> None:
    """CALL-12: also where it came before the event of the closing; two closings of the first open one only."""
    first_id = f"<{new_id()}@example.ru>"
    dovecot.put(str(office.office_id), letter(Message_ID=first_id))
    (first,) = await mails(office, 1)
    closed_at = now()
    dovecot.put(str(office.office_id), letter("И фильтр?", In_Reply_To=first_id))
    second = (await mails(office, 2))[1]
    assert [published.mail_id for published in await received(office)] == [first.id]
    for version in (1, 2):
        status = {"inquiry_id": first.id, "staff_id": office.staff["ivanov"], "status": "won"}
        event = {**office.event(version=version, occurred_at=closed_at), **status}
        await office.notifier.deliver(InquiryStatusChanged.model_validate(event))
    (_, published) = await received(office)
    assert (published.mail_id, published.received_at, published.occurred_at) == (
        second.id,
        second.received_at,
        second.received_at,
    )
    assert [mail.answered_at for mail in await mails(office, 2)] == [closed_at, None]


@needs_dovecot
async def test_a_wrong_password_is_shown_and_a_right_one_mends_it(world: World, dovecot: Dovecot) -> None:
    await world.open_office()
    await configure(dovecot, world, password="wrong")
    assert "AUTHENTICATIONFAILED" in (await checked(world))["error"]
    assert (await configure(dovecot, world, version=1)).status_code == 200
    assert (await checked(world))["error"] is None


async def test_only_head_office_configures_and_the_password_is_not_shown(world: World) -> None:
    await world.open_office()
    nowhere = Dovecot(port=1, directory=None)  # type: ignore[arg-type]
    async with world.notifier.http(Role.DIRECTOR, office_id=world.office_id) as http:
        body = settings_of(nowhere, world)
        put = await http.put(f"/mailboxes/{world.office_id}", json=body, headers={"If-Match": '"0"'})
        assert put.status_code == 403
    assert (await configure(nowhere, world, password=None)).status_code == 422
    made = await configure(nowhere, world, active=False)
    assert made.status_code == 200 and "password" not in made.text and PASSWORD not in made.text
    assert (await configure(nowhere, world, active=False)).status_code == 412
    async with world.notifier.http(Role.DIRECTOR, office_id=new_id()) as stranger:
        assert (await stranger.get(f"/mailboxes/{world.office_id}")).status_code == 404
        assert (await stranger.get("/mailboxes")).json()["items"] == []
