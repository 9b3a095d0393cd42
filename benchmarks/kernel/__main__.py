"""What the kernel's guarantees cost, as ratios against the bare drivers in the same run.

    ./reglament bench kernel [NAME …] [--check] [--scale small|full] [--json FILE] [--write]

`small` takes less than three minutes, `full` (1,000,000 events, 10,000,000 positions) less than twelve.  Names choose
some of the figures.  With `--check` the exit code is 1 where a figure falls short of `benchmarks/targets.toml`;
`--write` puts the table into `docs/operations/performance.md`.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.kernel import bulk, consumer, latency, listing, placing, relay
from benchmarks.kernel.report import Report, machine, run_like_service, write
from devtools.testing.infrastructure import Infrastructure, infrastructure


@dataclass(frozen=True, slots=True)
class Scale:
    backlog: int
    """Events that wait, for the relay and beside the placing of orders."""
    relay_seconds: float
    events: int
    """For the consumer."""
    latency_seconds: float
    """At each rate."""
    orders: int
    """Of each kind."""
    positions: int
    """In the long list."""
    rounds: int
    """How often each page is asked."""


SCALES = {
    "small": Scale(60_000, 9, 4_000, 5, 600, 300_000, 100),
    "full": Scale(1_000_000, 40, 20_000, 15, 1_200, 10_000_000, 200),
}

Figure = tuple[str, float, str]
"""Name of the target, figure, and the measurements behind it."""


def measure_relay(servers: Infrastructure, scale: Scale) -> Iterator[Figure]:
    found = run_like_service(relay.measure(servers, backlog=scale.backlog, seconds=scale.relay_seconds))
    yield "relay", found.ratio, f"{found.relay_per_second:.0f} of {found.bare_per_second:.0f} events/s"
    yield "relay_memory", found.memory_growth_megabytes, f"after {found.relayed} of {scale.backlog} events"


def measure_consumer(servers: Infrastructure, scale: Scale) -> Iterator[Figure]:
    found = run_like_service(consumer.measure(servers, events=scale.events))
    yield "consumer", found.ratio, f"{found.inbox_per_second:.0f} of {found.bare_per_second:.0f} events/s"


def measure_latency(servers: Infrastructure, scale: Scale) -> Iterator[Figure]:
    for delays in run_like_service(latency.measure(servers, rates=[50, 200], seconds=scale.latency_seconds)):
        yield f"latency_{delays.per_second}_p50", delays.p50_milliseconds, ""
        yield f"latency_{delays.per_second}_p99", delays.p99_milliseconds, ""


def measure_placing(servers: Infrastructure, scale: Scale) -> Iterator[Figure]:
    found = asyncio.run(placing.measure(servers, orders=scale.orders))
    baselines = f"Core {found.core / found.bare:.2f}, ORM {found.orm / found.bare:.2f}"
    yield (
        "placing",
        found.reglament / found.bare,
        f"{found.reglament:.0f} of {found.bare:.0f} requests/s; {baselines} of it",
    )


def measure_degraded_latency(servers: Infrastructure, scale: Scale) -> Iterator[Figure]:
    found = asyncio.run(placing.degraded_latency(servers, orders=scale.orders, backlog=scale.backlog))
    rest = f"{found.rest:.1f} ms at rest"
    yield "placing_broker_down", found.broker_down / found.rest, f"{found.broker_down:.1f} ms, {rest}"
    yield "placing_backlog", found.backlog / found.rest, f"{found.backlog:.1f} ms behind {scale.backlog}, {rest}"


def measure_list(servers: Infrastructure, scale: Scale) -> Iterator[Figure]:
    found = asyncio.run(listing.measure(servers, many=scale.positions, rounds=scale.rounds))
    for name, lost in (("list_first", found.first), ("list_deep", found.deep)):
        detail = f"{lost.view}: {lost.many:.1f} ms of {scale.positions}, {lost.few:.1f} ms of {listing.FEW}"
        yield name, lost.many / lost.few, detail


def measure_bulk(servers: Infrastructure, _scale: Scale) -> Iterator[Figure]:
    found = asyncio.run(bulk.measure(servers))
    yield "bulk", found.times_faster, f"{found.bulk_seconds:.2f} s, one by one {found.single_seconds:.1f} s"


MEASURED: dict[str, Callable[[Infrastructure, Scale], Iterator[Figure]]] = {
    "relay": measure_relay,
    "consumer": measure_consumer,
    "latency": measure_latency,
    "placing": measure_placing,
    "bad-times": measure_degraded_latency,
    "list": measure_list,
    "bulk": measure_bulk,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="./reglament bench kernel")
    parser.add_argument("names", nargs="*", choices=[*MEASURED, []], metavar="NAME", help=", ".join(MEASURED))
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--check", action="store_true", help="exit 1 where a figure falls short of its target")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--write", action="store_true", help="write the table into docs/operations/performance.md")
    arguments = parser.parse_args()
    scale = SCALES[arguments.scale]
    report = Report("kernel", Console(width=160))
    description = machine()
    with infrastructure() as servers:
        for part in arguments.names or MEASURED:
            for name, figure, detail in MEASURED[part](servers, scale):
                report.add(name, figure, detail)
    report.show(f"kernel, scale {arguments.scale}")
    report.console.print(description, highlight=False)
    if arguments.json:
        figures = {
            "scale": arguments.scale,
            "parameters": asdict(scale),
            "machine": description,
            "figures": report.rows,
        }
        arguments.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
    if arguments.write:
        write("kernel", [f"Scale {arguments.scale}. {description}", "", *report.markdown()])
    sys.exit(1 if arguments.check and not report.targets_met else 0)


if __name__ == "__main__":
    main()
