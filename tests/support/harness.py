"""Run one service in the test's process, with its own database and virtual host, its relay and its consumers."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any, TypeVar
from uuid import UUID

import aio_pika
import asyncpg
import httpx
from fastapi import FastAPI
from joserfc.jwk import KeySet
from sqlalchemy import Engine, event, select
from sqlalchemy.ext.asyncio import AsyncSession

from devtools.testing.databases import ScratchUrls, scratch_database
from devtools.testing.infrastructure import Infrastructure, isolated_virtual_host
from services.serving import load
from shared.base.clock import now
from shared.base.errors import Unauthenticated
from shared.contracts.base import EVENT_TYPES, Event
from shared.identity.roles import Principal, Role
from shared.identity.tokens import TokenVerifier, generate_key, issue
from shared.messaging.topology import EVENTS
from shared.persistence import migrate
from shared.persistence.database import Database, new_id
from shared.persistence.tables import failed_message, inbox, outbox
from shared.runtime.app import build_app
from shared.runtime.service import Service

E = TypeVar("E", bound=Event)

_key = generate_key()
DELIVERY_TIMEOUT = 60.0


class TestVerifier(TokenVerifier):
    """The real verifier with the test's key for both issuers, and no feeds to poll."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__({"control": "", "clients": ""}, httpx.AsyncClient())
        for issuer in self._issuers.values():
            issuer.keys = KeySet([_key])

    async def _refuse_revoked(self, issuer: Any, principal: Principal, issued_at: float) -> None:
        if issued_at < issuer.revoked.get(principal.id, 0.0):
            raise Unauthenticated

    async def watch(self) -> None:
        await asyncio.Event().wait()


def token(
    role: Role, *, office_id: UUID | None = None, principal_id: UUID | None = None, name: str = "Проверка"
) -> str:
    """Return an access token as the role's issuer would issue it."""
    principal = Principal(principal_id or new_id(), role, office_id, name)
    issuer = "clients" if role == Role.CLIENT else "control"
    return issue(_key, issuer, principal, session_id=new_id(), at=now())


