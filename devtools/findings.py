"""`./reglament findings`: run what `findings/README.md` describes."""

import subprocess
import time
from pathlib import Path

from rich.console import Console

from devtools.supervisor.state import ROOT

FINDINGS = ROOT / "findings"


def run_all(console: Console, folder: Path = FINDINGS) -> int:
    """Run every script of `folder` and return the exit status: 1 when a finding does not hold any more.

    The output of such a script is shown.
    """
    failed = []
    for script in sorted(folder.glob("*.sh")):
        begun = time.monotonic()
        done = subprocess.run(["bash", str(script)], capture_output=True, text=True, check=False, cwd=ROOT)
        held = done.returncode == 0
        outcome = "[green]holds[/]" if held else "[red]no longer holds[/]"
        console.print(f"[bold]{script.stem}[/] {outcome} {time.monotonic() - begun:.0f} s", highlight=False)
        if not held:
            failed.append(script.stem)
            print(done.stdout + done.stderr, flush=True)
    return 1 if failed else 0
