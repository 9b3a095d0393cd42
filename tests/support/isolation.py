"""Disable one of the two layers that isolate offices and clients (ORG-04), to prove the other one alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from shared.persistence import database
from tests.support.harness import ServiceHarness

LAYERS = ("both layers", "row-level security alone", "query filters alone")

_PROTECTED = "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relrowsecurity"


@asynccontextmanager
async def active_layers(harness: ServiceHarness, layers: str) -> AsyncIterator[str]:
    """Keep only the layers that `layers`, one of LAYERS, names until the end of the block."""
    admin = await asyncpg.connect(harness.urls.admin)
    tables = [row["name"] for row in await admin.fetch(_PROTECTED)]
    assert tables, "the service has no isolated table"
    try:
        database.query_filters = layers != "row-level security alone"
        if layers == "query filters alone":
            for table in tables:
                await admin.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        yield layers
    finally:
        database.query_filters = True
        for table in tables:
            await admin.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        await admin.close()
