import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.testing.infrastructure import Infrastructure
from tests.system.extra_operations import run_extra_operations
from tests.system.recording import Exchange, recorded
from tests.system.run_day import CompletedDay, run_day
from tests.system.world import running_world


@pytest.fixture(scope="package")
def completed_day(infrastructure: Infrastructure) -> Iterator[CompletedDay]:
    """One day for all tests here: those that count its results come first, those that change them last."""
    directory = Path(tempfile.mkdtemp(prefix="reglament-day-"))
    try:
        with running_world(infrastructure, directory / "data") as world:
            yield run_day(world, directory / "documents")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="package")
def exchanges(completed_day: CompletedDay) -> list[Exchange]:
    """Requests of the day and of the extra operations."""
    with recorded() as more:
        run_extra_operations(completed_day.world, completed_day.day)
    return [*completed_day.exchanges, *more]
