"""Fetch new letters from an IMAP server (CALL-12).  Synchronous (IMAPClient): run it in a thread."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

log = structlog.get_logger(__name__)

BATCH = 50
MAX_LETTER_BYTES = 20_000_000
"""Of a larger letter only the beginning is read."""
TRUNCATED_BYTES = 500_000


class ImapError(Exception):
    """The server is unreachable, refuses the access or breaks the protocol.  The text has one line."""


@dataclass(frozen=True)
class Access:
    """Where a mailbox is and how to sign in; `security` is tls, starttls or none."""

    host: str
    port: int
    security: str
    login: str
    password: str
    folder: str


@dataclass(frozen=True)
class Position:
    """How far a folder has been read.  When the server renumbers it, `uid_validity` changes."""

    uid_validity: int | None
    last_uid: int
    day: date
    """Of the last look; a renumbered folder is read again from that day."""


@dataclass(frozen=True)
class Fetched:
    """Letters as (UID, raw message), and the position after them; `more` says that further ones are waiting."""

    uid_validity: int
    last_uid: int
    letters: list[tuple[int, bytes]]
    more: bool


def fetch(access: Access, position: Position, timeout: float) -> Fetched:
    """Return the letters after `position`, oldest first; a folder seen for the first time is read from now on.

    The mailbox is opened read-only and keeps its flags.  `timeout` is in seconds and holds for every answer of the
    server.  Raises ImapError.
    """
    try:
        tls = access.security == "tls"
        context = None if access.security == "none" else ssl.create_default_context()
        with IMAPClient(access.host, access.port, ssl=tls, ssl_context=context, timeout=timeout) as client:
            if access.security == "starttls":
                client.starttls(context)
            client.login(access.login, access.password)
            return _fetch_new(client, access.folder, position)
    except (IMAPClientError, OSError, ValueError, LookupError) as error:
        raise ImapError(f"{type(error).__name__}: {' '.join(str(error).split())}") from error


def _fetch_new(client: IMAPClient, folder: str, position: Position) -> Fetched:
    selected = client.select_folder(folder, readonly=True)
    for name in (b"UIDVALIDITY", b"UIDNEXT"):
        if name not in selected:
            raise ImapError(f"the server names no {name.decode()} of {folder}")
    validity: int = selected[b"UIDVALIDITY"]
    if position.uid_validity is None:
        return Fetched(validity, selected[b"UIDNEXT"] - 1, [], more=False)
    criteria: list[str | date]
    if validity == position.uid_validity:
        last, criteria = position.last_uid, ["UID", f"{position.last_uid + 1}:*"]
    else:
        last, criteria = 0, ["SINCE", position.day]
    # «n:*» always includes the last letter, also when its number is smaller.
    found = sorted(number for number in client.search(criteria) if number > last)
    batch = found[:BATCH]
    return Fetched(validity, max([last, *batch]), list(_letters(client, batch)), more=len(found) > BATCH)


def _letters(client: IMAPClient, numbers: list[int]) -> Iterator[tuple[int, bytes]]:
    """Yield UID and raw message; a letter that was deleted meanwhile, or that the server refuses, is left out."""
    sizes = client.fetch(numbers, ["RFC822.SIZE"])
    for number in numbers:
        size = sizes.get(number, {}).get(b"RFC822.SIZE")
        if size is None:
            continue
        what = "BODY.PEEK[]" if size <= MAX_LETTER_BYTES else f"BODY.PEEK[]<0.{TRUNCATED_BYTES}>"
        try:
            answer: dict[bytes, Any] = client.fetch([number], [what]).get(number, {})
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:  # One letter that the server cannot read must not hold up those behind it.
            log.warning("the server refuses a letter, it is skipped", uid=number, error=str(error))
            continue
        raw = next((value for name, value in answer.items() if name.startswith(b"BODY[]")), None)
        if raw:
            yield number, raw
