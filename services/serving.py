"""Mounts services under their prefixes in one application, all on a laptop, one in a container; and serves it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.runtime.app import build_app
from shared.runtime.service import Service
from shared.web import problems

SHUTDOWN_GRACE_SECONDS = 25
"""After SIGTERM, for the requests in hand; consumers and letters come after them."""
KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep an idle connection: closed at the moment of its next request it costs a caller a 502."""
GC_GENERATION_0_THRESHOLD = 20_000
"""So many new ones make the collector look.  At its default of 700 it takes a third of a bulk action's time."""


def load(name: str) -> Service:
    """Return the declaration in `services/<name>/app.py`."""
    service: Service = import_module(f"services.{name}.app").service
    return service


def build_root(names: Sequence[str]) -> FastAPI:
    """Return one application with each service mounted at `/api/<name>`."""
    apps = {name: build_app(load(name)) for name in names}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # The root's lifespan runs those of the mounted applications, which would otherwise never start.
        async with AsyncExitStack() as stack:
            for app in apps.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    root = FastAPI(title="Регламент", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(root)

    @root.get("/")
    async def index() -> HTMLResponse:
        links = "".join(
            f'<li><a href="/api/{name}/docs">{app.title.removeprefix("Регламент: ")}</a>'
            f" <small>/api/{name}</small></li>"
            for name, app in apps.items()
        )
        return HTMLResponse(
            "<!doctype html><html lang='ru'><meta charset='utf-8'><title>Регламент</title>"
            "<style>body{font:18px/1.6 sans-serif;max-width:40em;margin:4em auto;padding:0 1em}"
            "small{color:#666}</style>"
            f"<h1>Регламент</h1><p>Сервисы и описание их API:</p><ul>{links}</ul></html>"
        )

    @root.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @root.get("/health/ready")
    async def ready(request: Request) -> Response:
        async def ask(name: str) -> tuple[str, int]:
            transport = httpx.ASGITransport(apps[name])
            async with httpx.AsyncClient(transport=transport, base_url="http://local") as http:
                return name, (await http.get("/health/ready")).status_code

        answers = dict(await asyncio.gather(*(ask(name) for name in apps)))
        ok = all(status == 200 for status in answers.values())
        return JSONResponse({"ready": ok, "services": answers}, status_code=200 if ok else 503)

    @root.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    for name, app in apps.items():
        root.mount(f"/api/{name}", app)
    return root


def serve(app: FastAPI, host: str, port: int, **options: Any) -> None:
    """Until SIGTERM; then what is in hand is answered.  `options` are uvicorn's."""
    freeze_garbage_collector()
    usual: dict[str, Any] = {
        "loop": "uvloop",
        "http": "httptools",
        "log_config": None,
        "access_log": False,
        "timeout_graceful_shutdown": SHUTDOWN_GRACE_SECONDS,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "server_header": False,
    }
    uvicorn.run(app, host=host, port=port, **usual | options)


def freeze_garbage_collector() -> None:
    """Freeze what is imported and built by now, so that the garbage collector never looks at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_GENERATION_0_THRESHOLD, 20, 20)
