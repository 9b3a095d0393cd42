"""Received mail: parsed, bounded, optionally kept as .eml files."""

import contextlib
import json
import os
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from uuid_utils import uuid7

# The first line of a kept file. JSON in ASCII, because a header cannot hold the addresses of every country as they are.
ENVELOPE_HEADER = b"X-Reglament-Envelope: "


@dataclass(frozen=True)
class Attachment:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    id: str
    sender: str
    """The From header; the envelope's sender where there is none."""
    recipients: list[str]
    """Recipients of the envelope, blind copies included."""
    subject: str
    received_at: datetime
    message_id: str
    text: str | None
    html: str | None
    attachments: list[Attachment]
    raw: bytes = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "from": self.sender,
            "to": self.recipients,
            "subject": self.subject,
            "date": self.received_at.isoformat(),
            "message_id": self.message_id,
            "text": self.text,
            "html": self.html,
            "attachments": [
                {"name": item.name, "content_type": item.content_type, "size": len(item.content)}
                for item in self.attachments
            ],
        }


class MailStore:
    """The newest mail, at most `max_messages` and `max_bytes`; older mail is deleted from the disk too."""

    def __init__(self, directory: Path | None, max_messages: int, max_bytes: int) -> None:
        self._directory = directory
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._bytes = 0
        self._mails: deque[Mail] = deque()
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            # Names are UUIDv7, so their order is the order of arrival.
            for path in sorted(directory.glob("*.eml")):
                self._append(_parse_file(path))

    def add(self, envelope_from: str, recipients: list[str], content: bytes) -> Mail:
        mail_id = str(uuid7())
        received_at = datetime.now(UTC)
        mail = _parse(mail_id, envelope_from, recipients, received_at, content)
        if self._directory is not None:
            envelope = {"from": envelope_from, "to": recipients, "received_at": received_at.isoformat()}
            unfinished = self._directory / f"{mail_id}.part"
            unfinished.write_bytes(ENVELOPE_HEADER + json.dumps(envelope).encode() + b"\r\n" + content)
            os.replace(unfinished, self._path(mail_id))  # noqa: PTH105, the atomic step is the point
        self._append(mail)
        return mail

    def newest(self, to: str = "", subject: str = "", limit: int | None = None) -> list[Mail]:
        """Newest first. `to` and `subject` are substrings of recipient and subject, case ignored."""
        to, subject = to.casefold(), subject.casefold()
        found: list[Mail] = []
        for mail in reversed(self._mails):
            if limit is not None and len(found) >= limit:
                break
            if any(to in recipient.casefold() for recipient in mail.recipients) and subject in mail.subject.casefold():
                found.append(mail)
        return found

    def get(self, mail_id: str) -> Mail | None:
        return next((mail for mail in self._mails if mail.id == mail_id), None)

    def clear(self) -> None:
        while self._mails:
            self._drop_oldest()

    def _append(self, mail: Mail) -> None:
        self._mails.append(mail)
        self._bytes += len(mail.raw)
        while len(self._mails) > self._max_messages or (self._bytes > self._max_bytes and len(self._mails) > 1):
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        mail = self._mails.popleft()
        self._bytes -= len(mail.raw)
        if self._directory is not None:
            with contextlib.suppress(FileNotFoundError):
                self._path(mail.id).unlink()

    def _path(self, mail_id: str) -> Path:
        assert self._directory is not None
        return self._directory / f"{mail_id}.eml"


def _parse_file(path: Path) -> Mail:
    content = path.read_bytes()
    first_line, _, rest = content.partition(b"\r\n")
    if not first_line.startswith(ENVELOPE_HEADER):  # A file that someone else put there.
        headers = message_from_bytes(content)
        received_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return _parse(path.stem, "", [str(headers.get("To", ""))], received_at, content)
    envelope = json.loads(first_line.removeprefix(ENVELOPE_HEADER))
    received_at = datetime.fromisoformat(envelope["received_at"])
    return _parse(path.stem, envelope["from"], envelope["to"], received_at, rest)


def _parse(mail_id: str, envelope_from: str, recipients: list[str], received_at: datetime, content: bytes) -> Mail:
    try:
        return _parse_well_formed(mail_id, envelope_from, recipients, received_at, content)
    except Exception:
        # The standard library's parser raises all kinds of errors on malformed headers; such a mail is shown as it
        # came.
        return Mail(
            id=mail_id,
            sender=envelope_from,
            recipients=recipients,
            subject="(письмо не разобрано)",
            received_at=received_at,
            message_id="",
            text=content.decode("utf-8", "replace"),
            html=None,
            attachments=[],
            raw=content,
        )


def _parse_well_formed(
    mail_id: str, envelope_from: str, recipients: list[str], received_at: datetime, content: bytes
) -> Mail:
    message = message_from_bytes(content, policy=policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return Mail(
        id=mail_id,
        sender=str(message.get("From") or envelope_from),
        recipients=recipients,
        subject=str(message.get("Subject", "")),
        received_at=received_at,
        message_id=str(message.get("Message-ID", "")).strip(),
        text=_decoded(text),
        html=_decoded(html),
        attachments=[
            Attachment(part.get_filename() or f"{number}.bin", part.get_content_type(), _content(part))
            for number, part in enumerate(message.iter_attachments(), start=1)
        ],
        raw=content,
    )


def _content(part: Any) -> bytes:
    """Return the content of an attachment; an attached message has no payload of its own to decode."""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else part.as_bytes()


def _decoded(part: Any) -> str | None:
    if part is None:
        return None
    try:
        return str(part.get_content())
    except (LookupError, KeyError):  # An unknown character set, or a body that is not text at all.
        return _content(part).decode("utf-8", "replace")
