"""The composition root: builds a running FastAPI application from a `Service`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import structlog
from fastapi import FastAPI

from shared.base.settings import DatabaseUrls, Settings
from shared.identity.keys import ensure_key
from shared.identity.tokens import TokenVerifier
from shared.messaging.consumers import Dispatcher
from shared.messaging.relay import Relay
from shared.messaging.subscriptions import Subscriptions
from shared.persistence import migrate
from shared.persistence.database import Database
from shared.persistence.listener import Listener
from shared.runtime import audit, retention
from shared.runtime.health import health_router
from shared.runtime.operations import operations_router
from shared.runtime.service import Service, ServiceContext
from shared.runtime.sign_in import sign_in_router
from shared.web import problems
from shared.web.middleware import RequestContext
from shared.web.openapi import describe

log = structlog.get_logger(__name__)

RESTART_PAUSE = 1.0


def build_app(
    service: Service,
    settings: Settings | None = None,
    urls: DatabaseUrls | None = None,
    verifier: TokenVerifier | None = None,
) -> FastAPI:
    """Return the service's application; nothing is connected before its lifespan starts."""
    configured = settings or service.settings()
    types = sorted(service.consumers.handlers)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _running(app, service, configured, urls or DatabaseUrls(service.name), verifier):
            yield

    app = FastAPI(
        title=f"Регламент: {service.title}",
        version="1",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.stopping = False
    problems.install(app)
    app.add_middleware(RequestContext, service=service.name)
    if service.signs_in:
        app.include_router(sign_in_router(service.name))
    for router in service.routers:
        app.include_router(router)
    app.include_router(operations_router(service.name, types))
    app.include_router(health_router(service.name, migrate.head(service.import_path)))
    describe(app)
    return app


@asynccontextmanager
async def _running(
    app: FastAPI, service: Service, settings: Settings, urls: DatabaseUrls, verifier: TokenVerifier | None
) -> AsyncIterator[None]:
    """Start in the order database → issuers → loops → relay → consumers; stop in the opposite one."""
    async with AsyncExitStack() as stack:
        database = Database(
            urls.app,
            urls.worker,
            pool=settings.database_pool,
            name=service.name,
            worker_settings=service.worker_settings,
        )
        stack.push_async_callback(database.dispose)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=3.0, trust_env=False))
        listener = Listener(urls.worker)
        context = ServiceContext(settings, database, listener)
        verifier = verifier or TokenVerifier({"control": settings.control_url, "clients": settings.clients_url}, http)
        relay = Relay(
            service.name,
            database,
            settings.amqp_url,
            listener.listen("outbox"),
            queue_kind=settings.queue_type,
            lease_seconds=settings.relay_lease_seconds,
            check_seconds=settings.topology_check_seconds,
        )
        dispatcher = Dispatcher(service.consumers, database, concurrency=max(1, settings.database_pool - 2))
        subscriptions = Subscriptions(
            dispatcher,
            sorted(service.consumers.handlers),
            database,
            settings.amqp_url,
            queue_kind=settings.queue_type,
            prefetch=settings.consumer_prefetch,
            check_seconds=settings.topology_check_seconds,
        )
        app.state.database, app.state.verifier, app.state.settings = database, verifier, settings
        app.state.subscriptions, app.state.dispatcher, app.state.http = subscriptions, dispatcher, http
        app.state.relay = relay
        if service.signs_in:
            async with database.worker() as session:
                await ensure_key(session)
        for hook in service.on_start:
            await hook(context)
        background = _BackgroundTasks()
        stack.push_async_callback(background.stop)
        background.start("retention", lambda: retention.run_retention(database, signs_in=service.signs_in))
        background.start("sealer", lambda: audit.run_sealer(database))
        background.start("revocations", verifier.watch)
        background.start("relay", relay.run)
        background.start("retry", subscriptions.retry)
        for loop in service.loops:
            background.start(loop.name, lambda loop=loop: loop.run(context))  # type: ignore[misc]
        background.start("consumers", subscriptions.run)
        await asyncio.sleep(0)  # Every loop calls `listen` before the listener connects.
        background.start("listener", listener.run)
        log.info("started", service=service.name)
        yield
        app.state.stopping = True


class _BackgroundTasks:
    """Tasks that are restarted after a failure and end together, the last started first."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(self._keep_running(name, run), name=name))

    async def stop(self) -> None:
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_running(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await run()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                # aiormq cancels its pending calls when its connection ends; this task was not cancelled.
                log.warning("background task was broken off, starting it again", task=name)
            except Exception:
                log.exception("background task failed, starting it again", task=name)
            await asyncio.sleep(RESTART_PAUSE)
