"""«Заказ поставщику» of 500 positions in one call, beside 500 calls with one position each."""

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from benchmarks.kernel.seed_data import orders_database, paid_positions
from benchmarks.kernel.serving import Connection, serve_orders, served
from devtools.testing.infrastructure import Infrastructure
from shared.identity.roles import Role
from shared.persistence.database import new_id

MARKED = 500
"""As many as one action takes."""
ROUNDS = 2


@dataclass(frozen=True, slots=True)
class BulkFigures:
    """Seconds for 500 positions."""

    bulk_seconds: float
    single_seconds: float

    @property
    def times_faster(self) -> float:
        return self.single_seconds / self.bulk_seconds


async def measure(infrastructure: Infrastructure) -> BulkFigures:
    """Alternate: half of the single calls before each of the two bulk calls."""
    office = new_id()
    bulk_seconds = single_seconds = 0.0
    async with orders_database(infrastructure, "bulk") as urls:
        positions = iter(await paid_positions(urls, office, (ROUNDS + 1) * MARKED + ROUNDS))
        async with served(serve_orders, urls, infrastructure.amqp_url) as port:
            connection = await Connection.to(port, Role.SENIOR_MANAGER, office)
            for _ in range(ROUNDS):
                await _order(connection, [next(positions)])
            for _ in range(ROUNDS):
                for _ in range(MARKED // ROUNDS):
                    single_seconds += await _order(connection, [next(positions)])
                bulk_seconds += await _order(connection, [next(positions) for _ in range(MARKED)])
            connection.close()
    return BulkFigures(bulk_seconds / ROUNDS, single_seconds)


async def _order(connection: Connection, positions: list[UUID]) -> float:
    """Seconds."""
    body: Any = {"action": "order", "items": [{"position_id": str(id_), "version": 1} for id_ in positions]}
    started = time.perf_counter()
    answer = await connection.post("/positions/actions", body, key=new_id())
    elapsed = time.perf_counter() - started
    results = json.loads(answer)["results"]
    assert len(results) == len(positions)
    assert all(result["ok"] for result in results), results[0]
    return elapsed
