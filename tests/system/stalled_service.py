"""Hold one service at a moment when it has much to lose."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.system.world import World

LOCK = 4545
MAKE = f"""
CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NULL; END $$;
CREATE TRIGGER stall BEFORE INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION stall();
CREATE TRIGGER stall BEFORE UPDATE ON outbox FOR EACH STATEMENT EXECUTE FUNCTION stall();
"""
UNDO = "DROP FUNCTION stall CASCADE"


@contextmanager
def stalled(world: World, service: str) -> Iterator[None]:
    """Keep the service's consumers from finishing an event, and its relay from publishing one.

    Commands are served meanwhile: what they commit stays in the outbox, what the broker delivers stays
    unacknowledged. A statement-level trigger on the two tables waits for a lock that this block holds.
    """
    url = urlunsplit(urlsplit(world.infrastructure.database_url)._replace(path=f"/{world.prefix}_{service}"))
    holding, release = threading.Event(), threading.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(f"SELECT pg_advisory_lock({LOCK})")
            await connection.execute(MAKE)
            holding.set()
            await asyncio.to_thread(release.wait)
            await connection.execute(f"SELECT pg_advisory_unlock({LOCK})")
            await connection.execute(UNDO)
        finally:
            holding.set()
            await connection.close()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(lambda: asyncio.run(hold()))
        holding.wait()
        try:
            yield
        finally:
            release.set()
            held.result()
