"""Measure, show and keep figures: a part of `docs/operations/performance.md` between two marks."""

import asyncio
import os
import platform
import sys
import tomllib
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from services.serving import freeze_garbage_collector

T = TypeVar("T")

TARGETS = Path(__file__).resolve().parents[1] / "targets.toml"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations" / "performance.md"


def run_like_service(work: Coroutine[Any, Any, T]) -> T:
    """Run on the services' event loop (uvloop), with their settings of the garbage collector."""
    freeze_garbage_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def machine() -> str:
    """Return a sentence about the machine; its load shows whether other work slowed the figures."""
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


@dataclass
class Report:
    """Figures of one benchmark beside their targets, each shown when it is known."""

    part: str
    """The section of `targets.toml` and the marks of the page."""
    console: Console
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._targets: dict[str, Any] = tomllib.loads(TARGETS.read_text())[self.part]

    def add(self, name: str, figure: float, detail: str) -> None:
        target = self._targets[name]
        targets_met = target.get("at_least", figure) <= figure <= target.get("at_most", figure)
        bound = f"≤ {target['at_most']}" if "at_most" in target else f"≥ {target['at_least']}"
        row = {"name": name, "title": target["title"], "figure": round(figure, 3), "target": bound, "kept": targets_met}
        self.rows.append(row | {"behind": detail})
        self.console.print(f"[dim]{target['title']}: {figure:.2f} ({bound}) {detail}[/]", highlight=False)

    @property
    def targets_met(self) -> bool:
        return all(row["kept"] for row in self.rows)

    def show(self, title: str) -> None:
        table = Table("figure", "measured", "target", "", "", title=title)
        for row in self.rows:
            missed = "" if row["kept"] else "[red]missed[/]"
            table.add_row(row["title"], f"{row['figure']:.2f}", row["target"], row["behind"], missed)
        self.console.print(table)

    def markdown(self) -> Iterator[str]:
        yield "| figure | measured | target | behind it |"
        yield "|---|---:|---:|---|"
        for row in self.rows:
            missed = "" if row["kept"] else " (missed)"
            yield f"| {row['title']} | {row['figure']:.2f}{missed} | {row['target']} | {row['behind']} |"


def write(part: str, lines: Sequence[str]) -> None:
    """Replace the text between the marks of `part`.  Raises ValueError when the page has no such marks."""
    begin, end = f"<!-- {part}: written by ./reglament bench {part} --write -->", f"<!-- /{part} -->"
    before, first, rest = PAGE.read_text().partition(begin)
    _, second, after = rest.partition(end)
    if not first or not second:
        raise ValueError(f"{PAGE} has no part {part!r}")
    PAGE.write_text("\n".join([f"{before}{begin}", "", *lines, "", f"{end}{after}"]))
