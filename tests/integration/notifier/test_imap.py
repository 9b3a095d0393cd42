"""The IMAP client against a real server: positions, TLS, timeouts, huge and deleted letters, errors in one line."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from services.notifier.inbound import imap
from services.notifier.inbound.domain import parse_letter
from shared.persistence.database import new_id
from tests.support.dovecot import PASSWORD, Dovecot, running_dovecot, why_not
from tests.support.letters import letter

pytestmark = [
    pytest.mark.clause("CALL-12"),
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]
TODAY = datetime.now(UTC).date()
UNSEEN = imap.Position(None, 0, TODAY)


@pytest_asyncio.fixture(scope="session")
async def dovecot() -> AsyncIterator[Dovecot]:
    async with running_dovecot() as running:
        yield running


@pytest.fixture
def access(dovecot: Dovecot) -> imap.Access:
    """A new mailbox."""
    return imap.Access("127.0.0.1", dovecot.port, "none", str(new_id()), PASSWORD, "INBOX")


async def fetch(access: imap.Access, position: imap.Position = UNSEEN, timeout: float = 10) -> imap.Fetched:
    return await asyncio.to_thread(imap.fetch, access, position, timeout)


async def begun(access: imap.Access) -> imap.Position:
    """The position in a mailbox that has just been looked into for the first time."""
    first = await fetch(access)
    assert (first.letters, first.more) == ([], False)
    return after(first)


def after(fetched: imap.Fetched, day: Any = TODAY) -> imap.Position:
    return imap.Position(fetched.uid_validity, fetched.last_uid, day)


def titles(fetched: imap.Fetched) -> list[str]:
    return [parse_letter(raw).title for _, raw in fetched.letters]


async def test_only_what_came_after_the_position_is_fetched_and_once(dovecot: Dovecot, access: imap.Access) -> None:
    dovecot.put(access.login, letter(Subject="Прежнее"))
    position = await begun(access)
    assert (await fetch(access, position)).letters == []
    for number in range(3):
        dovecot.put(access.login, letter(Subject=f"Новое {number}"))
    new = await fetch(access, position)
    assert titles(new) == ["Новое 0", "Новое 1", "Новое 2"]
    assert [number for number, _ in new.letters] == [2, 3, 4] and new.last_uid == 4
    assert (await fetch(access, after(new))).letters == []
    assert b"Seen" not in dovecot.flags(access.login)


async def test_a_full_mailbox_is_read_in_batches(
    dovecot: Dovecot, access: imap.Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "BATCH", 2)
    position, read = await begun(access), []
    for number in range(5):
        dovecot.put(access.login, letter(Subject=str(number)))
    for more in (True, True, False):
        fetched = await fetch(access, position)
        read += titles(fetched)
        position = after(fetched)
        assert fetched.more is more
    assert read == ["0", "1", "2", "3", "4"]


async def test_a_renumbered_folder_is_read_again_from_the_day_of_the_last_look(
    dovecot: Dovecot, access: imap.Access
) -> None:
    position = await begun(access)
    dovecot.put(access.login, letter(Subject="Первое"))
    read = after(await fetch(access, position))
    position = replace(read, uid_validity=(read.uid_validity or 0) - 1)
    assert titles(await fetch(access, position)) == ["Первое"]
    assert (await fetch(access, replace(position, day=TODAY + timedelta(days=2)))).letters == []


@pytest.mark.parametrize("mail", [b"\xff\xfe no headers at all", b"Subject: =?utf-8?B?\xff?=\r\n\r\n\x00\xff", b"\r\n"])
async def test_bytes_are_fetched_as_they_are(dovecot: Dovecot, access: imap.Access, mail: bytes) -> None:
    position = await begun(access)
    dovecot.put(access.login, mail)
    ((_, raw),) = (await fetch(access, position)).letters
    assert raw == mail.replace(b"\x00", b"\x80")  # Dovecot keeps no NUL.
    assert parse_letter(raw).kind == "message"


async def test_of_a_huge_letter_the_beginning_is_fetched(
    dovecot: Dovecot, access: imap.Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "MAX_LETTER_BYTES", 20_000)
    monkeypatch.setattr(imap, "TRUNCATED_BYTES", 5_000)
    position = await begun(access)
    dovecot.put(access.login, letter("Большое. " * 3_000, Subject="Большое"))
    dovecot.put(access.login, letter(Subject="Малое"))
    fetched = await fetch(access, position)
    assert titles(fetched) == ["Большое", "Малое"]
    assert len(fetched.letters[0][1]) == 5_000


async def test_a_letter_of_megabytes_comes_whole(dovecot: Dovecot, access: imap.Access) -> None:
    position = await begun(access)
    mail = letter(Subject="Фото") + b"0123456789\r\n" * 400_000
    dovecot.put(access.login, mail)
    ((_, raw),) = (await fetch(access, position)).letters
    assert raw == mail


@pytest.mark.parametrize("step", ["search", "fetch"])
async def test_a_letter_that_is_deleted_meanwhile_is_left_out(
    dovecot: Dovecot, access: imap.Access, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Between the search and its size, or between its size and its text."""
    position = await begun(access)
    for number in range(3):
        dovecot.put(access.login, letter(Subject=str(number)))
    original = getattr(IMAPClient, step)
    deleted: list[bool] = []

    def and_delete(client: Any, *arguments: Any) -> Any:
        answer = original(client, *arguments)
        if not deleted:
            deleted.append(True)
            dovecot.delete(access.login, 2)
        return answer

    monkeypatch.setattr(IMAPClient, step, and_delete)
    fetched = await fetch(access, position)
    assert (titles(fetched), fetched.last_uid) == (["0", "2"], 3)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_tls_reads_from_a_trusted_server_and_refuses_a_strange_one(
    dovecot: Dovecot, access: imap.Access, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    port = dovecot.tls_port if security == "tls" else dovecot.port
    secure = replace(access, security=security, port=port)
    with pytest.raises(imap.ImapError, match="CERTIFICATE_VERIFY_FAILED"):
        await fetch(secure)
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certificate))
    position = await begun(secure)
    dovecot.put(access.login, letter(Subject="Тайное"))
    assert titles(await fetch(secure, position)) == ["Тайное"]
    with pytest.raises(imap.ImapError, match="CERTIFICATE_VERIFY_FAILED"):
        await fetch(replace(secure, host="localhost"))  # The certificate is for the address.


