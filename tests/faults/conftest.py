from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.scenarios.base import Run
from tests.faults.servers import Servers, private_servers

SEED = 20260301


@pytest.fixture(scope="session")
def fault_servers() -> Iterator[Servers]:
    """Servers that may be killed; other tests never use them."""
    with private_servers() as servers:
        yield servers


@pytest.fixture
def small(fault_servers: Servers, tmp_path: Path) -> Run:
    return Run(fault_servers, SEED, full=False, histories=tmp_path)
