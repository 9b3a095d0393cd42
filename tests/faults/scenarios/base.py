"""What every scenario is given and what it does first."""

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
    """Of what there is at full scale, where a machine has no hours for it."""

    def random(self) -> random.Random:
        return random.Random(self.seed)

    def scale(self, small: int, full: int) -> int:
        """How many."""
        return max(small, round(full * self.part)) if self.full else small

    def pick(self, small: T, full: T) -> T:
        """How long, how many at once, and other things that no part changes."""
        return full if self.full else small

    @property
    def check_settings(self) -> dict[str, str]:
        """Return how often queues are checked: a small run does not wait long for the repair that it shows."""
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