async def test_a_server_without_starttls_gets_no_password() -> None:
    lines = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            lines.extend(line)
            tag, command = line.split()[:2]
            extra = b"* CAPABILITY IMAP4rev1\r\n" if command == b"CAPABILITY" else b"* BYE\r\n"
            writer.write(extra + tag + b" OK done\r\n")
            if command == b"LOGOUT":
                break
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(imap.ImapError, match="STARTTLS"):
            await fetch(imap.Access("127.0.0.1", port, "starttls", "office", PASSWORD, "INBOX"))
    assert b"CAPABILITY" in lines and b"LOGIN" not in lines and PASSWORD.encode() not in lines


@pytest.mark.parametrize(("security", "greeting"), [("none", b""), ("none", b"* OK ready\r\n"), ("tls", b"")])
async def test_a_silent_server_is_left_after_the_timeout(security: str, greeting: bytes) -> None:
    end = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await end.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        begin = time.monotonic()
        with pytest.raises(imap.ImapError, match=r"(?i)timed out"):
            await fetch(imap.Access("127.0.0.1", port, security, "office", PASSWORD, "INBOX"), timeout=0.5)
        assert 0.4 < time.monotonic() - begin < 5
        end.set()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wrong"}, "AUTHENTICATIONFAILED"),
        ({"password": "пароль"}, "ascii"),
        ({"folder": "Nowhere"}, "Mailbox doesn't exist: Nowhere"),
        ({"port": 1}, "refused"),
        ({"host": "nowhere.invalid"}, "gaierror"),
    ],
)
async def test_errors_have_one_line_and_no_password(access: imap.Access, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(imap.ImapError) as refused:
        await fetch(replace(access, **changes))
    text = str(refused.value)
    assert reason in text and "\n" not in text
    assert PASSWORD not in text and "пароль" not in text


async def test_a_folder_with_a_space_is_found(dovecot: Dovecot, access: imap.Access) -> None:
    dovecot.create(access.login, "Letters of clients")
    assert (await fetch(replace(access, folder="Letters of clients"))).last_uid == 0


async def test_a_letter_that_the_server_refuses_does_not_hold_up_those_behind_it(
    access: imap.Access, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = await begun(access)
    for title in ("Первое", "Второе", "Третье"):
        dovecot.put(access.login, letter(Subject=title))
    ask = IMAPClient.fetch

    def refuse_second(client: IMAPClient, numbers: list[int], data: list[str]) -> Any:
        if data[0].startswith("BODY") and numbers[0] == position.last_uid + 2:
            raise IMAPClientError("FETCH failed: NO [SERVERBUG] Internal error")
        return ask(client, numbers, data)

    monkeypatch.setattr(IMAPClient, "fetch", refuse_second)
    fetched = await fetch(access, position)
    assert titles(fetched) == ["Первое", "Третье"]
    assert fetched.last_uid == position.last_uid + 3
