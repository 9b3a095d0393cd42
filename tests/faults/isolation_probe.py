"""F13: people of one office ask for another's objects, in every way that the interface has.

The hidden identifiers are read from the databases, past every protection.  Requests that the owners sent are repeated
by others: the answers have to be as if the objects did not exist, and contain none of the identifiers.
"""

import asyncio
import io
import random
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count, zip_longest
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from shared.identity.roles import OFFICE_STAFF, Role
from shared.web.access import Access
from shared.web.route import TransactionRoute
from tests.faults.checker import Verdict

IDENTIFIER = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
UNCLASSIFIED = {"/health/live", "/health/ready", "/health/consumers", "/metrics"}
UNCLASSIFIED |= {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}
"""Routes of the kernel without data of offices; the last are documents."""
CANCELLED_SHARE = 0.1
OWNED = """
SELECT k.table_name AS name, k.column_name AS key, bool_or(o.column_name = 'client_id') AS of_client
FROM information_schema.key_column_usage k
JOIN information_schema.table_constraints c USING (constraint_schema, constraint_name)
JOIN information_schema.columns t ON t.table_name = k.table_name AND t.column_name = k.column_name
JOIN information_schema.columns o ON o.table_name = k.table_name
WHERE c.constraint_type = 'PRIMARY KEY' AND t.data_type = 'uuid' AND k.column_name <> 'office_id'
GROUP BY 1, 2 HAVING bool_or(o.column_name = 'office_id')
"""
"""Tables of the offices' objects, and the columns that name an object."""


