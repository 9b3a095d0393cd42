"""The input and the first steps of every scenario."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from shared.base.settings import Settings
from tests.faults.history import History
from tests.faults.servers import Servers
from tests.faults.workload import Printers
from tests.faults.world import World, new_world

T = TypeVar("T")
FREQUENT_CHECKS = {"REGLAMENT_TOPOLOGY_CHECK_SECONDS": "0.5"}
DEFAULT_CHECKS = {"REGLAMENT_TOPOLOGY_CHECK_SECONDS": str(Settings.model_fields["topology_check_seconds"].default)}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a scenario; the same seed gives the same schedule of faults."""

    servers: Servers
    seed: int
    full: bool
    histories: Path
    part: float = 1.0
    """Share of the full scale's work, for machines without hours of time."""

    def random(self) -> random.Random:
        return random.Random(self.seed)

    def scale(self, small: int, full: int) -> int:
        """Return a number of things; `part` reduces the full one."""
        return max(small, round(full * self.part)) if self.full else small

    def pick(self, small: T, full: T) -> T:
        """Return a duration, a concurrency or another value that `part` does not change."""
        return full if self.full else small

    @property
    def check_settings(self) -> dict[str, str]:
        """Return how often queues are checked: as usual in full runs, more often in small ones."""
        return DEFAULT_CHECKS if self.full else FREQUENT_CHECKS


@dataclass(frozen=True, slots=True)
class Stage:
    """The samples running, and clients ready to print."""

    world: World
    history: History
    printers: Printers
    schedule: random.Random


@asynccontextmanager
async def samples(
    run: Run,
    name: str,
    *,
    presses: int = 1,
    ledgers: int = 1,
    bugs: str = "",
    settings: Mapping[str, str] | None = None,
    ports: Mapping[int, int] | None = None,
) -> AsyncIterator[Stage]:
    """Start `presses` and `ledgers` replicas, named press-1, press-2 and so on."""
    history = History(run.histories / f"{name}-{run.seed}.jsonl")
    history.write("run", scenario=name, seed=run.seed, full=run.full)
    async with new_world(run.servers, "press", "ledger", settings=settings, ports=ports) as world:
        for service, replicas in (("press", presses), ("ledger", ledgers)):
            for number in range(1, replicas + 1):
                await world.start(service, name=f"{service}-{number}", bugs=bugs)
        await world.ready()
        try:
            yield Stage(world, history, Printers(world, history, run.seed), run.random())
        finally:
            history.close()
