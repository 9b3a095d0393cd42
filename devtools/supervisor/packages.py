"""The servers from Debian's packages, installed when root or passwordless sudo allows it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from devtools.errors import OperatorError
from devtools.supervisor import gateway, postgres, rabbitmq

# Debian starts a freshly installed server as a system service. Ours are children of our own, so for the time of the
# installation the start is forbidden by the hook that Debian has for it, unless the machine has such a hook already.
START_HOOK = Path("/usr/sbin/policy-rc.d")
INSTALL_SCRIPT = """\
set -e
hook=$1
shift
mark='# Made by reglament for the time of an installation; may be removed.'
# One of ours that is there already was left by an installation that was killed.
if [ ! -e "$hook" ] || grep -qxF "$mark" "$hook"; then
    trap 'rm -f "$hook"' EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\\n%s\\nexit 101\\n' "$mark" > "$hook"
    chmod 755 "$hook"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"
"""


def missing_servers(*, database: bool = False, broker: bool = False, proxy: bool = False) -> list[str]:
    """Return the packages that are wanted and not installed."""
    missing = []
    if database and postgres.find_binaries() is None:
        missing.append(postgres.APT_PACKAGE)
    if broker and not rabbitmq.is_installed():
        missing.append(rabbitmq.APT_PACKAGE)
    if proxy and gateway.find_binary() is None:
        missing.append(gateway.APT_PACKAGE)
    return missing


def ensure_servers(
    report_progress: Callable[[str], None],
    log: Path,
    *,
    database: bool = False,
    broker: bool = False,
    proxy: bool = False,
) -> None:
    """Install what is wanted and missing.

    Raises OperatorError naming the command when nobody here may run it, or when it fails.
    """
    missing = missing_servers(database=database, broker=broker, proxy=proxy)
    if not missing:
        return
    command = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    privilege = root_privilege()
    if privilege is None or shutil.which("apt-get") is None:
        raise OperatorError(f"{' and '.join(missing)} must be installed first, as root: {command}")
    report_progress(f"installing {' and '.join(missing)} (once, about half a minute)")
    if not install(missing, privilege, log):
        raise OperatorError(f"`{command}` failed, see {log}")
    if missing_servers(database=database, broker=broker, proxy=proxy):
        raise OperatorError(
            f"`{command}` brought nothing that can be used: PostgreSQL {postgres.OLDEST_VERSION} or newer is needed"
        )


def install(packages: Sequence[str], privilege: Sequence[str], log: Path) -> bool:
    """Install Debian packages without starting a service of theirs; what apt says goes to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(
            [*privilege, "sh", "-c", INSTALL_SCRIPT, "sh", str(START_HOOK), *packages],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return done.returncode == 0


def root_privilege() -> list[str] | None:
    """Return what stands before a command that needs root: nothing, sudo, or None when neither is possible."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    return ["sudo", "-n"] if allowed else None
