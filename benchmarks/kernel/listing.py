"""The list of positions over HTTP, first and deep pages, with few rows and with very many."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from benchmarks.kernel import order_history
from benchmarks.kernel.seed_data import orders_database
from benchmarks.kernel.serving import Connection, percentile, serve_orders, served
from devtools.testing.infrastructure import Infrastructure
from shared.identity.roles import Role
from shared.web import pagination

FEW = 10_000
PAGE = 20
DEPTH = 0.9
"""Depth of the deep page, as a share of all rows of its list."""


@dataclass(frozen=True, slots=True)
class View:
    """A list of the interface; `where` selects the same rows in SQL."""

    name: str
    network: bool
    query: str
    where: str


VIEWS = (
    View("the network's, all", True, "", "true"),
    View("the network's, under moderation", True, "&state=moderation", "state = 'moderation'"),
    View("the largest office's, all", False, "", "office_id = md5('office0')::uuid"),
    View(
        "the largest office's, ordered",
        False,
        "&state=ordered",
        "office_id = md5('office0')::uuid AND state = 'ordered'",
    ),
    View("one client's", True, "&client_id={client}", "client_id = '{client}'"),
    View("one supplier's", True, "&supplier_id={supplier}", "supplier_id = '{supplier}'"),
)


@dataclass(frozen=True, slots=True)
class Degradation:
    """The view that many rows slow down most; p95 in milliseconds."""

    view: str
    few: float
    many: float


@dataclass(frozen=True, slots=True)
class ListFigures:
    first: Degradation
    deep: Degradation


@dataclass(frozen=True, slots=True)
class _Dataset:
    network: Connection
    office: Connection
    pages: dict[str, tuple[str, str]]
    """View -> its first page and its deep one."""

    async def ask(self, view: View, path: str) -> float:
        """Milliseconds."""
        connection = self.network if view.network else self.office
        started = time.perf_counter()
        page = await connection.get(path)
        elapsed = (time.perf_counter() - started) * 1000
        assert len(page["items"]) == PAGE, path
        return elapsed


async def measure(infrastructure: Infrastructure, *, many: int, rounds: int) -> ListFigures:
    """Ask each page `rounds` times, alternating between both sides."""
    async with _dataset(infrastructure, "few", FEW) as few, _dataset(infrastructure, "many", many) as many_rows:
        datasets = (few, many_rows)
        times: dict[tuple[str, int, int], list[float]] = {}
        for round_number in range(rounds + 1):
            for view in VIEWS:
                for depth in (0, 1):
                    for number, dataset in enumerate(datasets):
                        taken = await dataset.ask(view, dataset.pages[view.name][depth])
                        if round_number:  # The first round is for caches and plans.
                            times.setdefault((view.name, depth, number), []).append(taken)

    def p95(depth: int, number: int, view: View) -> float:
        return percentile(times[view.name, depth, number], 0.95)

    def worst_view(depth: int) -> View:
        return max(VIEWS, key=lambda view: p95(depth, 1, view) / p95(depth, 0, view))

    first, deep = (
        Degradation(view.name, p95(depth, 0, view), p95(depth, 1, view))
        for depth, view in enumerate(map(worst_view, (0, 1)))
    )
    return ListFigures(first, deep)


@asynccontextmanager
async def _dataset(infrastructure: Infrastructure, purpose: str, rows: int) -> AsyncIterator[_Dataset]:
    async with orders_database(infrastructure, purpose) as urls:
        await order_history.fill(urls.admin, rows)
        admin = await asyncpg.connect(urls.admin)
        office: UUID = await admin.fetchval("SELECT md5('office0')::uuid")
        pages = {view.name: await _pages(admin, view) for view in VIEWS}
        await admin.close()
        async with served(serve_orders, urls, infrastructure.amqp_url) as port:
            network = await Connection.to(port, Role.HEAD_OFFICE)
            own = await Connection.to(port, Role.MANAGER, office)
            yield _Dataset(network, own, pages)
            network.close()
            own.close()


async def _pages(admin: asyncpg.Connection, view: View) -> tuple[str, str]:
    """Return the addresses of the first page and of a deep one."""
    some = await admin.fetchrow("SELECT client_id, supplier_id FROM position ORDER BY state_changed_at DESC LIMIT 1")
    names = {"client": some["client_id"], "supplier": some["supplier_id"]}
    where, first = view.where.format(**names), f"/positions?limit={PAGE}{view.query.format(**names)}"
    count = await admin.fetchval(f"SELECT count(*) FROM position WHERE {where}", timeout=300)
    last = await admin.fetchrow(
        f"SELECT state_changed_at, id FROM position WHERE {where} ORDER BY state_changed_at DESC, id DESC"
        " OFFSET $1 LIMIT 1",
        min(int(count * DEPTH), count - PAGE - 1),
        timeout=300,
    )
    return first, f"{first}&cursor={pagination._encode([last['state_changed_at'], last['id']])}"
