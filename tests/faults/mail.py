"""A mail server that counts what it accepted and misbehaves on request."""

import asyncio
from asyncio import Transport
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from devtools.supervisor.processes import free_port


@dataclass
class MailServer:
    port: int
    taken: Counter[str] = field(default_factory=Counter)
    """Message-ID → how often it was accepted."""
    answers: list[str] = field(default_factory=list)
    """Answers to the next letters, in order; `drop` accepts the letter and hangs up, `slow` accepts it and answers only
    after `slow_seconds`."""
    banners: list[float] = field(default_factory=list)
    """Seconds that the next connections wait for the banner."""
    slow_seconds: float = 0.0

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd)
        answer = self.answers.pop(0) if self.answers else "250 OK"
        content = envelope.content
        assert isinstance(content, bytes)
        if answer in ("250 OK", "drop", "slow"):
            self.taken[str(message_from_bytes(content)["Message-ID"]).strip("<>").partition("@")[0]] += 1
        if answer == "drop":
            assert isinstance(server.transport, Transport)
            server.transport.abort()
        if answer == "slow":
            await asyncio.sleep(self.slow_seconds)
            return "250 OK"
        return answer


class SlowBanner(SMTP):
    async def _handle_client(self) -> None:
        banners = self.event_handler.banners
        await asyncio.sleep(banners.pop(0) if banners else 0)
        await super()._handle_client()


class SlowController(Controller):
    def factory(self) -> SMTP:
        return SlowBanner(self.handler, **self.SMTP_kwargs)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Serve in its own thread: it answers while the scenario waits."""
    server = MailServer(free_port())
    controller = SlowController(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
