"""Sending: real SMTP, the gateway's protocol, every end a notice can have."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from services.notifier.delivery.mail import Letter, Mailer, Outcome
from shared.base.clock import now
from shared.persistence.database import new_id


@asynccontextmanager
async def smtp_server(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A server that follows a script, for what a well-behaved one never does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def answer_until(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, last: bytes) -> None:
    """A friendly server that falls silent at the command `last`; `.` ends the letter."""
    writer.write(b"220 hello\r\n")
    in_letter = False
    while line := await reader.readline():
        if line.upper().startswith(last):
            return
        if not in_letter:
            in_letter = line.upper().startswith(b"DATA")
            writer.write(b"354 go\r\n" if in_letter else b"250 ok\r\n")


async def send_to(port: int, timeout: float = 5) -> Outcome:
    letter = Letter(new_id(), "Офис", "a@example.ru", "Имя", None, "Тема", "Текст", None, now())
    mailer = Mailer(f"smtp://127.0.0.1:{port}", "no-reply@example.ru", timeout)
    try:
        return await mailer.send(letter)
    finally:
        mailer.close()


async def test_a_connection_lost_before_the_data_is_a_retry() -> None:
    async with smtp_server(lambda reader, writer: answer_until(reader, writer, b"RCPT")) as port:
        assert (await send_to(port)).state == "retry"


async def test_a_connection_lost_after_the_data_is_unknown() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_until(reader, writer, b".\r\n")

    async with smtp_server(talk) as port:
        assert (await send_to(port)).state == "unknown"


async def test_a_server_that_never_answers_the_data_leaves_an_unknown_outcome() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_until(reader, writer, b".\r\n")
        await asyncio.sleep(5)

    async with smtp_server(talk) as port:
        assert (await send_to(port, timeout=0.5)).state == "unknown"


async def test_a_server_that_does_not_listen_is_a_retry() -> None:
    async with smtp_server(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    assert (await send_to(port)).state == "retry"
