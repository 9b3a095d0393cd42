"""A copy of the product as somebody gets it who has just cloned it."""

import shutil
import subprocess
from pathlib import Path

from tests.support import ROOT


def copy_checkout(target: Path) -> None:
    """Copy what git has or would take."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for file in filter(None, listing.stdout.split("\0")):
        if (ROOT / file).is_file():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, target / file)
