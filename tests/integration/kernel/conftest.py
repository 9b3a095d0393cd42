from collections.abc import AsyncIterator

import pytest_asyncio

from devtools.testing.infrastructure import Infrastructure
from tests.support.harness import ServiceHarness, running_service
from tests.support.sample_service.app import service


@pytest_asyncio.fixture(scope="session")
async def sample(infrastructure: Infrastructure) -> AsyncIterator[ServiceHarness]:
    async with running_service(service, infrastructure, topology_check_seconds=1.0) as harness:
        yield harness
