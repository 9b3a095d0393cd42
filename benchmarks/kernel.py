"""What the kernel's guarantees cost, as ratios against the bare drivers in the same run.

./reglament bench kernel [--check] [--scale small|full] [--json FILE]
"""

import argparse
import asyncio
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machinery import consumer, latency, placing, relay
from shared.testing.infrastructure import Infrastructure, infrastructure

TARGETS = Path(__file__).with_name("targets.toml")
SCALES = {"small": (60_000, 4_000, 5.0, 800), "full": (1_000_000, 20_000, 20.0, 3_000)}
"""Backlog of the relay, events to consume, seconds at each rate, orders to place."""

Figure = tuple[str, float, str]
"""Name of the target, figure, and the rates behind a ratio."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--check", action="store_true", help="exit 1 where a figure falls short of its target")
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    targets = tomllib.loads(TARGETS.read_text())["kernel"]
    table = Table("figure", "measured", "target", "", "", title=f"kernel, scale {arguments.scale}")
    figures: dict[str, float] = {}
    missed = 0
    with infrastructure() as servers:
        for name, figure, rates in measure(servers, *SCALES[arguments.scale]):
            target = targets[name]
            kept = target.get("at_least", figure) <= figure <= target.get("at_most", figure)
            missed += not kept
            bound = f"≤ {target['at_most']}" if "at_most" in target else f"≥ {target['at_least']}"
            table.add_row(target["title"], f"{figure:.2f}", bound, rates, "" if kept else "[red]missed[/]")
            figures[name] = round(figure, 3)
    Console(width=150).print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    sys.exit(1 if arguments.check and missed else 0)


def measure(servers: Infrastructure, backlog: int, events: int, seconds: float, orders: int) -> Iterator[Figure]:
    relayed = asyncio.run(relay.measure(servers, backlog=backlog, seconds=12))
    yield "relay", relayed.ratio, f"{relayed.relay_per_second:.0f} of {relayed.bare_per_second:.0f} events/s"
    yield "relay_memory", relayed.memory_growth_megabytes, ""
    consumed = asyncio.run(consumer.measure(servers, events=events))
    yield "consumer", consumed.ratio, f"{consumed.inbox_per_second:.0f} of {consumed.bare_per_second:.0f} events/s"
    for delays in asyncio.run(latency.measure(servers, rates=[50, 200], seconds=seconds)):
        yield f"latency_{delays.per_second}_p50", delays.p50_milliseconds, ""
        yield f"latency_{delays.per_second}_p99", delays.p99_milliseconds, ""
    placed = asyncio.run(placing.measure(servers, orders=orders))
    yield "placing", placed.ratio, f"{placed.placed_per_second:.0f} of {placed.bare_per_second:.0f} requests/s"


if __name__ == "__main__":
    main()
