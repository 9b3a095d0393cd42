"""`./reglament lint` and `./reglament test`: every check says its name, its result and its time."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from reglament_cli.state import ROOT

BIN = Path(sys.executable).parent

CHECKS: dict[str, list[str]] = {
    "format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
    "ruff": [str(BIN / "ruff"), "check", "--quiet", "."],
    "mypy": [str(BIN / "mypy"), "--no-error-summary"],
    "imports": [str(BIN / "lint-imports")],
}


def lint(console: Console) -> int:
    """Run every check, also after a failure, for all the news at once. Returns the first failure's exit status."""
    statuses = [check(console, name, command) for name, command in CHECKS.items()]
    return next((status for status in statuses if status != 0), 0)


def test(console: Console, arguments: Sequence[str]) -> int:
    """The checks, then pytest, whose closing line is the last. Returns the first failure's exit status."""
    status = lint(console)
    console.print("[bold]pytest[/]")
    # Should this process be killed, the kernel ends pytest, and pytest's end ends the servers that it started.
    command = ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "pytest", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False)
    return status or done.returncode


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
