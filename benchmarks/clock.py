"""The clock of obligations, beside a bare asyncpg loop that does the same writes.

    ./reglament bench clock [--scale small|full] [--check]

`small` has 20,000 open obligations in the table and takes less than a minute, `full` has 1,000,000.  With `--check` the
exit code is 1 where a figure falls short of `benchmarks/targets.toml`.
"""

import argparse
import asyncio
import sys
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.clockwork import firing, hearing, peers, worktime
from benchmarks.clockwork.ground import ground
from shared.testing.infrastructure import Infrastructure, infrastructure

TARGETS = Path(__file__).with_name("targets.toml")
SCALES = {"small": (20_000, 500, 4.0), "full": (1_000_000, 3_000, 20.0)}
"""Open obligations, events to open from, seconds of the steady load."""

Figure = tuple[str, float, float | None]
"""Name of the target, figure, and what the bare loop needs for the same."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--check", action="store_true", help="exit 1 where a figure falls short of its target")
    arguments = parser.parse_args()
    with infrastructure() as servers:
        missed = asyncio.run(report(Console(width=130), servers, arguments.scale))
    sys.exit(1 if arguments.check and missed else 0)


async def report(console: Console, servers: Infrastructure, scale: str) -> int:
    """Prints each figure as soon as it is known; returns how many missed their target."""
    targets: dict[str, dict[str, Any]] = tomllib.loads(TARGETS.read_text())["clock"]
    table = Table("figure", "measured", "target", "bare loop", "", title=f"clock, scale {scale}")
    missed = 0
    async for name, figure, bare in measure(servers, scale):
        target = targets[name]
        kept = figure <= target["at_most"] if "at_most" in target else figure >= target["at_least"]
        missed += not kept
        bound = f"≤ {target['at_most']}" if "at_most" in target else f"≥ {target['at_least']}"
        bare_figure = "" if bare is None else f"{bare:.2f}"
        table.add_row(target["title"], f"{figure:.2f}", bound, bare_figure, "" if kept else "[red]missed[/]")
        console.print(f"[dim]{target['title']}: {figure:.2f}[/]", highlight=False)
    console.print(table)
    _, _, seconds = SCALES[scale]
    async for found in peers.measure(servers.database_url, burst=firing.BURST, seconds=seconds):
        if isinstance(found, str):
            console.print(f"skipped: {found} is not installed (pip install {found})")
        else:
            told = (
                f"5,000 due: {found.burst_seconds:.2f} s; 100/s: p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms"
            )
            console.print(f"{found.name}, at its defaults: {told}", highlight=False)
    if worktime.PEER is None:
        console.print("skipped: businesstimedelta is not installed (pip install businesstimedelta)")
    return missed


async def measure(servers: Infrastructure, scale: str) -> AsyncIterator[Figure]:
    number, events, seconds = SCALES[scale]
    for name, ratio in worktime.against_peer():
        yield name, ratio, None
    async with ground(servers) as clock:
        empty = await firing.lateness(clock, firing.ours, seconds=seconds)
        await clock.fill(1_000)
        few = await hearing.opening(clock, servers, events=events)
        await clock.fill(number)
        full = await firing.lateness(clock, firing.ours, seconds=seconds)
        bare = await firing.lateness(clock, lambda commits: firing.bare(clock, commits), seconds=seconds)
        yield "lateness_p50_ms", full.p50, bare.p50
        yield "lateness_p99_ms", full.p99, bare.p99
        yield "lateness_against_empty", full.p50 / empty.p50, None
        yield (
            "burst_seconds",
            await firing.burst(clock, firing.ours),
            await firing.burst(clock, lambda commits: firing.bare(clock, commits)),
        )
        restart = await firing.killed(clock)
        yield "killed_seconds", restart.seconds, None
        yield "killed_lost", restart.lost, None
        yield "killed_twice", restart.twice, None
        many = await hearing.opening(clock, servers, events=events)
        yield "opening_per_second", many.ours, many.bare
        yield "opening_flat", many.ours / few.ours, many.bare / few.bare
        closing = await hearing.closing(clock)
        yield "closing_p50_ms", closing.ours, closing.bare
        yield "more_rules", await hearing.more_rules(clock), None


if __name__ == "__main__":
    main()
