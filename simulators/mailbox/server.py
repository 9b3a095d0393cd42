"""The demo's mailbox: an SMTP server that delivers nothing, and a page where everything it received can be read.

    python -m simulators.mailbox.server --smtp-port 1025 --http-port 8025 --directory mail

Two kinds of recipient are refused, so that both ends of a mail's life can be tried: a local part that begins with
`reject4` is answered 451 (try again later), with `reject5` 550 (never).
"""

import argparse
import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from aiosmtpd.smtp import SMTP
from fastapi import FastAPI, HTTPException, Query, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader

from simulators.embedded_http import serving, until_terminated
from simulators.mailbox.store import Mail, MailStore

Limit = Annotated[int, Query(ge=1, le=1_000)]
MAX_MESSAGES = 2_000
MAX_BYTES = 256 * 1024 * 1024
SAFE_CONTENT_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'"
# Mail is foreign HTML: it may neither run scripts nor load anything, also when it is opened by itself.
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class _Handler:
    """aiosmtpd calls these by name."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if address.casefold().startswith("reject4"):
            return "451 4.2.1 Mailbox is busy, try again later"
        if address.casefold().startswith("reject5"):
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        mail = self._store.add(envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content)
        return f"250 2.0.0 OK {mail.id}"


@dataclass
class RunningMailbox:
    smtp_host: str
    smtp_port: int
    http_url: str
    store: MailStore

    @property
    def messages(self) -> list[Mail]:
        """Newest first."""
        return self.store.newest()

    async def wait_for(self, *, to: str = "", subject: str = "", count: int = 1, timeout: float = 10) -> list[Mail]:
        """Return the mails found, newest first, when there are `count` of them.  Raises TimeoutError."""
        give_up = time.monotonic() + timeout
        while len(found := self.store.newest(to, subject)) < count:
            if time.monotonic() > give_up:
                raise TimeoutError(f"{len(found)} of {count} mails to {to!r} with {subject!r} within {timeout} s")
            await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def running_mailbox(
    smtp_port: int = 0,
    http_port: int = 0,
    directory: Path | None = None,
    host: str = "127.0.0.1",
    max_messages: int = MAX_MESSAGES,
    max_bytes: int = MAX_BYTES,
) -> AsyncIterator[RunningMailbox]:
    """Run the mailbox.  Port 0 takes a free one.  Raises OSError when a port is busy."""
    store = MailStore(directory, max_messages, max_bytes)
    handler = _Handler(store)
    loop = asyncio.get_running_loop()
    connections: list[SMTP] = []

    def connection() -> SMTP:
        connections[:] = [known for known in connections if known.transport is not None]
        connections.append(SMTP(handler, hostname="mailbox.localhost", enable_SMTPUTF8=True, loop=loop))
        return connections[-1]

    smtp = await loop.create_server(connection, host, smtp_port)
    try:
        async with serving(mailbox_app(store), host, http_port) as http_url:
            yield RunningMailbox(host, smtp.sockets[0].getsockname()[1], http_url, store)
    finally:
        smtp.close()
        for open_connection in connections:
            if open_connection.transport is not None:
                open_connection.transport.close()
        await smtp.wait_closed()


def mailbox_app(store: MailStore) -> FastAPI:
    app = FastAPI(title="Почта демонстрации")
    pages = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)

    def page(name: str, **values: Any) -> HTMLResponse:
        content = pages.get_template(name).render(**values)
        return HTMLResponse(content, headers={"Content-Security-Policy": PAGE_POLICY})

    def existing(mail_id: str) -> Mail:
        mail = store.get(mail_id)
        if mail is None:
            raise HTTPException(404, "Такого письма нет")
        return mail

    @app.get("/api/messages")
    async def list_messages(to: str = "", subject: str = "", limit: Limit = 100) -> list[dict[str, Any]]:
        return [mail.as_json() for mail in store.newest(to, subject, limit)]

    @app.get("/api/messages/{mail_id}")
    async def read_message(mail_id: str) -> dict[str, Any]:
        return existing(mail_id).as_json()

    @app.get("/api/messages/{mail_id}/raw")
    async def read_raw_message(mail_id: str) -> Response:
        return _download(existing(mail_id).raw, "message/rfc822", f"{mail_id}.eml")

    @app.get("/api/messages/{mail_id}/attachments/{number}")
    async def read_attachment(mail_id: str, number: int) -> Response:
        """Return an attachment; `number` counts from 0, as in the list."""
        attachments = existing(mail_id).attachments
        if not 0 <= number < len(attachments):
            raise HTTPException(404, "Такого вложения нет")
        attachment = attachments[number]
        return _download(attachment.content, attachment.content_type, attachment.name)

    @app.delete("/api/messages", status_code=204)
    async def delete_messages() -> None:
        store.clear()

    @app.get("/", include_in_schema=False)
    async def show_list(to: str = "", subject: str = "", limit: Limit = 100) -> HTMLResponse:
        return page("mailbox_list.html", mails=store.newest(to, subject, limit), to=to, subject=subject)

    @app.get("/messages/{mail_id}", include_in_schema=False)
    async def show_message(mail_id: str) -> HTMLResponse:
        return page("mailbox_message.html", mail=existing(mail_id))

    @app.get("/messages/{mail_id}/html", include_in_schema=False)
    async def show_html(mail_id: str) -> HTMLResponse:
        return HTMLResponse(existing(mail_id).html or "", headers={"Content-Security-Policy": MAIL_POLICY})

    return app


def _download(content: bytes, content_type: str, name: str) -> Response:
    return Response(
        content,
        media_type=content_type if SAFE_CONTENT_TYPE.fullmatch(content_type) else "application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _main(arguments: argparse.Namespace) -> None:
    async with running_mailbox(
        arguments.smtp_port, arguments.http_port, arguments.directory, arguments.host
    ) as mailbox:
        print(f"Почта: {mailbox.http_url}, SMTP {mailbox.smtp_host}:{mailbox.smtp_port}", flush=True)
        await until_terminated()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m simulators.mailbox.server", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, default=1025, help="0 takes a free one")
    parser.add_argument("--http-port", type=int, default=8025, help="0 takes a free one")
    parser.add_argument("--directory", type=Path, help="keeps the mail as .eml files, so that a restart finds it")
    asyncio.run(_main(parser.parse_args()))