@dataclass(frozen=True, slots=True)
class Route:
    service: str
    method: str
    template: str
    roles: frozenset[Role]
    """Roles that may call it; empty for a route without a caller."""
    parameters: Mapping[str, Any]
    """Name -> schema of the parameters of the query."""

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"{[^}]+}", "[^/]+", self.template))

    @property
    def label(self) -> str:
        return f"{self.service} {self.method} {self.template}"


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that an owner sent with success."""

    route: Route
    path: str
    query: str = ""
    content: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Intruder:
    """A caller from whom the identifiers `hidden` must stay hidden."""

    name: str
    role: Role
    headers: Callable[[], dict[str, str]]
    hidden: frozenset[str]


@dataclass(slots=True)
class IsolationProber:
    """Intruders at work and what they found."""

    open: Callable[[str], httpx.AsyncClient]
    """Service -> HTTP client."""
    verdict: Verdict
    random: random.Random
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    sent: int = 0
    cancelled: int = 0
    reached: set[str] = field(default_factory=set)
    """Routes at which a caller with the right role asked for a foreign object."""
    leaks: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def probe(self, intruder: Intruder, seen: RecordedRequest) -> None:
        """Ask for foreign objects, then for unknown ones: both answers must be equal."""
        asked = {found for found in IDENTIFIER.findall(text_of_request(seen)) if found in intruder.hidden}
        foreign = await self._send(intruder, seen)
        if foreign is None:
            return
        where = f"{seen.route.label} as {intruder.name}"
        found = (set(IDENTIFIER.findall(text_of(foreign))) & intruder.hidden) - asked
        if found:
            self.leaks.append(f"{where}: {foreign.status_code} with {', '.join(sorted(found)[:3])}")
        if intruder.role not in seen.route.roles:
            if foreign.status_code != httpx.codes.FORBIDDEN:
                self.refusals.append(f"{where}: {foreign.status_code}")
            return
        if not asked:
            return
        if foreign.status_code != httpx.codes.FORBIDDEN:
            self.reached.add(seen.route.label)
        unknown_ids = {identifier: str(uuid4()) for identifier in asked}
        unknown_answer = await self._send(intruder, replaced(seen, unknown_ids))
        if unknown_answer is not None:
            one, other = shape(foreign, asked), shape(unknown_answer, unknown_ids.values())
            if one != other:
                self.differences.append(f"{where}: {one} but {other}")

    async def disconnect(self, intruder: Intruder, seen: RecordedRequest) -> None:
        """Break off a request before its answer: the next user of the database connection must not get its scope."""
        request = asyncio.create_task(self._send(intruder, seen))
        await asyncio.sleep(self.random.uniform(0, 0.02))
        request.cancel()
        with suppress(asyncio.CancelledError):
            await request
        self.cancelled += 1

    async def _send(self, intruder: Intruder, seen: RecordedRequest) -> httpx.Response | None:
        """Send a request; None where the connection broke."""
        service = seen.route.service
        if service not in self.clients:
            self.clients[service] = self.open(service)
        headers = intruder.headers()
        if seen.content:
            headers["Content-Type"] = seen.content_type
        if seen.route.method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        elif seen.route.method != "GET":
            headers["If-Match"] = '"1"'
        self.sent += 1
        url = seen.path + (f"?{seen.query}" if seen.query else "")
        try:
            return await self.clients[service].request(seen.route.method, url, content=seen.content, headers=headers)
        except httpx.HTTPError as error:
            self.differences.append(f"{seen.route.label}: no answer, {error!r}")
            return None

    async def close(self) -> None:
        for client in self.clients.values():
            await client.aclose()

    def report(self) -> None:
        self.verdict.figures |= {
            "requests": self.sent,
            "cancelled": self.cancelled,
            "routes asked for foreign things": len(self.reached),
        }
        self.verdict.require_none("leaks", self.leaks)
        self.verdict.require_none("foreign things answered unlike unknown ones", self.differences)
        self.verdict.require_none("roles let in", self.refusals)


async def run_probe(
    prober: IsolationProber, pairs: Sequence[tuple[Intruder, RecordedRequest]], *, max_requests: int, writers: int = 6
) -> None:
    """Send the requests repeatedly, in another order and company each time, and break off some."""
    assert pairs, "no request was recorded"
    left = chain.from_iterable(round_robin(prober.random, pairs) for _ in count())

    async def work() -> None:
        for intruder, request in left:
            if prober.sent >= max_requests:
                return
            if prober.random.random() < CANCELLED_SHARE:
                await prober.disconnect(intruder, request)
            await prober.probe(intruder, request)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(writers):
                group.create_task(work())
    finally:
        await prober.close()
    prober.report()


def round_robin(
    chance: random.Random, pairs: Iterable[tuple[Intruder, RecordedRequest]]
) -> Iterator[tuple[Intruder, RecordedRequest]]:
    """Order requests: one for every route before a second for any, callers with the right role first."""
    by_route: dict[str, list[tuple[Intruder, RecordedRequest]]] = defaultdict(list)
    for pair in pairs:
        by_route[pair[1].route.label].append(pair)
    for group in by_route.values():
        chance.shuffle(group)
        group.sort(key=lambda pair: pair[0].role not in pair[1].route.roles)
    for one_per_route in zip_longest(*by_route.values()):
        for pair in one_per_route:
            if pair is not None:
                yield pair


def routes_of(service: str, app: FastAPI, verdict: Verdict) -> list[Route]:
    """Return every route with an access class; one without is a violation."""
    document = app.openapi()["paths"]
    found, unclassified = [], []
    for context in iter_route_contexts(app.routes):
        route, path = context.original_route, context.path or ""
        if not isinstance(route, TransactionRoute):
            unclassified += [f"{service} {path}"] if path not in UNCLASSIFIED else []
            continue
        roles = route.access.roles if isinstance(route.access, Access) else frozenset[Role]()
        for method in sorted(route.methods or ()):
            described = document.get(path, {}).get(method.lower(), {}).get("parameters", [])
            query = {each["name"]: each.get("schema", {}) for each in described if each["in"] == "query"}
            found.append(Route(service, method, path, roles, query))
    verdict.require_none("routes without an access class", unclassified)
    return found


def match(routes: Iterable[Route], service: str, method: str, path: str) -> Route | None:
    """Fixed addresses go before those with parameters."""
    for route in sorted(routes, key=lambda route: route.template.count("{")):
        if (route.service, route.method) == (service, method) and route.pattern.fullmatch(path):
            return route
    return None


def recorded_request_of(route: Route, response: httpx.Response, path: str) -> RecordedRequest:
    request = response.request
    kind = request.headers.get("content-type", "application/json")
    return RecordedRequest(route, path, request.url.query.decode(), request.content, kind)


def filter_requests(routes: Iterable[Route], known: Mapping[str, Sequence[str]]) -> Iterator[RecordedRequest]:
    """Yield requests for lists, counts and exports: plain, in every order, with a foreign object in every filter."""
    for route in routes:
        if route.method != "GET" or "{" in route.template or not route.roles:
            continue
        yield RecordedRequest(route, route.template)
        for name, schema in route.parameters.items():
            for value in [*known.get(name, [])[:2], *choices(schema)]:
                yield RecordedRequest(route, route.template, str(httpx.QueryParams({name: value})))


def choices(schema: Mapping[str, Any]) -> list[str]:
    """Return the values of an enumeration: orders, states, formats."""
    kinds = [schema, *schema.get("anyOf", []), schema.get("items", {})]
    return [str(value) for kind in kinds for value in kind.get("enum", [])]


def derived_requests(routes: Iterable[Route], known: Mapping[str, Sequence[str]]) -> Iterator[RecordedRequest]:
    """Yield addresses made of known identifiers, for routes that no owner called."""
    for route in routes:
        names = re.findall(r"{([^}:]+)", route.template)
        if names and route.roles and all(known.get(name) for name in names):
            path = route.template
            for name in names:
                path = re.sub(rf"{{{name}[^}}]*}}", known[name][0], path)
            yield RecordedRequest(route, path, content=b"" if route.method in ("GET", "DELETE") else b"{}")


def intruders_of(
    office: str, hidden: frozenset[str], headers: Callable[[Role], Callable[[], dict[str, str]]]
) -> Iterator[Intruder]:
    """Yield everyone of an office: staff and clients."""
    for role in (*OFFICE_STAFF, Role.CLIENT):
        yield Intruder(f"{role.value} of {office}", role, headers(role), hidden)


async def owned_by(
    rows: Callable[..., Any], service: str, office_id: UUID, client_id: UUID | None = None
) -> frozenset[str]:
    """Return identifiers of the rows of an office, or of one of its clients."""
    found: set[str] = set()
    for table in await rows(service, OWNED):
        if client_id is not None and not table["of_client"]:
            continue
        mine = "client_id = $1" if client_id is not None else "office_id = $1"
        query = f'SELECT "{table["key"]}"::text FROM "{table["name"]}" WHERE {mine}'
        found |= {row[0] for row in await rows(service, query, client_id or office_id)}
    return frozenset(found - {str(office_id), str(client_id)})


async def named_by(rows: Callable[..., Any], service: str, office_id: UUID, things: Iterable[str]) -> frozenset[str]:
    """Return identifiers that the office's rows about these objects name: they went along with a handed-over object."""
    found: set[str] = set()
    for table in await rows(service, OWNED):
        query = (
            f'SELECT thing::text FROM "{table["name"]}" AS thing'
            f' WHERE "{table["key"]}" = ANY($1::text[]::uuid[]) AND office_id = $2'
        )
        for row in await rows(service, query, list(things), office_id):
            found |= set(IDENTIFIER.findall(row[0]))
    return frozenset(found)


def text_of_request(seen: RecordedRequest) -> str:
    return f"{seen.path}?{seen.query} {seen.content.decode(errors='replace')}"


def replaced(seen: RecordedRequest, others: Mapping[str, str]) -> RecordedRequest:
    def other(text: str) -> str:
        return IDENTIFIER.sub(lambda found: others.get(found[0], found[0]), text)

    content = other(seen.content.decode("latin-1")).encode("latin-1")
    return RecordedRequest(seen.route, other(seen.path), other(seen.query), content, seen.content_type)


def text_of(response: httpx.Response) -> str:
    """Return the text of an answer; a workbook is unpacked."""
    if response.content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(response.content)) as book:
            return "".join(book.read(name).decode(errors="replace") for name in book.namelist())
    return response.content.decode(errors="replace")


def shape(response: httpx.Response, asked: Iterable[str]) -> tuple[int, str, str]:
    """Return the comparable part of an answer; of a success only its status, since new objects have new ids."""
    kind = response.headers.get("content-type", "")
    text = text_of(response)
    for identifier in asked:
        text = text.replace(identifier, "…")
    return response.status_code, kind, "" if response.is_success else text
