"""Fetching new letters from an IMAP server.  Synchronous (imaplib): run it in a thread."""

import imaplib
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

BATCH = 50
MAX_LETTER_BYTES = 20_000_000
"""Of a larger letter only the beginning is read."""
TRUNCATED_BYTES = 500_000
_ENGLISH_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class ImapError(Exception):
    """The server cannot be reached, refuses us or answers nonsense."""


@dataclass(frozen=True)
class Access:
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
    uid_validity: int
    last_uid: int
    letters: list[tuple[int, bytes]]
    more: bool


def fetch(access: Access, position: Position, timeout: float) -> Fetched:
    """Letters after `position`, oldest first; a folder seen for the first time is read from now on.

    Nothing in the mailbox changes.  Raises ImapError.
    """
    try:
        connection = _connect(access, timeout)
        try:
            return _fetch(connection, access, position)
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                connection.logout()
    except (imaplib.IMAP4.error, OSError, ValueError, LookupError) as error:
        raise ImapError(f"{type(error).__name__}: {error}") from error


def _connect(access: Access, timeout: float) -> imaplib.IMAP4:
    if access.security == "tls":
        context = ssl.create_default_context()
        connection: imaplib.IMAP4 = imaplib.IMAP4_SSL(access.host, access.port, ssl_context=context, timeout=timeout)
    else:
        connection = imaplib.IMAP4(access.host, access.port, timeout=timeout)
        if access.security == "starttls":
            connection.starttls(ssl.create_default_context())
    connection.login(access.login, access.password)
    return connection


def _fetch(connection: imaplib.IMAP4, access: Access, position: Position) -> Fetched:
    folder = f'"{access.folder}"'
    state, answer = connection.select(folder, readonly=True)
    if state != "OK":
        raise ImapError(f"no folder {access.folder}: {answer!r}")
    validity = int(_single(connection.response("UIDVALIDITY")))
    if position.uid_validity is None:
        return Fetched(validity, int(_single(connection.response("UIDNEXT"))) - 1, [], more=False)
    if validity == position.uid_validity:
        last, query = position.last_uid, f"UID {position.last_uid + 1}:*"
    else:
        day = position.day
        last, query = 0, f"SINCE {day.day}-{_ENGLISH_MONTHS[day.month - 1]}-{day.year}"
    _, found = connection.uid("SEARCH", query)
    # «n:*» always names the last letter, also when its number is smaller.
    numbers = sorted(number for number in map(int, (found[0] or b"").split()) if number > last)
    letters = [(number, _letter(connection, number)) for number in numbers[:BATCH]]
    reached = max([last, *numbers[:BATCH]])
    return Fetched(validity, reached, [(number, raw) for number, raw in letters if raw], more=len(numbers) > BATCH)


def _letter(connection: imaplib.IMAP4, number: int) -> bytes:
    """Empty when it was deleted meanwhile."""
    _, sizes = connection.uid("FETCH", str(number), "(RFC822.SIZE)")
    size = _SIZE.search(b" ".join(part for part in sizes if isinstance(part, bytes)))
    if size is None:
        return b""
    what = "(BODY.PEEK[])" if int(size[1]) <= MAX_LETTER_BYTES else f"(BODY.PEEK[]<0.{TRUNCATED_BYTES}>)"
    _, parts = connection.uid("FETCH", str(number), what)
    return next((part[1] for part in parts if isinstance(part, tuple)), b"")


def _single(response: tuple[str, list[bytes | None]]) -> bytes:
    value = response[1][0]
    if value is None:
        raise ImapError(f"the server told no {response[0]}")
    return value
