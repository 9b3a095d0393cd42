import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.testing.infrastructure import Infrastructure
from tests.system.extra_operations import run_errands
from tests.system.recording import Exchange, recorded
from tests.system.run_day import Played, play
from tests.system.world import running_world


@pytest.fixture(scope="package")
def played(infrastructure: Infrastructure) -> Iterator[Played]:
    """One day for all tests here: those that count what it left come first, those that use it up last."""
    directory = Path(tempfile.mkdtemp(prefix="reglament-day-"))
    try:
        with running_world(infrastructure, directory / "data") as world:
            yield play(world, directory / "documents")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="package")
def exchanges(played: Played) -> list[Exchange]:
    """The day's requests, and those of what it left out."""
    with recorded() as more:
        run_errands(played.world, played.day)
    return [*played.exchanges, *more]
