"""A real IMAP server (Debian's dovecot-imapd) on a free port, with a mailbox for every login."""

import asyncio
import imaplib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devtools.supervisor.processes import free_port

PASSWORD = "mailbox-password"
_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {directory}/run
state_dir = {directory}/run
log_path = {directory}/dovecot.log
ssl = yes
first_valid_uid = 1
auth_mechanisms = plain
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
"""
# Debian 12 has 2.3; with 2.4 the same settings got other names.
_CONFIG_2_3 = """
ssl_cert = <{directory}/certificate.pem
ssl_key = <{directory}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{directory}/mail/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={directory}/mail/%u
}}
"""
_VERSION_2_4 = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
"""
_CONFIG_2_4 = """
ssl_server_cert_file = {directory}/certificate.pem
ssl_server_key_file = {directory}/key.pem
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = {directory}/mail/%{{user}}
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = nobody
    gid = nogroup
    home = {directory}/mail/%{{user}}
  }}
}}
"""


@dataclass
class Dovecot:
    port: int
    """Without TLS; STARTTLS is offered."""
    directory: Path
    tls_port: int = 0

    @property
    def certificate(self) -> Path:
        """Self-signed, for 127.0.0.1: who trusts this file trusts the server."""
        return self.directory / "certificate.pem"

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

    def delete(self, login: str, uid: int) -> None:
        """As another program of the office would."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as connection:
            connection.login(login, PASSWORD)
            connection.select("INBOX")
            connection.uid("STORE", str(uid), "+FLAGS", r"(\Deleted)")
            connection.expunge()

    def create(self, login: str, folder: str) -> None:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as connection:
            connection.login(login, PASSWORD)
            connection.create(f'"{folder}"')

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
    _write_certificate(directory)
    version = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True).stdout
    old = version.startswith("2.3.")
    parts = _CONFIG + _CONFIG_2_3 if old else _VERSION_2_4 + _CONFIG + _CONFIG_2_4  # The version comes first.
    configuration = parts.format(directory=directory, port=port, tls_port=tls_port, password=PASSWORD)
    (directory / "dovecot.conf").write_text(configuration)
    return directory


@asynccontextmanager
async def running_dovecot() -> AsyncIterator[Dovecot]:
    port, tls_port = free_port(), free_port()
    directory = _prepare(port, tls_port)
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
        yield Dovecot(port, directory, tls_port)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        shutil.rmtree(directory, ignore_errors=True)
