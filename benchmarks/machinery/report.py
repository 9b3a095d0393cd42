"""Where figures are kept: a part of `docs/performance.md` between two marks."""

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def machine() -> str:
    """A sentence; the load says whether others worked on the machine."""
    model = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    python = sys.version.split()[0]
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GB, Python {python}, load average {load:.1f} before the run."
    )


def write(part: str, lines: Sequence[str]) -> None:
    """Replace what stands between the marks of `part`.  Raises ValueError when the page has no such marks."""
    begin, end = f"<!-- {part}: written by ./reglament bench {part} --write -->", f"<!-- /{part} -->"
    before, first, rest = PAGE.read_text().partition(begin)
    _, second, after = rest.partition(end)
    if not first or not second:
        raise ValueError(f"{PAGE} has no part {part!r}")
    PAGE.write_text("\n".join([f"{before}{begin}", "", *lines, "", f"{end}{after}"]))
