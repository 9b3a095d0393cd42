"""`./reglament lint` and `./reglament test`: every check prints its name, its result and its time."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from devtools.supervisor.environment import SUPERUSER
from devtools.supervisor.packages import install, missing_servers
from devtools.supervisor.state import ROOT
from devtools.testing.infrastructure import docker_available

BIN = Path(sys.executable).parent

TEST_TOOLS = {"docker-compose": "docker-compose", "dovecot": "dovecot-imapd", "npm": "npm"}
"""Program -> its Debian package."""

SERVERLESS = ("tests/unit", "tests/contracts")
"""Folders whose tests need no server; `tests.support.plugin` starts none for them."""

CHECKS: dict[str, list[str]] = {
    "format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
    "ruff": [str(BIN / "ruff"), "check", "--quiet", "."],
    "mypy": [str(BIN / "mypy"), "--no-error-summary"],
    "imports": [str(BIN / "lint-imports")],
    "spelling": [str(BIN / "codespell")],
}


def lint(console: Console) -> int:
    """Run every check, also after a failure.  Return the first failure's exit status."""
    statuses = [check(console, name, command) for name, command in CHECKS.items()]
    return next((status for status in statuses if status != 0), 0)


def test(console: Console, arguments: Sequence[str]) -> int:
    """Run the checks, then pytest, whose closing line is the last.  Return the first failure's exit status.

    Without arguments the whole suite runs on all cores; with arguments pytest gets these alone.
    """
    status = lint(console)
    install_what_tests_need(console)
    console.print("[bold]pytest[/]")
    # When this process is killed, the kernel ends pytest, whose end ends the servers that it started.
    workers = ["-n", str(min(4, 1 + (os.cpu_count() or 1)))] if not arguments else []
    command = ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "pytest", *workers, *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False)
    return status or done.returncode


def test_fast(console: Console, arguments: Sequence[str]) -> int:
    """Run format, ruff and the tests that need no server. Return the first failure's exit status."""
    statuses = [check(console, name, CHECKS[name]) for name in ("format", "ruff")]
    workers = ["-n", str(os.cpu_count() or 1)]
    command = [sys.executable, "-m", "pytest", *SERVERLESS, *workers, *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False)
    return next((status for status in [*statuses, done.returncode] if status != 0), 0)


def install_what_tests_need(console: Console) -> None:
    """Install the servers and the tools that tests drive, where the process is root (a build machine).

    Elsewhere, or when that fails, the tests report what they miss: servers by an error, tools by a skip.
    """
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    wanted = [package for program, package in TEST_TOOLS.items() if shutil.which(program) is None]
    own = not os.environ.get(SUPERUSER) and not docker_available()
    wanted += missing_servers(database=own, broker=own, proxy=True)
    if wanted:
        console.print(f"[bold]apt-get [/] installing {', '.join(wanted)}", highlight=False)
        install(wanted, [], ROOT / ".reglament" / "apt.log")


def check(console: Console, name: str, command: Sequence[str]) -> int:
    begun = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    seconds = time.monotonic() - begun
    if done.returncode == 0:
        console.print(f"[bold]{name:<8}[/] [green]ok[/]   {seconds:.1f} s", highlight=False)
    else:
        console.print(f"[bold]{name:<8}[/] [red]failed[/] {seconds:.1f} s", highlight=False)
        # Plain, for the output contains brackets that rich would take for markup.
        print(done.stdout, flush=True)
    return done.returncode
