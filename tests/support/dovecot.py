"""A real IMAP server (Debian's dovecot-imapd) on a free port, with a mailbox for every login."""

import asyncio
import imaplib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from devtools.supervisor.processes import free_port

PASSWORD = "mailbox-password"
_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {directory}/run
state_dir = {directory}/run
log_path = {directory}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{directory}/mail/%u
first_valid_uid = 1
auth_mechanisms = plain
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={directory}/mail/%u
}}
"""


@dataclass
class Dovecot:
    port: int
    directory: Path

    def put(self, login: str, letter: bytes) -> None:
        """Store a letter, as the mail server does when one arrives."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as connection:
            connection.login(login, PASSWORD)
            connection.append("INBOX", "", imaplib.Time2Internaldate(time.time()), letter)

    def flags(self, login: str) -> bytes:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as connection:
            connection.login(login, PASSWORD)
            connection.select("INBOX", readonly=True)
            return b" ".join(part for part in connection.fetch("1:*", "(FLAGS)")[1] if isinstance(part, bytes))

    def renumber(self, login: str) -> None:
        """Give the mailbox a new UIDVALIDITY, as a move to another server does."""
        for index in (self.directory / "mail" / login).glob("dovecot*"):
            if index.is_file():
                index.unlink()


def why_not() -> str | None:
    if shutil.which("dovecot") is None:
        return "no IMAP server here: apt-get install dovecot-imapd"
    return None if os.geteuid() == 0 else "dovecot starts its workers as other users, so it needs root"


def _prepare(port: int) -> Path:
    # Not under root's home: dovecot's workers run as other users.
    directory = Path(tempfile.mkdtemp(prefix="reglament-dovecot-", dir="/var/tmp"))
    (directory / "mail").mkdir()
    for path in (directory, directory / "mail"):
        path.chmod(0o755 if path == directory else 0o777)
    configuration = _CONFIG.format(directory=directory, port=port, password=PASSWORD)
    (directory / "dovecot.conf").write_text(configuration)
    return directory


@asynccontextmanager
async def running_dovecot() -> AsyncIterator[Dovecot]:
    port = free_port()
    directory = _prepare(port)
    configuration = str(directory / "dovecot.conf")
    process = await asyncio.create_subprocess_exec("dovecot", "-F", "-c", configuration)
    try:
        async with asyncio.timeout(15):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                except OSError:
                    assert process.returncode is None, (directory / "dovecot.log").read_text()
                    await asyncio.sleep(0.05)
        yield Dovecot(port, directory)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        shutil.rmtree(directory, ignore_errors=True)
