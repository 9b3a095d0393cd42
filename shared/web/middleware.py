"""Pure ASGI middleware: correlation ids, metrics and one log line per request."""

import time
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.base import metrics
from shared.base.errors import BusinessError
from shared.messaging import context
from shared.persistence.database import new_id
from shared.web.problems import from_business_error
from shared.web.route import MAX_BODY_BYTES

log = structlog.get_logger("http")

HEADER = "X-Correlation-ID"
POLLED = frozenset({"/metrics", "/revocations", "/.well-known/jwks.json"})
"""Paths that machines poll; they are neither measured nor logged."""


class BodyTooLarge(BusinessError):
    """The declared length of the body exceeds the limit."""

    status = 413
    code = "body-too-large"
    title = "Слишком большой запрос"


class RequestContext:
    """Adopt the caller's correlation id and trace, or create an id; return it in the response."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        context.accept(headers.get(HEADER, ""), headers.get("traceparent", ""))
        correlation = context.correlation_id.get() or str(new_id())
        context.correlation_id.set(correlation)
        context.causation_id.set("")
        started = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = correlation
            await send(message)

        try:
            if (length := headers.get("content-length", "0")).isdigit() and int(length) > MAX_BODY_BYTES:
                # The route applies the same limit to a body without a declared length.
                await from_business_error(BodyTooLarge())(scope, receive, send_with_id)
            else:
                await self._app(scope, receive, send_with_id)
        finally:
            self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route: Any = scope.get("route")
        path = getattr(route, "path", "unknown")
        if path.startswith("/health") or path in POLLED:
            return
        metrics.REQUESTS.labels(self._service, scope["method"], path, str(status)).observe(seconds)
        log.info(
            "request",
            service=self._service,
            method=scope["method"],
            route=path,
            status=status,
            milliseconds=round(seconds * 1000, 1),
        )
