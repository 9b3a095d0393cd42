"""Compare the answers that clients got with the rows of the databases."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.faults.history import History
from tests.faults.world import World, until

DRAIN_SECONDS = 60.0
SHOWN = 5
IDLE_SECONDS = 5
OPEN = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND state LIKE 'idle in transaction%'"
)


@dataclass(slots=True)
class Verdict:
    """Figures for the table, and every promise that was broken."""

    figures: dict[str, Any] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.violations

    def require(self, holds: bool, what: str) -> None:
        if not holds:
            self.violations.append(what)

    def require_none(self, what: str, found: Iterable[Any]) -> None:
        """Count things that must not exist and report them under `what`."""
        bad = list(found)
        self.figures[what] = self.figures.get(what, 0) + len(bad)
        if bad:
            self.violations.append(f"{what}: {len(bad)} ({', '.join(map(str, bad[:SHOWN]))})")

    def require_at_most(self, what: str, value: float, limit: float) -> None:
        self.figures[what] = round(value, 3)
        self.require(value <= limit, f"{what}: {value:.3f}, at most {limit:g}")


async def check_drained(
    world: World,
    verdict: Verdict,
    since: float | None = None,
    timeout: float = DRAIN_SECONDS,
    stall_timeout: float = DRAIN_SECONDS,
) -> None:
    """Require that everything is published, applied and out of the retry table a minute after the last fault.

    Give up earlier when nothing has changed for `stall_timeout` seconds.
    """
    begun = time.monotonic() if since is None else since
    before, moved_at = dict[tuple[str, str], int](), time.monotonic()

    async def done() -> bool:
        nonlocal before, moved_at
        left = await waiting(world)
        if left != before:
            before, moved_at = left, time.monotonic()
        if left and time.monotonic() - moved_at > stall_timeout:
            raise TimeoutError
        return not left

    try:
        await until(done, "drained", timeout)
    except TimeoutError:
        left = [f"{service}: {what} {number}" for (service, what), number in (await waiting(world)).items()]
        verdict.violations.append(f"not drained in {timeout:.0f} s: {', '.join(left)}")
    verdict.figures["drained, s"] = round(time.monotonic() - begun, 1)


async def waiting(world: World) -> dict[tuple[str, str], int]:
    """Return the number of rows that are still in progress, by service and kind."""
    counts: dict[tuple[str, str], int] = {}
    for service in world.databases:
        counts[service, "unpublished"] = await world.count(
            service, "SELECT count(*) FROM outbox WHERE confirmed_at IS NULL"
        )
        counts[service, "retrying"] = await world.count(
            service, "SELECT count(*) FROM failed_message WHERE state = 'retrying'"
        )
        counts[service, "unapplied"] = len(await unapplied(world, service))
    return {key: number for key, number in counts.items() if number}


async def unapplied(world: World, consumer: str) -> set[UUID]:
    """Return events committed by others that this service has neither applied nor parked."""
    seen = {row[0] for row in await world.rows(consumer, "SELECT event_id FROM inbox")}
    seen |= {row[0] for row in await world.rows(consumer, "SELECT event_id FROM failed_message WHERE state = 'parked'")}
    return await committed(world, consumer) - seen


async def committed(world: World, consumer: str) -> set[UUID]:
    """Return the events in the outboxes of the types that this service consumes."""
    queues = await world.rows(consumer, "SELECT queue FROM topology_check WHERE queue NOT LIKE '%.republish'")
    types = [row[0].removeprefix(f"{consumer}.") for row in queues]
    found: set[UUID] = set()
    for producer in {event_type.partition(".")[0] for event_type in types} & set(world.databases):
        events = await world.rows(producer, "SELECT event_id FROM outbox WHERE type = ANY($1)", types)
        found |= {row[0] for row in events}
    return found


async def check_events(world: World, verdict: Verdict, still_parked: int = 0) -> None:
    """Require that each consumer applied exactly what the producers committed, and that nothing is left over."""
    for consumer in world.databases:
        events = await committed(world, consumer)
        applied = {row[0] for row in await world.rows(consumer, "SELECT event_id FROM inbox")}
        verdict.require_none("events lost", events - applied)
        verdict.require_none("events from nowhere", applied - events)
        left = await world.rows(consumer, "SELECT error FROM failed_message WHERE state IN ('retrying', 'parked')")
        if still_parked and consumer == "ledger":
            verdict.require(len(left) == still_parked, f"{len(left)} still parked, expected {still_parked}")
        else:
            verdict.require_none("parked or retrying", [row[0][-100:] for row in left])


async def check_connections(world: World, verdict: Verdict) -> None:
    """Require that no database session stays idle in a transaction."""
    idle = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
        f" AND state_change < clock_timestamp() - interval '{IDLE_SECONDS} seconds'"
    )
    begun, left = time.monotonic(), list[int]()
    while time.monotonic() - begun < 2 * IDLE_SECONDS:
        left = [row[0] for service in world.databases for row in await world.rows(service, idle)]
        young = [row[0] for service in world.databases for row in await world.rows(service, OPEN)]
        if left or not young:
            break
        await asyncio.sleep(0.2)
    verdict.require_none("sessions idle in transaction", left)


async def check_pages(
    world: World, history: History, verdict: Verdict, *, parked: int = 0, still_parked: int = 0
) -> None:
    """Require of the samples that every acknowledged page exists, with every effect once.

    `parked` pages wait for their replay; `still_parked` messages are unreadable and stay parked.
    """
    acknowledged = {line["number"]: UUID(line["id"]) for line in history.lines("acknowledged")}
    sent = {line["number"] for line in history.lines("sent")}
    pages = {row["id"]: row["number"] for row in await world.rows("press", "SELECT id, number FROM page")}
    by_number = Counter(pages.values())
    verdict.figures |= {"commands": len(sent), "acknowledged": len(acknowledged)}
    verdict.require_none("acknowledged, not there", [n for n, page_id in acknowledged.items() if page_id not in pages])
    verdict.require_none("commands done twice", [number for number, count in by_number.items() if count > 1])
    verdict.require_none("commands never sent", set(by_number) - sent)
    verdict.require_none("commands given up", [line["number"] for line in history.lines("given_up")])
    verdict.require_none("commands refused", [f"{line['status']} {line['body']}" for line in history.lines("refused")])
    verdict.require_none(
        "repetitions answered differently", [x["number"] for x in history.lines("repeated") if not x["same"]]
    )
    published = Counter(row[0] for row in await world.rows("press", "SELECT subject FROM outbox"))
    verdict.require_none("pages not published once", [page for page in pages if published[f"page/{page}"] != 1])
    for service, table, what in (("ledger", "line", "entries"), ("press", "entered", "answers")):
        effects = Counter(row[0] for row in await world.rows(service, f"SELECT page_id FROM {table}"))
        missing = [page for page in pages if not effects[page]]
        if parked:
            verdict.require(len(missing) == parked, f"{what}: {len(missing)} missing, {parked} are parked")
        else:
            verdict.require_none(f"{what} missing", missing)
        verdict.require_none(f"{what} twice", [page for page, count in effects.items() if count > 1])
    if not parked:
        await check_events(world, verdict, still_parked)
    await check_connections(world, verdict)


async def check_samples(
    world: World,
    history: History,
    *,
    since: float | None = None,
    timeout: float = DRAIN_SECONDS,
    stall_timeout: float = DRAIN_SECONDS,
) -> Verdict:
    """Return the verdict on the samples after they have drained."""
    verdict = Verdict()
    await check_drained(world, verdict, since, timeout, stall_timeout)
    await check_pages(world, history, verdict)
    return verdict
