"""Write generated documents, or compare them with what is committed."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from devtools.supervisor.state import ROOT


def write_or_check(console: Console, directory: Path, texts: Mapping[str, str], *, check: bool) -> int:
    """Return the exit status: 1 when `check` finds a document that is not up to date.

    `texts` maps a file's path below `directory` to what it must hold.
    """
    stale = [name for name, text in texts.items() if not _holds(directory / name, text)]
    where = directory.relative_to(ROOT)
    if check and stale:
        console.print(f"not up to date in {where}: {', '.join(stale)}", highlight=False, soft_wrap=True)
        return 1
    for name in stale:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[name])
    console.print(f"{where}: {'wrote ' + ', '.join(stale) if stale else 'up to date'}", highlight=False, soft_wrap=True)
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text
