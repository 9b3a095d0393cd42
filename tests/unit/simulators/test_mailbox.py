"""The demo's mailbox over real SMTP and real HTTP."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest

from simulators.mailbox.server import RunningMailbox, running_mailbox
from tests.support import ROOT


@pytest.fixture
async def mailbox() -> AsyncIterator[RunningMailbox]:
    async with running_mailbox() as running:
        yield running


def letter(to: str = "manager@office.example", subject: str = "Новый VIN-запрос") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "ПроДеталь-Мира 45 <office@prodetal.example>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<1@prodetal.example>"
    message.set_content("Здравствуйте!\n")
    return message


async def send(mailbox: RunningMailbox, message: EmailMessage, *recipients: str) -> None:
    await aiosmtplib.send(
        message, hostname="127.0.0.1", port=mailbox.smtp_port, recipients=list(recipients) or None, start_tls=False
    )


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def test_a_letter_can_be_read_over_http(mailbox: RunningMailbox) -> None:
    message = letter()
    message.add_alternative("<p>Здравствуйте!</p>", subtype="html")
    message.add_attachment(b"%PDF-1.7 demo", maintype="application", subtype="pdf", filename="Счёт на оплату № 1.pdf")
    await send(mailbox, message)

    async with httpx.AsyncClient(base_url=mailbox.http_url) as http:
        (read,) = (await http.get("/api/messages")).json()
        assert read["from"] == "ПроДеталь-Мира 45 <office@prodetal.example>"
        assert read["to"] == ["manager@office.example"]
        assert read["subject"] == "Новый VIN-запрос"
        assert read["message_id"] == "<1@prodetal.example>"
        assert read["text"].strip() == "Здравствуйте!"
        assert read["html"].strip() == "<p>Здравствуйте!</p>"
        assert read["attachments"] == [
            {"name": "Счёт на оплату № 1.pdf", "content_type": "application/pdf", "size": len(b"%PDF-1.7 demo")}
        ]
        assert (await http.get(f"/api/messages/{read['id']}")).json() == read
        attachment = await http.get(f"/api/messages/{read['id']}/attachments/0")
        assert attachment.content == b"%PDF-1.7 demo"
        assert attachment.headers["content-type"] == "application/pdf"
        assert attachment.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%D0%A1")
        assert (await http.get(f"/api/messages/{read['id']}/raw")).content.startswith(b"From:")
        for missing in ("/api/messages/none", f"/api/messages/{read['id']}/attachments/1", "/messages/none"):
            assert (await http.get(missing)).status_code == 404


async def test_letters_are_listed_newest_first_and_filtered(mailbox: RunningMailbox) -> None:
    for number, to in enumerate(["first@office.example", "second@office.example", "first@office.example"]):
        await send(mailbox, letter(to, f"Письмо {number}"))
    async with httpx.AsyncClient(base_url=mailbox.http_url) as http:

        async def subjects(**parameters: str | int) -> list[str]:
            answer = await http.get("/api/messages", params=parameters)
            return [mail["subject"] for mail in answer.json()]

        assert await subjects() == ["Письмо 2", "Письмо 1", "Письмо 0"]
        assert await subjects(to="FIRST@office.example") == ["Письмо 2", "Письмо 0"]
        assert await subjects(subject="письмо 1") == ["Письмо 1"]
        assert await subjects(limit=1) == ["Письмо 2"]
        assert (await http.get("/api/messages", params={"limit": 0})).status_code == 422
        assert [mail.subject for mail in mailbox.messages] == await subjects()

        page = (await http.get("/", params={"to": "second@"})).text
        assert "Письмо 1" in page
        assert "Письмо 2" not in page

        assert (await http.delete("/api/messages")).status_code == 204
        assert await subjects() == []
        assert "Писем нет" in (await http.get("/")).text


async def test_the_page_keeps_a_letters_html_in_a_sandbox(mailbox: RunningMailbox) -> None:
    message = letter(subject="<script>alert(1)</script>")
    message.add_alternative('<p>"Привет"</p><script>alert(2)</script>', subtype="html")
    await send(mailbox, message)
    async with httpx.AsyncClient(base_url=mailbox.http_url) as http:
        page = await http.get(f"/messages/{mailbox.messages[0].id}")
        html = await http.get(f"/messages/{mailbox.messages[0].id}/html")
    assert "<script>" not in page.text
    assert f'<iframe sandbox title="Письмо" src="{html.request.url.path}">' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "alert(2)" in html.text
    assert html.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


async def test_the_envelope_names_the_recipients_blind_copies_too(mailbox: RunningMailbox) -> None:
    await send(mailbox, letter(to="shown@office.example"), "shown@office.example", "blind@office.example")
    assert mailbox.messages[0].recipients == ["shown@office.example", "blind@office.example"]


@pytest.mark.parametrize(("recipient", "code"), [("reject4.busy@office.example", 451), ("Reject5@office.example", 550)])
async def test_the_hooks_refuse_for_a_while_or_for_good(mailbox: RunningMailbox, recipient: str, code: int) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(mailbox, letter(recipient))
    assert [item.code for item in refused.value.recipients] == [code]
    assert mailbox.messages == []
    await send(mailbox, letter(), recipient, "manager@office.example")
    assert mailbox.messages[0].recipients == ["manager@office.example"]


async def test_waiting_for_a_letter(mailbox: RunningMailbox) -> None:
    waiting = asyncio.create_task(mailbox.wait_for(to="manager@", subject="VIN"))
    await asyncio.sleep(0.03)
    assert not waiting.done()
    await send(mailbox, letter())
    assert [mail.subject for mail in await waiting] == ["Новый VIN-запрос"]
    with pytest.raises(TimeoutError):
        await mailbox.wait_for(to="unknown@", timeout=0.05)


async def test_a_restart_keeps_the_letters_of_the_directory(tmp_path: Path) -> None:
    async with running_mailbox(directory=tmp_path) as first:
        await send(first, letter(subject="Раньше"), "manager@office.example", "blind@office.example")
        await send(first, letter(subject="Позже"), "пётр@почта.example")
        before = first.messages
        assert before[0].recipients == ["пётр@почта.example"]
    async with running_mailbox(directory=tmp_path) as second:
        assert second.messages == before
        second.store.clear()
    assert names_in(tmp_path) == []


async def test_a_foreign_file_in_the_directory_is_shown_too(tmp_path: Path) -> None:
    (tmp_path / "kept.eml").write_bytes(b"To: manager@office.example\nSubject: Old\n\nHello\n")
    async with running_mailbox(directory=tmp_path) as mailbox:
        (mail,) = mailbox.messages
        assert (mail.recipients, mail.subject, mail.text) == (["manager@office.example"], "Old", "Hello\n")


async def test_the_oldest_letters_make_room(tmp_path: Path) -> None:
    async with running_mailbox(directory=tmp_path, max_messages=2) as mailbox:
        for number in range(3):
            await send(mailbox, letter(subject=f"Письмо {number}"))
        assert [mail.subject for mail in mailbox.messages] == ["Письмо 2", "Письмо 1"]
        assert names_in(tmp_path) == sorted(f"{mail.id}.eml" for mail in mailbox.messages)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no headers at all\r\n",
        b"Subject: =?unknown-charset?q?=C0?=\r\nContent-Type: text/plain; charset=unknown\r\n\r\n\xff\xfe\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: \xff/\r\n\r\nhalf a part",
        b"From: =?utf-8?q?a=0D=0Ab?= <=?utf-8?q?a=0D=0A?=@b>\r\n\r\nbody\r\n",
        b"From: \xd0\xb0@b\r\nDate: yesterday\r\nMessage-ID: broken id\r\n\r\nbody\r\n",
    ],
)
async def test_broken_letters_are_kept_and_shown(mailbox: RunningMailbox, content: bytes) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=mailbox.smtp_port, start_tls=False) as smtp:
        await smtp.sendmail("office@prodetal.example", ["manager@office.example"], content)
    async with httpx.AsyncClient(base_url=mailbox.http_url) as http:
        (read,) = (await http.get("/api/messages")).json()
        assert (await http.get(f"/messages/{read['id']}")).status_code == 200


async def test_a_busy_port_is_an_error_and_leaves_nothing_open(mailbox: RunningMailbox) -> None:
    http_port = int(mailbox.http_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        async with running_mailbox(http_port=http_port):
            pass
    with pytest.raises(OSError, match="in use"):
        async with running_mailbox(smtp_port=mailbox.smtp_port):
            pass


async def test_the_process_ends_quickly_on_sigterm_while_clients_are_connected(tmp_path: Path) -> None:
    arguments = [
        "-m",
        "simulators.mailbox.server",
        "--smtp-port",
        "0",
        "--http-port",
        "0",
        "--directory",
        str(tmp_path),
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        url, smtp_port = line.split()[1].rstrip(","), int(line.rpartition(":")[2])
        smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=smtp_port, start_tls=False)
        await smtp.connect()
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.get("/api/messages")).json() == []
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 5) == 0
            assert time.monotonic() - started < 3
        assert await process.stderr.read() == b""
        smtp.close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
