"""Parse a letter as it came: who writes, what, in answer to what, and whether a person wrote it (CALL-12)."""

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Literal

Kind = Literal["message", "automatic", "bounce"]

MAX_TEXT = 100_000
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,300}>")
_OUR_ID = re.compile(rb"^Message-ID:\s*<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.MULTILINE | re.IGNORECASE)
_FAILED = re.compile(rb"^Action:\s*failed\b", re.MULTILINE | re.IGNORECASE)
_DAEMONS = {"mailer-daemon", "postmaster"}
_BULK = {"bulk", "junk", "list", "auto_reply"}
_ONLY_PROGRAMS = ("x-autoreply", "x-autorespond", "x-auto-response-suppress", "list-id", "list-unsubscribe")


if TYPE_CHECKING:
    _Policy = EmailPolicy[EmailMessage]
else:
    _Policy = EmailPolicy


class _Lenient(_Policy):
    """Reads malformed headers for which Python's parser of structured headers raises as empty."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        try:
            return super().header_fetch_parse(name, value)
        except Exception:
            return super().header_fetch_parse(name, "")


_LENIENT = _Lenient()


@dataclass(frozen=True)
class Letter:
    """What a letter says."""

    message_id: str
    references: list[str]
    """What it answers, the nearest first."""
    sender: str
    """Lower case; empty when it cannot be read."""
    sender_name: str
    title: str
    text: str
    attachments: list[str]
    kind: Kind
    sent_at: datetime | None
    undelivered: str | None = None
    """Of a bounce: the part before the @ of the Message-ID that could not be delivered."""


def parse_letter(raw: bytes) -> Letter:
    """Return the parsed letter; never raises: what cannot be read is empty."""
    message = message_from_bytes(raw, policy=_LENIENT)
    senders = getaddresses([_header(message, "From")])
    name, address = senders[0] if senders else ("", "")
    found = _MESSAGE_ID.search(_header(message, "Message-ID"))
    # A letter without an id must not be stored twice either.
    message_id = found[0] if found else f"<{hashlib.sha256(raw).hexdigest()}@no-message-id>"
    references = _MESSAGE_ID.findall(_header(message, "In-Reply-To"))
    references += reversed(_MESSAGE_ID.findall(_header(message, "References")))
    kind = _kind(message, address.lower())
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    ours = _OUR_ID.search(body) if kind == "bounce" and _FAILED.search(body) else None
    return Letter(
        message_id=_clean(message_id, 400),
        references=list(dict.fromkeys(_clean(reference, 400) for reference in references))[:50],
        sender=_clean(address, 320).lower(),
        sender_name=_clean(name, 200),
        title=_clean(_header(message, "Subject"), 300),
        text=_text(message),
        attachments=_attachments(message),
        kind=kind,
        sent_at=_date(message),
        undelivered=ours[1].decode().lower() if ours else None,
    )


def first_line(text: str) -> str:
    """Return the first line that is not blank."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name) or "")


def _kind(message: EmailMessage, sender: str) -> Kind:
    report = ""
    with suppress(Exception):
        report = str(message.get_param("report-type") or "") if message.get_content_type() == "multipart/report" else ""
    if report.lower() == "delivery-status" or sender.partition("@")[0] in _DAEMONS:
        return "bounce"
    if _header(message, "Return-Path").strip() == "<>":
        return "bounce"
    automatic = _header(message, "Auto-Submitted").partition(";")[0].strip().lower() not in ("", "no")
    bulk = _header(message, "Precedence").strip().lower() in _BULK
    if automatic or bulk or report or any(_header(message, name) for name in _ONLY_PROGRAMS):
        return "automatic"
    return "message"


def _text(message: EmailMessage) -> str:
    part = None
    with suppress(Exception):
        part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content = _decoded(part).encode("utf-8", "replace").decode()  # Some character sets yield lone surrogates.
    if part.get_content_type() == "text/html":
        content = _without_tags(content)
    return content.replace("\r\n", "\n").replace("\x00", "").strip()[:MAX_TEXT]


def _decoded(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    try:
        return content.decode(part.get_content_charset() or "utf-8", errors="replace")
    except (LookupError, ValueError):  # An unknown character set, or one that refuses some bytes in any case.
        return content.decode("utf-8", errors="replace")


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "script", "head", "title")
        if tag in ("br", "p", "div", "tr", "li"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script", "head", "title") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def _without_tags(page: str) -> str:
    reader = _Words()
    with suppress(Exception):
        reader.feed(page)
    return re.sub(r"\n\s*\n+", "\n\n", re.sub(r"[ \t]+", " ", "".join(reader.words)))


def _attachments(message: EmailMessage) -> list[str]:
    with suppress(Exception):
        return [_clean(part.get_filename() or "без имени", 200) for part in message.iter_attachments()][:50]
    return []


def _date(message: EmailMessage) -> datetime | None:
    with suppress(Exception):
        return parsedate_to_datetime(_header(message, "Date")).astimezone(UTC)
    return None


def _clean(value: str, max_length: int) -> str:
    printable = "".join(character if character.isprintable() else " " for character in value)
    return " ".join(printable.encode("utf-8", "replace").decode().split())[:max_length]
