"""Caddy as a private child: one origin for services in processes of their own, by the file that production uses.

Nothing of the system's Caddy is read or touched: no admin endpoint, no certificates, all that it writes below its own
directory.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from devtools.errors import OperatorError
from devtools.supervisor.processes import GuardedProcess, clean_environment
from devtools.supervisor.state import ROOT

APT_PACKAGE = "caddy"
CADDYFILE = ROOT / "deploy" / "Caddyfile"


def find_binary() -> str | None:
    return shutil.which("caddy") or shutil.which("caddy", path="/usr/local/bin:/usr/bin")


def gateway(
    services: Mapping[str, int], *, host: str, port: int, directory: Path, log: Path, grace: float
) -> GuardedProcess:
    """Return the gateway to the services' ports, to be started by the caller. Raises OperatorError."""
    binary = find_binary()
    if binary is None:
        raise OperatorError(f"Caddy is not installed: apt-get install {APT_PACKAGE}")
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = {name: str(directory) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    # A site without a host name answers to every name and is given no certificate.
    own |= {"REGLAMENT_SITE": f":{port}", "REGLAMENT_BIND": host}
    own |= {f"REGLAMENT_{name.upper()}_UPSTREAM": f"{host}:{service}" for name, service in services.items()}
    return GuardedProcess(
        "gateway",
        [binary, "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
        log=log,
        environment=clean_environment() | own,
        directory=directory,
        grace=grace,
    )
