"""Events for the tests of messaging, and what the sample service has stored for them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select

from shared.contracts.clients import Vehicle
from shared.contracts.orders import OrderProcessed
from shared.contracts.vin import VinRequestAnswered
from shared.messaging.topology import queue_name
from shared.persistence.database import new_id
from shared.persistence.tables import failed_message
from tests.support.harness import ServiceHarness
from tests.support.sample_service.app import Note

QUEUE = queue_name("sample", VinRequestAnswered.type)


def answered(number: str | None = None) -> VinRequestAnswered:
    return VinRequestAnswered(
        office_id=new_id(),
        version=1,
        occurred_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        request_id=new_id(),
        number=number or str(uuid4()),
        client_id=new_id(),
        vehicle=Vehicle(vehicle_id=new_id()),
        lines=[],
        answered_by=new_id(),
        notify_client=False,
        answered_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    )


def processed() -> OrderProcessed:
    return OrderProcessed(
        office_id=new_id(), version=1, occurred_at=datetime.now(UTC), order_id=new_id(), client_id=new_id()
    )


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 (asks the database)
            await asyncio.sleep(0.02)


async def count_notes(sample: ServiceHarness, number: str) -> int:
    async with sample.session() as session:
        return await session.scalar(select(func.count()).select_from(Note).where(Note.text == number)) or 0


async def failed(sample: ServiceHarness, event_id: UUID) -> Any:
    async with sample.session() as session:
        query = select(failed_message).where(failed_message.c.event_id == event_id)
        return (await session.execute(query)).one_or_none()
