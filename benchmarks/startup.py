"""Start time and idle memory: of `up` as a whole, of the one-process mode, of each service by itself.

    ./reglament bench startup [--write]

Each figure is the median of three starts. "Ready" means that the readiness check passes and the consumers are
connected. Memory is PSS (shared pages are divided among those who share them) after a few seconds of idling.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from devtools.supervisor.environment import complete_environment, without_superuser
from devtools.supervisor.processes import GuardedProcess, free_port, wait_until
from devtools.supervisor.state import ROOT, DataDirectory
from devtools.supervisor.system import HOST, running_system
from devtools.testing.infrastructure import Infrastructure, infrastructure
from shared.base.settings import SERVICES

REPETITIONS = 3
IDLE_SECONDS = 5.0
PAGE = ROOT / "docs" / "operations" / "performance.md"
BEGIN, END = "<!-- startup: written by ./reglament bench startup --write -->", "<!-- /startup -->"


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    seconds: float
    megabytes: float
    idle_cpu_percent: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.relative_to(ROOT)}")
    arguments = parser.parse_args()
    console = Console()
    figures = list(measure(lambda what: console.print(f"[dim]{what}[/]")))
    table = Table("", "ready after, s", "idle memory, MB", "idle CPU, %")
    for figure in figures:
        table.add_row(figure.what, f"{figure.seconds:.1f}", f"{figure.megabytes:.0f}", f"{figure.idle_cpu_percent:.1f}")
    console.print(table)
    if arguments.write:
        write(figures)


def measure(report_progress: Callable[[str], None]) -> Iterator[Figure]:
    report_progress("up, from nothing and again")
    yield from whole_system()
    with infrastructure() as servers, tempfile.TemporaryDirectory() as logs:
        environment = prepared(servers)
        for what, names in [("all services in one process", []), *((name, [name]) for name in SERVICES)]:
            report_progress(what)
            yield median(what, [one_start(names, environment, Path(logs)) for _ in range(REPETITIONS)])


def median(what: str, starts: Sequence[tuple[float, float, float]]) -> Figure:
    seconds, megabytes, cpu = (statistics.median(values) for values in zip(*starts, strict=True))
    return Figure(what, seconds, megabytes, cpu)


def whole_system() -> Iterator[Figure]:
    """Measure everything that `up` starts, PostgreSQL and RabbitMQ included; the first start creates the data."""
    with without_given_servers(), tempfile.TemporaryDirectory(prefix="reglament-bench-") as name:
        Path(name).chmod(0o755)
        directory = DataDirectory(Path(name) / "data")
        starts = []
        for _ in range(1 + REPETITIONS):
            begun = time.monotonic()
            with running_system(directory, port=free_port(), report_progress=lambda what: None):
                seconds = time.monotonic() - begun
                starts.append((seconds, *idle(psutil.Process().children(recursive=True))))
        yield Figure("`up`, first start", *starts[0])
        yield median("`up`, warm start", starts[1:])


@contextmanager
def without_given_servers() -> Iterator[None]:
    given = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("REGLAMENT_")}
    try:
        yield
    finally:
        os.environ.update(given)


def prepared(servers: Infrastructure) -> dict[str, str]:
    """Yield the environment of services whose databases exist."""
    urls = {
        "REGLAMENT_DATABASE_URL": servers.database_url,
        "REGLAMENT_AMQP_URL": servers.amqp_url,
        "REGLAMENT_AMQP_MANAGEMENT_URL": servers.management_url,
    }
    ports = dict.fromkeys(SERVICES, free_port())
    environment = complete_environment(
        urls,
        lambda name: "a-secret-for-benchmarks",
        host=HOST,
        port=ports["control"],
        service_ports=ports,
        prefix=servers.prefix,
    )
    environment |= urls  # The broker's URL names the run's virtual host, also where the operator's names another.
    for step in ("provision", "migrate"):
        subprocess.run([sys.executable, "-m", "services", step], cwd=ROOT, env=environment, check=True)
    return without_superuser(environment)


def one_start(names: Sequence[str], environment: Mapping[str, str], logs: Path) -> tuple[float, float, float]:
    port = free_port()
    arguments = ["-m", "services", "serve", *names, "--host", HOST, "--port", str(port)]
    process = GuardedProcess(
        "service", [sys.executable, *arguments], log=logs / "log", environment=environment, directory=ROOT, grace=30
    )
    begun = time.monotonic()
    process.start()
    try:
        with httpx.Client(base_url=f"http://{HOST}:{port}", trust_env=False, timeout=5) as client:
            wait_until(lambda: is_ready(client, names or SERVICES), process, seconds=60, interval=0.02)
        seconds = time.monotonic() - begun
        assert process.pid is not None
        return seconds, *idle([psutil.Process(process.pid)])
    finally:
        process.stop()


def is_ready(client: httpx.Client, names: Sequence[str]) -> bool:
    paths = [f"/api/{name}/health/{kind}" for name in names for kind in ("ready", "consumers")]
    try:
        return all(client.get(path).status_code == httpx.codes.OK for path in paths)
    except httpx.HTTPError:
        return False


def idle(processes: Sequence[psutil.Process]) -> tuple[float, float]:
    """Return megabytes and per cent of one core, summed over the processes."""
    for process in processes:
        process.cpu_percent()
    time.sleep(IDLE_SECONDS)
    megabytes = cpu = 0.0
    for process in processes:
        try:
            megabytes += process.memory_full_info().pss / 2**20
            cpu += process.cpu_percent()
        except psutil.NoSuchProcess:
            continue
    return megabytes, cpu


def write(figures: Sequence[Figure]) -> None:
    """Replace the part between the marks, or append it."""
    # Other work on the machine slows a start, so the page says whether there was any.
    machine = f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load average {os.getloadavg()[2]:.1f}"
    lines = ["| | ready after, s | idle memory, MB | idle CPU, % of a core |", "|---|---:|---:|---:|"]
    lines += [f"| {f.what} | {f.seconds:.1f} | {f.megabytes:.0f} | {f.idle_cpu_percent:.1f} |" for f in figures]
    block = "\n".join([BEGIN, "", f"Measured on {machine}; medians of {REPETITIONS} starts.", "", *lines, "", END])
    page = PAGE.read_text() if PAGE.exists() else "# Performance\n\n## Start time and idle memory\n\n"
    before, mark, rest = page.partition(BEGIN)
    after = rest.partition(END)[2] if mark else "\n"
    PAGE.write_text(f"{before}{block}{after}")


if __name__ == "__main__":
    main()
