"""Handing one e-mail to an SMTP server, with an outcome that never guesses."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Literal
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException


@dataclass(frozen=True)
class Outcome:
    """`retry`: surely not taken; `unknown`: perhaps taken."""

    state: Literal["sent", "retry", "failed", "unknown"]
    answer: str


@dataclass(frozen=True)
class Letter:
    id: UUID
    sender_name: str
    recipient: str
    recipient_name: str
    reply_to: str | None
    title: str
    text: str
    html: str | None
    created_at: datetime
    attachments: Sequence[tuple[str, str, bytes]] = ()
    """File name, media type, content."""


def compose(letter: Letter, mail_from: str) -> EmailMessage:
    """Raises ValueError for what may not stand in a header, line breaks above all."""
    for value in (letter.recipient, letter.reply_to or "", letter.title, letter.sender_name, letter.recipient_name):
        if any(character in value for character in "\r\n\x00"):
            raise ValueError("a line break in a header")
    message = EmailMessage(policy=WIRE)
    message["From"] = Address(letter.sender_name, addr_spec=mail_from)
    message["To"] = Address(letter.recipient_name, addr_spec=letter.recipient)
    if letter.reply_to:
        message["Reply-To"] = Address(addr_spec=letter.reply_to)
    message["Subject"] = letter.title
    message["Date"] = format_datetime(letter.created_at)
    # The same for every attempt, so that a recipient who gets two knows that they are one.
    message["Message-ID"] = f"<{letter.id}@{mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    for file_name, media_type, content in letter.attachments:
        main, _, sub = media_type.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=file_name)
    return message


class Mailer:
    """One connection to the SMTP server, kept between letters and opened anew when it is lost."""

    def __init__(self, url: str, mail_from: str, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("REGLAMENT_SMTP_URL looks like smtp://host:port or smtps://user:password@host:port")
        self._mail_from = mail_from
        self._timeout = timeout_seconds
        self._options = {
            "hostname": parts.hostname,
            "port": parts.port,
            "username": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
            "use_tls": parts.scheme == "smtps",
            # Looking up our own full name could block on a name server.
            "local_hostname": mail_from.rpartition("@")[2],
            "timeout": timeout_seconds,
        }
        self._smtp: aiosmtplib.SMTP | None = None

    async def send(self, letter: Letter) -> Outcome:
        try:
            message = compose(letter, self._mail_from)
            content = message.as_bytes()
            letter.recipient.encode("ascii")
        except (ValueError, LookupError) as error:
            return Outcome("failed", f"письмо нельзя составить: {error}")
        handed_over = False
        try:
            async with asyncio.timeout(self._timeout):
                smtp = await self._connected()
                await smtp.mail(self._mail_from)
                await smtp.rcpt(letter.recipient)
                handed_over = True
                response = await smtp.data(content)
                return Outcome("sent", f"{response.code} {response.message}")
        except SMTPResponseException as error:
            await self.reset()
            state: Literal["retry", "failed"] = "retry" if 400 <= error.code < 500 else "failed"
            return Outcome(state, f"{error.code} {error.message}")
        except (SMTPException, OSError, TimeoutError) as error:
            self.close()
            return Outcome("unknown" if handed_over else "retry", f"{type(error).__name__}: {error}")
        except BaseException:
            self.close()
            raise

    async def _connected(self) -> aiosmtplib.SMTP:
        """A connection that answers: one that the server closed meanwhile must not cost a letter an attempt."""
        if self._smtp is not None:
            try:
                await self._smtp.rset()
                return self._smtp
            except (SMTPException, OSError):
                self.close()
        smtp = aiosmtplib.SMTP(**self._options)  # type: ignore[arg-type]  # The options are as its parameters.
        await smtp.connect()
        self._smtp = smtp
        return smtp

    async def reset(self) -> None:
        """Connecting itself may have been refused; then there is nothing to reset."""
        if self._smtp is not None and not self._smtp.is_connected:
            self.close()

    def close(self) -> None:
        if self._smtp is not None:
            with contextlib.suppress(Exception):
                self._smtp.close()
            self._smtp = None

    async def quit(self) -> None:
        """Say goodbye when there is nothing to send for a while."""
        if self._smtp is not None:
            with contextlib.suppress(Exception):
                await self._smtp.quit()
            self._smtp = None
