"""Bugs are injected, one at a time, and the checker must report each: a blind checker proves nothing."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import product
from typing import Any
from unittest.mock import patch

import asyncpg
import httpx
from fastapi import FastAPI

from devtools.testing.infrastructure import Infrastructure
from shared.identity.roles import Role
from shared.persistence import database
from tests.faults import isolation_probe
from tests.faults.checker import Verdict, check_samples
from tests.faults.office_checker import check_letters
from tests.faults.proxy import proxy
from tests.faults.scenarios import keys, letters, operations, partition, topology, wire
from tests.faults.scenarios.base import Run, Stage, samples
from tests.faults.servers import frozen
from tests.faults.workload import Printers
from tests.integration.clients.conftest import unique_phone
from tests.integration.clients.test_isolation import filled_office
from tests.support.harness import ServiceHarness, running_service, token
from tests.support.isolation import active_layers

STALL_SECONDS = 3.0
"""Seconds without progress after which waiting ends: what an injected bug lost never comes."""


def reports(verdict: Verdict, what: str) -> None:
    assert any(violation.startswith(what) for violation in verdict.violations), verdict


@asynccontextmanager
async def settled_samples(run: Run, name: str, *, presses: int = 1, bugs: str = "") -> AsyncIterator[Stage]:
    """Wait for the first start's republish, which would restore what the bug loses."""
    async with samples(run, name, presses=presses, bugs=bugs, settings=run.check_settings) as stage:
        await wire.first_requests_answered(stage)
        yield stage


async def checked(stage: Stage) -> Verdict:
    return await check_samples(stage.world, stage.history, stall_timeout=STALL_SECONDS)


async def print_while_it_dies(stage: Stage, process: str, point: str, bugs: str, *, then: str = "") -> Verdict:
    """Print pages while the process with the bug dies at the point; `then` is injected into its successor."""
    await stage.world.kill(process)
    await stage.world.restart(process, bugs=bugs, crash_at=point)
    printing = asyncio.create_task(stage.printers.print(40))
    await stage.world.died(process)
    await stage.world.restart(process, bugs=then)
    await printing
    await stage.world.ready()
    return await checked(stage)


async def test_a_message_acknowledged_before_the_commit(small: Run) -> None:
    async with settled_samples(small, "ack") as stage:
        verdict = await print_while_it_dies(stage, "ledger-1", "consumer.before_commit:5", "ack_before_commit")
        reports(verdict, "events lost")
        reports(verdict, "entries missing")


async def test_a_consumer_without_an_inbox(small: Run) -> None:
    async with settled_samples(small, "inbox") as stage:
        bugs = "without_inbox"
        verdict = await print_while_it_dies(stage, "ledger-1", "consumer.before_ack:5", bugs, then=bugs)
        reports(verdict, "entries twice")


async def test_a_row_marked_before_it_was_published(small: Run) -> None:
    async with settled_samples(small, "mark") as stage:
        verdict = await print_while_it_dies(stage, "press-1", "relay.claimed:1", "confirmed_before_published")
        reports(verdict, "events lost")


async def test_relays_that_claim_without_a_lease(small: Run) -> None:
    async with settled_samples(small, "lease", presses=4, bugs="claim_without_lease") as stage:
        verdict = await wire.listen_while_printing(stage, small.seed, 100)
        reports(verdict, "published twice without a fault")


async def test_a_relay_that_reads_by_a_cursor(small: Run) -> None:
    async with settled_samples(small, "cursor", bugs="cursor_over_ids") as stage:
        await Printers(stage.world, stage.history, small.seed, writers=4).print(30, hold_seconds=0.5)
        reports(await checked(stage), "events lost")


async def test_messages_that_a_restart_of_the_broker_forgets(small: Run) -> None:
    async with settled_samples(small, "transient", bugs="transient_messages") as stage:
        await stage.world.kill("ledger-1")
        await stage.printers.print(20)
        await stage.world.restart_broker()
        await stage.world.restart("ledger-1")
        await stage.world.ready()
        reports(await checked(stage), "events lost")


async def test_an_answer_that_leaves_before_the_commit(small: Run) -> None:
    async with settled_samples(small, "answer", bugs="answer_before_commit") as stage:
        await Printers(stage.world, stage.history, small.seed, writers=4, repeated=0).print(8)
        await stage.world.kill("press-1")
        await stage.world.restart("press-1")
        await stage.world.ready()
        reports(await checked(stage), "acknowledged, not there")


async def test_idempotency_keys_that_are_forgotten(small: Run) -> None:
    async with settled_samples(small, "keys", bugs="forgotten_keys") as stage:
        await Printers(stage.world, stage.history, small.seed, repeated=1).print(10)
        verdict = await checked(stage)
        reports(verdict, "commands done twice")
        reports(verdict, "repetitions answered differently")


async def test_a_command_that_waits_for_the_broker(small: Run) -> None:
    async with settled_samples(small, "waiting", bugs="waiting_for_the_broker") as stage:
        verdict = Verdict()
        await operations.print_while_broker_unresponsive(
            stage, "SIGSTOP", frozen(small.servers.broker.process), 3, verdict
        )
        operations.check_answers(stage, verdict, slowest=1)
        reports(verdict, "p99")


