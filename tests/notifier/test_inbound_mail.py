"""Letters to an office: a real IMAP server, conversations, automatic answers, bounces, and the clock of CALL-12."""

from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select

from services.notifier.delivery_models import InboundMail
from services.notifier.domain.inbound import first_line, read
from services.notifier.models import Client
from services.notifier.sealing import NoKey, seal, unseal
from shared.base.clock import now
from shared.contracts.notifier import ConsentWithdrawn, MailAnswered, MailReceived
from shared.contracts.orders import InquiryRecorded, InquiryStatusChanged
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.notifier.conftest import World
from tests.notifier.dovecot import PASSWORD, Dovecot, running_dovecot, why_not
from tests.notifier.test_delivery import ended, queue_mail
from tests.notifier.test_engine import until

needs_dovecot = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


def letter(text: str = "Есть ли колодки?", **headers: str) -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    usual = {
        "From": "Сергей Петров <sergey@example.ru>",
        "To": "mira45@example.ru",
        "Subject": "Колодки на Камри",
        "Message-ID": f"<{new_id()}@example.ru>",
    }
    for name, value in {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message.as_bytes()


# ── Reading ──


def test_a_letter_is_read() -> None:
    found = read(letter(In_Reply_To="<b@x>", References="<a@x> <b@x>", Date="Mon, 23 Nov 2026 10:42:00 +0500"))
    assert (found.sender, found.sender_name, found.title) == ("sergey@example.ru", "Сергей Петров", "Колодки на Камри")
    assert (found.text, found.kind, found.references) == ("Есть ли колодки?", "message", ["<b@x>", "<a@x>"])
    assert found.sent_at is not None and found.sent_at.isoformat() == "2026-11-23T05:42:00+00:00"


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("idna", b"text"),
        ("undefined", b"text"),
        ('"utf\x008"', b"text"),
        ("utf-7", b"+2AA- text"),
        ("unicode_escape", b"\\ud800 text"),
        ("x-nobodys", b"text"),
    ],
)
def test_a_letter_in_any_character_set_can_be_kept(charset: str, body: bytes) -> None:
    """One that cannot would be tried again for ever, and no later one would be read."""
    head = "From: a@b.ru\r\nMessage-ID: <c@x>\r\nIn-Reply-To: =?utf-8?q?=3Ca=00b@c=3E?=\r\n"
    head += f"Content-Type: text/plain; charset={charset}"
    found = read(head.encode() + b"\r\n\r\n" + body)
    assert "text" in found.text
    for kept in (found.text, *found.references):
        assert "\x00" not in kept
        kept.encode()


def test_of_html_only_the_words_are_read() -> None:
    message = EmailMessage()
    message["From"] = "a@example.ru"
    page = "<html><head><style>p {}</style></head><body><p>Добрый&nbsp;день</p><p>Есть <b>фильтр</b>?</p></body></html>"
    message.set_content(page, subtype="html")
    message.add_attachment(b"1", maintype="image", subtype="png", filename="фото.png")
    found = read(message.as_bytes())
    assert found.text.split() == ["Добрый", "день", "Есть", "фильтр?"]
    assert found.attachments == ["фото.png"]


@pytest.mark.parametrize("charset", ["koi8-r", "windows-1251", "utf-8"])
def test_old_encodings_are_read(charset: str) -> None:
    raw = f"From: a@b.ru\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode() + "Привет".encode(charset)
    assert read(raw).text == "Привет"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "message"),
        ({"Auto_Submitted": "no"}, "message"),
        ({"Auto_Submitted": "auto-replied"}, "automatic"),
        ({"Auto_Submitted": "auto-generated; reason=x"}, "automatic"),
        ({"Precedence": "bulk"}, "automatic"),
        ({"X_Autoreply": "yes"}, "automatic"),
        ({"X_Auto_Response_Suppress": "All"}, "automatic"),
        ({"List_Id": "<news.example.ru>"}, "automatic"),
        ({"From": "Mail Delivery System <MAILER-DAEMON@example.ru>"}, "bounce"),
        ({"Return_Path": "<>"}, "bounce"),
    ],
)
def test_what_no_person_wrote_is_told_apart(headers: dict[str, str], kind: str) -> None:
    assert read(letter(**headers)).kind == kind


def bounce(notice_id: UUID, action: str = "failed") -> bytes:
    return (
        "From: MAILER-DAEMON@example.ru\r\nSubject: Undelivered\r\nMessage-ID: <"
        + str(new_id())
        + "@mx>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; a@b.ru\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{notice_id}@reglament.localhost>\r\n--b--\r\n"
    ).encode()


