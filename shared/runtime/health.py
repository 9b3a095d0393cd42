"""Health and metrics.

Readiness depends on the database and its schema, not on the broker: services accept commands while the broker is down.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from shared.persistence.database import Database
from shared.persistence.scope import NETWORK
from shared.runtime.operations import measure


def health_router(service: str, revision: str) -> APIRouter:
    """Return the routes of probes and metrics; `revision` is the oldest schema that the code works with."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/ready")
    async def ready(request: Request) -> Response:
        state = request.app.state
        if state.stopping:
            return JSONResponse({"status": "stopping"}, status_code=503)
        database: Database = state.database
        try:
            async with database.app(NETWORK) as session:
                found = await session.scalar(text("SELECT version_num FROM alembic_version"))
        except Exception as error:
            return JSONResponse({"status": "database unavailable", "error": type(error).__name__}, status_code=503)
        if found is None or found < revision:  # A newer schema serves older code too: migrations only expand.
            return JSONResponse({"status": "schema", "found": found, "wanted": revision}, status_code=503)
        return JSONResponse({"status": "ready"})

    @router.get("/health/consumers")
    async def consumers(request: Request) -> Response:
        healthy = request.app.state.subscriptions.healthy
        return JSONResponse({"healthy": healthy}, status_code=200 if healthy else 503)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        database: Database = request.app.state.database
        async with database.app(NETWORK) as session:
            await measure(session, service)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
