"""The day's office, asked for by people of the other one, by strangers and by another client of its own."""

import asyncio
import random
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from services.serving import load
from shared.base.settings import SERVICES
from shared.identity.roles import Role
from shared.persistence.database import new_id
from shared.runtime.app import build_app
from tests.faults import isolation_probe
from tests.faults.checker import Verdict
from tests.system.interface import AccessTokens, KnownObjects
from tests.system.recording import Exchange
from tests.system.run_day import CompletedDay

SAMPLES = 4
"""Requests of one route that are repeated, with different objects where there are several."""


async def probe_system(
    completed_day: CompletedDay, exchanges: Sequence[Exchange], *, seed: int, max_requests: int
) -> Verdict:
    """Send at most `max_requests` requests, every route before any a second time."""
    verdict = Verdict()
    day, world = completed_day.day, completed_day.world
    routes = [
        route for service in SERVICES for route in isolation_probe.routes_of(service, application(service), verdict)
    ]
    insiders = {day.client.person, day.mira.senior, *day.mira.managers, day.head_office}
    known = KnownObjects()
    for exchange in exchanges:
        if exchange.person in insiders:
            known.learn([route.template for route in routes if route.service == exchange.service], exchange)

    async def rows(service: str, query: str, *values: Any) -> list[asyncpg.Record]:
        return await asyncio.to_thread(world.rows, service, query, *values)

    async def hidden(office_id: str, client_id: str = "") -> frozenset[str]:
        client = UUID(client_id) if client_id else None
        found = [await isolation_probe.owned_by(rows, service, UUID(office_id), client) for service in SERVICES]
        return frozenset[str]().union(*found)

    async def named(office_id: str, things: frozenset[str]) -> frozenset[str]:
        found = [await isolation_probe.named_by(rows, service, UUID(office_id), things) for service in SERVICES]
        return frozenset[str]().union(*found)

    of_mira, of_tagil = await hidden(day.mira.id), await hidden(day.tagil.id)
    # Head office handed one obligation of the day to the other office.
    handed_over = of_mira & of_tagil
    of_mira -= handed_over | await named(day.tagil.id, handed_over)
    of_tagil -= handed_over
    of_client = await hidden(day.mira.id, day.client.id) | {day.client.id}
    unknown = str(new_id())
    tagil = AccessTokens.of(world, day.tagil.id, unknown)
    mira = AccessTokens.of(world, day.mira.id, unknown)

    def headers_for(access_tokens: AccessTokens) -> Callable[[Role], Callable[[], dict[str, str]]]:
        return lambda role: lambda: access_tokens.headers(role)

    outsiders = [
        *isolation_probe.intruders_of("the other office", of_mira, headers_for(tagil)),
        isolation_probe.Intruder(
            "a mystery checker", Role.MYSTERY_CHECKER, headers_for(tagil)(Role.MYSTERY_CHECKER), of_mira
        ),
        isolation_probe.Intruder(
            "another client of the office", Role.CLIENT, headers_for(mira)(Role.CLIENT), of_client
        ),
    ]
    own_people = list(isolation_probe.intruders_of("the office itself", of_tagil, headers_for(mira)))
    asked = [
        *seen(routes, exchanges, of_mira),
        *isolation_probe.derived_requests(routes, known.identifiers),
        *isolation_probe.filter_requests(routes, known.identifiers),
    ]
    # Its own people read meanwhile, over the same connections to the databases.
    pairs = [*product(outsiders, asked), *product(own_people, [one for one in asked if one.route.method == "GET"])]
    base = day.target.url
    prober = isolation_probe.IsolationProber(
        lambda service: httpx.AsyncClient(base_url=f"{base}/api/{service}", trust_env=False, timeout=30),
        verdict,
        random.Random(seed),
    )
    await isolation_probe.run_probe(prober, pairs, max_requests=max_requests)
    verdict.figures |= {"routes": len(routes), "things of the office": len(of_mira)}
    return verdict


def application(service: str) -> Any:
    declared = load(service)
    return build_app(declared, declared.settings())


def seen(
    routes: Sequence[isolation_probe.Route], exchanges: Sequence[Exchange], hidden: frozenset[str]
) -> list[isolation_probe.RecordedRequest]:
    """Return successful requests that name an object of the office."""
    found: dict[str, list[isolation_probe.RecordedRequest]] = {}
    for exchange in exchanges:
        route = isolation_probe.match(routes, exchange.service, exchange.method, exchange.path)
        if route is None or not route.roles or not exchange.response.is_success:
            continue
        request = isolation_probe.recorded_request_of(route, exchange.response, exchange.path)
        samples = found.setdefault(route.label, [])
        names = isolation_probe.IDENTIFIER.findall(isolation_probe.text_of_request(request))
        if len(samples) < SAMPLES and hidden.intersection(names):
            samples.append(request)
    return [request for samples in found.values() for request in samples]