def test_a_bounce_names_our_letter_only_when_it_failed_for_good() -> None:
    notice_id = new_id()
    assert read(bounce(notice_id)).undelivered == str(notice_id)
    assert read(bounce(notice_id, "delayed")).undelivered is None
    assert read(letter(f"Message-ID: <{notice_id}@x>\nAction: failed")).undelivered is None


@given(st.binary(max_size=400))
@example(b"text/plain; x*")
@example(b"text/plain; ; *")
@example(b"multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Disposition: attachment; x*\r\n\r\nx")
def test_whatever_bytes_come_a_letter_is_made_of_them(raw: bytes) -> None:
    for content in (raw, b"From: a@b.ru\r\nSubject: =?utf-8?b?" + raw, b"Content-Type: " + raw + b"\r\n\r\n" + raw):
        found = read(content)
        assert found.message_id and "\x00" not in found.text + found.title + found.sender_name
        (found.text + found.title + found.sender + found.sender_name).encode()


def test_the_first_line_is_the_first_that_says_something() -> None:
    assert first_line("\n  \n СТОП \n> вы писали") == "СТОП"
    assert first_line(" \n") == ""


def test_passwords_are_sealed() -> None:
    sealed = seal("key", "пароль")
    assert "пароль".encode() not in sealed and unseal("key", sealed) == "пароль"
    with pytest.raises(ValueError, match="not the key"):
        unseal("other", sealed)
    with pytest.raises(NoKey):
        seal("", "пароль")


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
    (told,) = await received(office)
    assert (told.mail_id, told.thread_id, told.client_id) == (mail.id, mail.id, office.client_id)
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


@needs_dovecot
async def test_a_conversation_is_answered_and_the_answer_is_threaded(office: World, dovecot: Dovecot) -> None:
    """CALL-12: one inquiry while nobody has answered; the answer closes it; a further letter is a new one."""
    first_id = f"<{new_id()}@example.ru>"
    dovecot.put(str(office.office_id), letter(From=office.mail_of("asker"), Message_ID=first_id))
    (first,) = await mails(office, 1)
    dovecot.put(str(office.office_id), letter("И фильтр?", From=office.mail_of("asker"), In_Reply_To=first_id))
    await mails(office, 2)
    assert [told.mail_id for told in await received(office)] == [first.id]
    async with office.staff_http() as http:
        done = await http.post(f"/mails/{first.id}/answer", json={"text": "Есть, 2 450 рублей."})
        assert done.status_code == 201, done.text
        assert (await http.get("/mails", params={"unanswered": True})).json()["items"] == []
    (told,) = await office.notifier.published(MailAnswered, mail_id=first.id)
    assert told.staff_id == office.staff["ivanov"]
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
    assert [told.mail_id for told in await received(office)] == [reply.id]
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
async def test_stop_is_said_by_whoever_was_written_to(office: World, dovecot: Dovecot) -> None:
    """NTF-02: of two clients with one e-mail the other goes on to get theirs."""
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
async def test_a_mark_answers_nobody(office: World, dovecot: Dovecot) -> None:
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
    """CALL-12: also where it was here before the closing was heard of; two closings of the first ask only once."""
    first_id = f"<{new_id()}@example.ru>"
    dovecot.put(str(office.office_id), letter(Message_ID=first_id))
    (first,) = await mails(office, 1)
    closed_at = now()
    dovecot.put(str(office.office_id), letter("И фильтр?", In_Reply_To=first_id))
    second = (await mails(office, 2))[1]
    assert [told.mail_id for told in await received(office)] == [first.id]
    for version in (1, 2):
        status = {"inquiry_id": first.id, "staff_id": office.staff["ivanov"], "status": "won"}
        event = {**office.event(version=version, occurred_at=closed_at), **status}
        await office.notifier.deliver(InquiryStatusChanged.model_validate(event))
    (_, told) = await received(office)
    assert (told.mail_id, told.received_at, told.occurred_at) == (second.id, second.received_at, second.received_at)
    assert [mail.answered_at for mail in await mails(office, 2)] == [closed_at, None]


@needs_dovecot
async def test_a_wrong_password_is_shown_and_a_right_one_mends_it(world: World, dovecot: Dovecot) -> None:
    await world.open_office()
    await configure(dovecot, world, password="wrong")
    assert "AUTHENTICATIONFAILED" in (await checked(world))["error"]
    assert (await configure(dovecot, world, version=1)).status_code == 200
    assert (await checked(world))["error"] is None


async def test_only_head_office_configures_and_nobody_reads_the_password(world: World) -> None:
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