async def test_a_damaged_queue_that_is_not_filled_again(small: Run) -> None:
    async with settled_samples(small, "republish", bugs="without_republishing") as stage:
        await stage.world.kill("ledger-1")
        await stage.printers.print(10)
        await topology.damage(stage, "queue")
        await stage.world.restart("ledger-1")
        await stage.world.ready()
        reports(await checked(stage), "events lost")


async def test_a_damaged_queue_that_goes_unnoticed(small: Run) -> None:
    async with settled_samples(small, "blind", bugs="blind_watch") as stage:
        await topology.damage(stage, "queue")
        await stage.printers.print(10)
        reports(await checked(stage), "not drained")


async def test_consumers_that_stay_away(small: Run) -> None:
    broker, limit, verdict = small.servers.broker, 5, Verdict()
    async with (
        proxy(broker.port) as way,
        samples(
            small, "away", bugs="staying_away", settings=small.check_settings, ports={broker.port: way.port}
        ) as stage,
    ):
        while not await unhealthy(stage):
            way.cut()
        printing = asyncio.create_task(stage.printers.print(pause=0.02))
        partition.check_back(verdict, await partition.seconds_back(stage, limit + 1), limit)
        stage.printers.stop()
        await printing
    reports(verdict, "consumers back")


async def unhealthy(stage: Stage) -> bool:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        answer = await http.get(f"{stage.world.urls('ledger')[0]}/health/consumers")
        return answer.status_code == httpx.codes.SERVICE_UNAVAILABLE


async def test_bugs_of_versions_sessions_failures_and_stops(small: Run) -> None:
    """Inject four bugs that do not hide each other into one world."""
    bugs = "unchecked_versions,leaked_session,forgotten_failures,hasty_exit"
    async with samples(small, "four", bugs=bugs) as stage:
        await stage.printers.print(3)
        versions, stops = Verdict(), Verdict()
        async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
            await keys.same_version(stage, http, 5, versions)
        reports(versions, "edits: 5 won")
        await stage.printers.print(3, text="failing")
        verdict = await checked(stage)
        reports(verdict, "events lost")
        reports(verdict, "sessions idle in transaction")
        held = await operations.hold_a_request(stage, "press-1", 1)
        await stage.world.stop("press-1")
        operations.check_held(stops, [await held])
        reports(stops, "requests in hand not answered")


async def test_a_letter_sent_before_its_state_is_stored(small: Run) -> None:
    async with letters.sender(small, "letters", bugs="sent_before_state") as (world, mail, _):
        await world.kill("notifier")
        await world.restart("notifier", bugs="sent_before_state", crash_at=f"{letters.AFTER}:1")
        await letters.queue(world, 1)
        await letters.hurry_until(world, died=True)
        await world.restart("notifier", bugs="sent_before_state")
        await letters.hurry_until(world, died=False)
        verdict = Verdict()
        await check_letters(world, verdict, mail)
        reports(verdict, "letters sent twice")


async def test_a_service_without_any_scope(infrastructure: Infrastructure) -> None:
    """Disable both layers: either alone keeps the offices apart."""
    async with running_service("clients", infrastructure, purpose="spied") as clients:
        assert (await probe_clients(clients)).holds
        async with active_layers(clients, "query filters alone"):
            with patch.object(database, "query_filters", new=False):
                verdict = await probe_clients(clients)
        reports(verdict, "leaks")
        reports(verdict, "foreign things answered unlike unknown ones")


async def probe_clients(clients: ServiceHarness) -> Verdict:
    """Create two offices with a card each; people of one ask for the other's."""
    verdict = Verdict()
    routes = isolation_probe.routes_of("clients", clients.app, verdict)
    theirs, card, vehicle_id = await filled_office(clients, unique_phone())
    ours, *_ = await filled_office(clients, unique_phone())

    async def rows(_: str, query: str, *values: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(clients.urls.admin)
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *values)
            return found
        finally:
            await connection.close()

    def headers(role: Role) -> Callable[[], dict[str, str]]:
        return lambda: {"Authorization": f"Bearer {token(role, office_id=ours.id)}"}

    hidden = await isolation_probe.owned_by(rows, "clients", theirs.id)
    known = {"client_id": [card["id"]], "vehicle_id": [vehicle_id]}
    seen = [*isolation_probe.derived_requests(routes, known), *isolation_probe.filter_requests(routes, known)]
    prober = isolation_probe.IsolationProber(lambda _: clients.http(), verdict, random.Random(1))
    await isolation_probe.run_probe(
        prober, list(product(isolation_probe.intruders_of("ours", hidden, headers), seen)), max_requests=150
    )
    return verdict


def test_a_route_that_does_not_say_who_may_call_it() -> None:
    app, verdict = FastAPI(), Verdict()

    @app.get("/orders")
    async def list_orders() -> None:
        return None

    isolation_probe.routes_of("orders", app, verdict)
    reports(verdict, "routes without an access class")