class ServiceHarness:
    """A running service and the ways to use it: HTTP, its database, its queues."""

    def __init__(
        self,
        app: FastAPI,
        service: Service,
        urls: ScratchUrls,
        amqp_url: str,
        exchange: aio_pika.abc.AbstractExchange,
    ) -> None:
        self.app = app
        self.service = service
        self.urls = urls
        self.amqp_url = amqp_url
        self._exchange = exchange

    def http(
        self,
        role: Role | None = None,
        *,
        office_id: UUID | None = None,
        principal_id: UUID | None = None,
        name: str = "Проверка",
    ) -> httpx.AsyncClient:
        """Return a client signed in as `role` (None: not signed in); POSTs without an Idempotency-Key get one."""

        async def add_key(request: httpx.Request) -> None:
            if request.method == "POST" and "idempotency-key" not in request.headers:
                request.headers["idempotency-key"] = str(new_id())

        headers = {}
        if role is not None:
            headers["Authorization"] = (
                f"Bearer {token(role, office_id=office_id, principal_id=principal_id, name=name)}"
            )
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://service",
            headers=headers,
            event_hooks={"request": [add_key]},
            timeout=30,
        )

    def session(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction of the worker's role, in network scope."""
        session: AbstractAsyncContextManager[AsyncSession] = self.app.state.database.worker()
        return session

    async def deliver(self, event: Event, *, event_id: UUID | None = None) -> UUID:
        """Publish like a producer; return when the service's inbox has the event.

        Raises AssertionError with the recorded error when the message failed or was parked.
        """
        event_id = event_id or new_id()
        await self.publish_raw(event.type, event.model_dump_json().encode(), str(event_id))
        async with asyncio.timeout(DELIVERY_TIMEOUT):
            while True:
                async with self.session() as session:
                    mine = inbox.c.event_id == event_id
                    if await session.scalar(select(inbox.c.event_id).where(mine)) is not None:
                        return event_id
                    failed = select(failed_message.c.error).where(failed_message.c.event_id == event_id)
                    error = await session.scalar(failed)
                assert not error, error
                await asyncio.sleep(0.01)

    async def publish_raw(self, event_type: str, body: bytes, message_id: str) -> None:
        """Publish any bytes to the service's queue of a type."""
        message = aio_pika.Message(
            body,
            message_id=message_id,
            type=event_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            headers={"cloudEvents:type": event_type},
        )
        await self._exchange.publish(message, routing_key=event_type)

    async def published(self, event_class: type[E], **fields: Any) -> list[E]:
        """Return events of a class in this service's outbox whose fields have these values, oldest first."""
        async with self.session() as session:
            query = select(outbox.c.body).where(outbox.c.type == event_class.type).order_by(outbox.c.id)
            bodies = (await session.scalars(query)).all()
        events = [EVENT_TYPES[event_class.type].model_validate_json(body) for body in bodies]
        return [
            event
            for event in events
            if isinstance(event, event_class) and all(getattr(event, name) == value for name, value in fields.items())
        ]


NO_MAIL_SERVER = "smtp://127.0.0.1:1"
"""The usual port may belong to the mailbox of another test's system, which would receive foreign letters."""


@asynccontextmanager
async def running_service(
    service: str | Service, infrastructure: Infrastructure, *, purpose: str = "test", **settings: Any
) -> AsyncIterator[ServiceHarness]:
    """Run a service on a new database; `settings` override its settings, for example `smtp_url`."""
    declared = load(service) if isinstance(service, str) else service
    with isolated_virtual_host(infrastructure, f"{declared.name}_{purpose}") as own:
        async with scratch_database(infrastructure.database_url, declared.name, purpose) as urls:
            await migrate.upgrade(declared.import_path, urls.owner)
            async with serving(declared, own, urls, **settings) as harness:
                yield harness


@asynccontextmanager
async def serving(
    service: Service, infrastructure: Infrastructure, urls: ScratchUrls, **settings: Any
) -> AsyncIterator[ServiceHarness]:
    """Run a service on an existing, migrated database."""
    servers = {"amqp_url": infrastructure.amqp_url, "amqp_management_url": infrastructure.management_url}
    options = {**servers, "smtp_url": NO_MAIL_SERVER, **settings}
    app = build_app(service, service.settings(**options), urls, TestVerifier())
    connection = await aio_pika.connect(infrastructure.amqp_url)
    async with connection, app.router.lifespan_context(app):
        channel = await connection.channel()
        exchange = await channel.get_exchange(EVENTS, ensure=False)
        harness = ServiceHarness(app, service, urls, infrastructure.amqp_url, exchange)
        async with asyncio.timeout(DELIVERY_TIMEOUT):
            while not app.state.subscriptions.healthy:  # noqa: ASYNC110 (polls the running service)
                await asyncio.sleep(0.02)
        yield harness


Statement = tuple[str, tuple[Any, ...]]
"""SQL and its parameters."""

_TRANSACTION = re.compile("BEGIN|COMMIT|ROLLBACK$")
_DRIVERS_OWN = re.compile("WITH RECURSIVE typeinfo_tree|.*set_config\\('jit'", re.DOTALL)
"""Sent once per connection, when asyncpg looks up a type for the first time."""


class _RecordingProtocol:
    """A protocol of asyncpg that records every statement before it is sent.

    asyncpg's query logger is no substitute: it misses prepared statements, which SQLAlchemy executes.
    """

    def __init__(self, protocol: Any, seen: list[Statement]) -> None:
        self._protocol = protocol
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)

    def query(self, query: str, timeout: Any) -> Any:
        self._note(query, ())
        return self._protocol.query(query, timeout)

    def bind(self, state: Any, args: Any, *rest: Any, **options: Any) -> Any:
        """Open a cursor."""
        self._note(state.query, args)
        return self._protocol.bind(state, args, *rest, **options)

    def bind_execute(self, state: Any, args: Any, *rest: Any, **options: Any) -> Any:
        self._note(state.query, args)
        return self._protocol.bind_execute(state, args, *rest, **options)

    def bind_execute_many(self, state: Any, args: Any, *rest: Any, **options: Any) -> Any:
        """Execute one statement for many rows, sent together: it counts once."""
        self._note(state.query, ())
        return self._protocol.bind_execute_many(state, args, *rest, **options)

    def _note(self, query: str, arguments: Any) -> None:
        if not _TRANSACTION.match(query) and not _DRIVERS_OWN.match(query):
            self._seen.append((query, tuple(arguments)))


def statements(service: ServiceHarness) -> AbstractContextManager[list[Statement]]:
    """Record what the service's HTTP requests send to PostgreSQL."""
    return statements_of(service.app.state.database)


@contextmanager
def statements_of(database: Database) -> Iterator[list[Statement]]:
    """Record what the driver sends in the transactions of HTTP requests: SQLAlchemy's statements and raw SQL.

    BEGIN with its scope, COMMIT and ROLLBACK are left out: every transaction has them.
    """
    engine: Engine = database._app.engine.sync_engine
    seen: list[Statement] = []
    recorded: dict[asyncpg.Connection, Any] = {}

    def record(pooled: Any, *_: Any) -> None:
        driver = pooled.driver_connection
        if driver not in recorded:
            recorded[driver] = driver._protocol
            driver._protocol = _RecordingProtocol(driver._protocol, seen)

    event.listen(engine, "checkout", record)
    try:
        yield seen
    finally:
        event.remove(engine, "checkout", record)
        for driver, protocol in recorded.items():
            driver._protocol = protocol
