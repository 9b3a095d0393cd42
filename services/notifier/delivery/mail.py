"""Hand one e-mail to an SMTP server; the outcome never guesses."""

import asyncio
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from html import escape
from typing import Literal
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException

_LINE_END = "\r\n"
_ENCODED_WORD = 40
"""Bytes whose base64 surely fits one encoded word of 75 characters."""


@dataclass(frozen=True)
class Outcome:
    """`retry`: surely not taken; `unknown`: perhaps taken."""

    state: Literal["sent", "retry", "failed", "unknown"]
    answer: str
    gateway: str | None = None
    """Of an SMS: the gateway that took it or perhaps took it."""
    provider_id: str | None = None
    """The id by which its status can be asked; None where it cannot."""
    part_ids: tuple[str, ...] = ()
    """Of a long SMS whose gateway reports about every part."""


@dataclass(frozen=True)
class Letter:
    """What an e-mail consists of."""

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
    unsubscribe_url: str | None = None
    """Of advertising; its page or, by RFC 8058, one POST ends the letters."""
    in_reply_to: str | None = None
    """Message-ID, with its angle brackets, of the letter that this one answers."""


def compose(letter: Letter, mail_from: str) -> bytes:
    """Return the message as it goes over the wire.  Raises ValueError for what may not be in a header."""
    names = (letter.sender_name, letter.recipient_name)
    for value in (letter.recipient, letter.reply_to or "", letter.title, *names, letter.in_reply_to or ""):
        if any(character in value for character in "\r\n\x00"):
            raise ValueError("a line break in a header")
    # EmailMessage loses spaces where it folds a long header that is not ASCII (python/cpython#92081), so the headers
    # with people's words in them are written by the older and correct Header.
    headers = {
        "From": _address("From", letter.sender_name, mail_from),
        "To": _address("To", letter.recipient_name, letter.recipient),
        "Subject": _encoded("Subject", letter.title),
        # The same for every attempt, so that a recipient of two sees that they are one.
        "Message-ID": f"<{letter.id}@{mail_from.rpartition('@')[2]}>",
        "Date": format_datetime(letter.created_at),
        "Auto-Submitted": "auto-generated",
    }
    if letter.in_reply_to:
        # A person answers a person: without «auto-generated» vacation programs reply, as is right for an answer.
        del headers["Auto-Submitted"]
        headers |= {"In-Reply-To": letter.in_reply_to, "References": letter.in_reply_to}
    if letter.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if letter.reply_to:
        headers["Reply-To"] = Address(addr_spec=letter.reply_to).addr_spec
    message = EmailMessage(policy=WIRE)
    message.set_content(letter.text + _opt_out_text(letter))
    if letter.html:
        message.add_alternative(_with_opt_out(letter, letter.html), subtype="html")
    for file_name, media_type, content in letter.attachments:
        main, _, sub = media_type.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=file_name)
    written = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return written.encode("ascii") + message.as_bytes()


def _opt_out_text(letter: Letter) -> str:
    return f"\n--\nОтказаться от рекламных писем: {letter.unsubscribe_url}\n" if letter.unsubscribe_url else ""


def _with_opt_out(letter: Letter, page: str) -> str:
    """Add the way out of advertising, whatever template made the page (NTF-04)."""
    if not letter.unsubscribe_url:
        return page
    link = f'<a href="{escape(letter.unsubscribe_url)}" style="color:#5f6c7b;">Отказаться от рекламных писем</a>'
    footer = f'<p style="text-align:center;font-size:12px;font-family:Arial,sans-serif;">{link}</p>'
    before, end, after = page.rpartition("</body>")
    return before + footer + end + after if end else page + footer


def _encoded(header: str, value: str) -> str:
    return Header(value, "us-ascii" if value.isascii() else "utf-8", header_name=header).encode(linesep=_LINE_END)


def _address(header: str, name: str, address: str) -> str:
    checked = Address(addr_spec=address).addr_spec  # Raises for what is no address.
    # Cut between words: Python's own parser shows a space where an encoded word ends, whatever the standard says.
    chunks: list[str] = []
    for word in re.findall(r"\S+\s*", name):
        if chunks and len((chunks[-1] + word).encode()) <= _ENCODED_WORD:
            chunks[-1] += word
        else:
            chunks.append(word)
    encoded = f"{_LINE_END} ".join(
        Header(chunk, "utf-8", header_name=header).encode(linesep=_LINE_END) for chunk in chunks
    )
    return f"{encoded} <{checked}>".strip()


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
        """Send the letter and return the outcome; errors of the server become outcomes."""
        try:
            content = compose(letter, self._mail_from)
        except (ValueError, LookupError, HeaderParseError) as error:
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
            if self._smtp is not None and not self._smtp.is_connected:
                self.close()  # Connecting itself was refused.
            state: Literal["retry", "failed"] = "retry" if 400 <= error.code < 500 else "failed"
            return Outcome(state, f"{error.code} {error.message}")
        except (SMTPException, OSError, TimeoutError) as error:
            self.close()
            return Outcome("unknown" if handed_over else "retry", f"{type(error).__name__}: {error}")
        except BaseException:
            self.close()
            raise

    async def _connected(self) -> aiosmtplib.SMTP:
        """Return a connection that answers: one that the server closed must not cost a letter an attempt."""
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

    def close(self) -> None:
        """Close the connection without ending the session."""
        if self._smtp is not None:
            with contextlib.suppress(Exception):
                self._smtp.close()
            self._smtp = None

    async def quit(self) -> None:
        """End the session when there is nothing to send for a while."""
        if self._smtp is not None:
            with contextlib.suppress(Exception):
                await self._smtp.quit()
            self._smtp = None
