"""Every declared consumer copes with every golden message, on the real broker and database."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import select

from devtools.testing.infrastructure import Infrastructure
from shared.base.settings import SERVICES
from shared.persistence.database import new_id
from shared.persistence.tables import failed_message, inbox
from tests.contracts.examples import EXAMPLES
from tests.contracts.golden import Golden, read_all
from tests.contracts.own_facts import own_facts
from tests.support.harness import ServiceHarness, running_service

PATIENCE_SECONDS = 20.0


@pytest_asyncio.fixture(params=SERVICES)
async def service(request: pytest.FixtureRequest, infrastructure: Infrastructure) -> AsyncIterator[ServiceHarness]:
    async with running_service(request.param, infrastructure, purpose="golden") as harness:
        await own_facts(harness)
        yield harness


def in_the_order_of_the_story() -> list[Golden]:
    """A consumer may build on what it has heard before, as it does in life."""
    order = {event.type: number for number, event in reversed(list(enumerate(EXAMPLES)))}
    return sorted(read_all(), key=lambda golden: order[golden.type])


async def outcome(service: ServiceHarness, golden: Golden) -> str | None:
    """Publish the golden bytes; None when the message was applied, else why not."""
    event_id = new_id()
    await service.publish_raw(golden.type, json.dumps(golden.payload).encode(), str(event_id))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with service.session() as session:
                if await session.scalar(select(inbox.c.event_id).where(inbox.c.event_id == event_id)):
                    return None
                failed = select(failed_message.c.error).where(failed_message.c.event_id == event_id)
                error: str | None = await session.scalar(failed)
            if error is not None:
                return error
            await asyncio.sleep(0.01)


async def test_every_golden_message_is_applied_by_every_consumer(service: ServiceHarness) -> None:
    consumed = [golden for golden in in_the_order_of_the_story() if golden.type in service.service.consumers.handlers]
    assert {golden.type for golden in consumed} == set(service.service.consumers.handlers)
    failures = {golden.path.name: error for golden in consumed if (error := await outcome(service, golden))}
    assert failures == {}


def test_every_service_is_told_of_what_it_does_not_own() -> None:
    """Each event of another service that is published has an example in the story, whoever listens."""
    assert {golden.type for golden in read_all()} == {event.type for event in EXAMPLES}
