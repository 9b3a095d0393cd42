"""F13: two offices, every route, and people who ask for what is not theirs."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from devtools.testing.infrastructure import Infrastructure
from tests.faults.checker import Verdict
from tests.faults.scenarios.base import Run
from tests.system.extra_operations import run_extra_operations
from tests.system.isolation_check import probe_system
from tests.system.recording import recorded
from tests.system.run_day import run_day
from tests.system.world import running_world


async def run(run: Run) -> Verdict:
    """The demonstration's day is played first: it leaves things of every kind, and requests of every kind."""
    servers = run.servers
    infrastructure = Infrastructure(
        database_url=servers.database.url,
        amqp_url=servers.broker.url,
        management_url=servers.broker.management_url,
        prefix="faults_spied",
        virtual_host="faults_spied",
        source="faults",
    )
    with TemporaryDirectory(dir=servers.directory) as name, running_world(infrastructure, Path(name, "data")) as world:
        with recorded() as exchanges:
            completed_day = await asyncio.to_thread(run_day, world, Path(name, "documents"))
            await asyncio.to_thread(run_extra_operations, world, completed_day.day)
        return await probe_system(completed_day, exchanges, seed=run.seed, max_requests=run.scale(900, 10_000))
