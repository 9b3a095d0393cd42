"""The event that the benchmarks send, and the sample service that they run."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from devtools.testing.databases import ScratchUrls, scratch_database
from devtools.testing.infrastructure import Infrastructure
from shared.contracts.orders import OrderProcessed
from shared.messaging.consumers import Consumers
from shared.persistence import migrate
from shared.persistence.database import Database, new_id
from shared.persistence.raw_sql import fetch

MOMENT = datetime(2026, 3, 2, 12, tzinfo=UTC)
BACKLOG = (
    "INSERT INTO outbox (event_id, type, subject, office_id, body, headers)"
    " SELECT gen_random_uuid(), $1, 'order/' || number, gen_random_uuid(), $2, $3"
    " FROM generate_series(1, $4) AS number"
)


def event() -> OrderProcessed:
    return OrderProcessed(office_id=new_id(), version=1, occurred_at=MOMENT, order_id=new_id(), client_id=new_id())


def backlog_arguments(count: int) -> tuple[Any, ...]:
    """Arguments of `BACKLOG`: so many equal events."""
    headers = {"correlation-id": str(new_id()), "causation-id": "", "traceparent": "", "time": MOMENT.isoformat()}
    return OrderProcessed.type, event().model_dump_json().encode(), json.dumps(headers), count


def counting_consumers(table: str = "effect") -> Consumers:
    """Return a consumer whose only effect is one row, written like the hot handlers of the services."""
    consumers = Consumers("sample")
    statement = f"INSERT INTO {table} (order_id) VALUES ($1)"

    @consumers.on(OrderProcessed)
    async def keep(event: OrderProcessed, session: AsyncSession) -> None:
        await fetch(session, statement, event.order_id)

    return consumers


@asynccontextmanager
async def sample_database(infrastructure: Infrastructure, purpose: str) -> AsyncIterator[tuple[Database, ScratchUrls]]:
    """Create the sample service's database with an extra table `effect`."""
    async with scratch_database(infrastructure.database_url, "sample", purpose) as urls:
        await migrate.upgrade("tests.support.sample_service", urls.owner)
        owner = await asyncpg.connect(urls.owner)
        await owner.execute("CREATE TABLE effect (order_id uuid, at timestamptz DEFAULT clock_timestamp())")
        await owner.close()
        database = Database(urls.app, urls.worker, name="benchmark")
        try:
            yield database, urls
        finally:
            await database.dispose()
