"""The clock of obligations, beside a bare asyncpg loop that does the same writes.

    ./reglament bench clock [--scale small|full] [--check] [--write]

`small` has 20,000 open obligations in the table and takes less than a minute, `full` has 1,000,000.  With `--check` the
exit code is 1 where a figure falls short of `benchmarks/targets.toml`; `--write` puts the table into
`docs/operations/performance.md`.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator

from rich.console import Console

from benchmarks.clock import baselines, event_application, firing, worktime
from benchmarks.clock.seed_data import seed_data
from benchmarks.kernel.report import Report, machine, run_like_service, write
from devtools.testing.infrastructure import Infrastructure, infrastructure

SCALES = {"small": (20_000, 500, 4.0), "full": (1_000_000, 3_000, 20.0)}
"""Numbers of open obligations and of events that open one, and seconds of the steady load."""

Figure = tuple[str, float, str]
"""Name of the target, figure, and the measurements behind it."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="./reglament bench clock")
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--check", action="store_true", help="exit 1 where a figure falls short of its target")
    parser.add_argument("--write", action="store_true", help="write the table into docs/operations/performance.md")
    arguments = parser.parse_args()
    report = Report("clock", Console(width=160))
    description = machine()
    with infrastructure() as servers:
        run_like_service(fill(report, servers, arguments.scale))
        report.show(f"clock, scale {arguments.scale}")
        report.console.print(description, highlight=False)
        _, _, seconds = SCALES[arguments.scale]
        others = asyncio.run(measure_baselines(servers, seconds))  # At their defaults, so on asyncio's own loop.
    for line in others:
        report.console.print(line, highlight=False)
    if arguments.write:
        lines = [
            f"Scale {arguments.scale}. {description}",
            "",
            *report.markdown(),
            "",
            *(f"- {line}" for line in others),
        ]
        write("clock", lines)
    sys.exit(1 if arguments.check and not report.targets_met else 0)


async def fill(report: Report, servers: Infrastructure, scale: str) -> None:
    async for name, figure, detail in measure(servers, scale):
        report.add(name, figure, detail)


async def measure_baselines(servers: Infrastructure, seconds: float) -> list[str]:
    """Return a line for each alternative (procrastinate, pgqueuer) at its defaults."""
    lines = []
    async for found in baselines.measure(servers.database_url, burst=firing.BURST, seconds=seconds):
        if isinstance(found, str):
            lines.append(f"skipped: {found} is not installed (pip install {found})")
        else:
            late = f"100/s: p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms"
            lines.append(f"{found.name}, at its defaults: 5,000 due {found.burst_seconds:.2f} s; {late}")
    if worktime.BASELINE is None:
        lines.append("skipped: businesstimedelta is not installed (pip install businesstimedelta)")
    return lines


async def measure(servers: Infrastructure, scale: str) -> AsyncIterator[Figure]:
    number, events, seconds = SCALES[scale]
    for name, ratio in worktime.against_baseline():
        yield name, ratio, ""
    async with seed_data(servers) as clock:
        empty = await firing.lateness(clock, firing.ours, seconds=seconds)
        await clock.fill(1_000)
        few = await event_application.opening(clock, servers, events=events)
        await clock.fill(number)
        full = await firing.lateness(clock, firing.ours, seconds=seconds)
        bare = await firing.lateness(clock, lambda commits: firing.bare(clock, commits), seconds=seconds)
        yield "lateness_p50_ms", full.p50, f"{number} open; bare loop {bare.p50:.2f}"
        yield "lateness_p99_ms", full.p99, f"bare loop {bare.p99:.2f}"
        yield "lateness_against_empty", full.p50 / empty.p50, f"{empty.p50:.2f} ms"
        ours = await firing.burst(clock, firing.ours)
        loop = await firing.burst(clock, lambda commits: firing.bare(clock, commits))
        yield "burst_seconds", ours, f"bare loop {loop:.2f}"
        restart = await firing.killed(clock)
        yield "killed_seconds", restart.seconds, ""
        yield "killed_lost", restart.lost, ""
        yield "killed_twice", restart.twice, ""
        many = await event_application.opening(clock, servers, events=events)
        yield "opening_per_second", many.ours, f"bare {many.bare:.0f}"
        yield "opening_flat", many.ours / few.ours, f"{few.ours:.0f}/s with 1,000 open"
        closing = await event_application.closing(clock)
        yield "closing_p50_ms", closing.ours, f"bare {closing.bare:.2f}"
        yield "more_rules", await event_application.more_rules(clock), ""


if __name__ == "__main__":
    main()
