"""One origin for services that run in processes of their own, as the reverse proxy is for containers.

python -m devtools.supervisor.gateway --port 8000 --route control=http://127.0.0.1:21001 --route orders=http://…
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

# Headers that concern one connection only (RFC 9110, 7.6.1) and never pass a proxy.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"}
HOP_BY_HOP |= {"transfer-encoding", "upgrade", "host"}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# A stream of events may be silent for long; a service that does not even accept the connection is down.
TIMEOUT = httpx.Timeout(None, connect=5)
# A connection to a service is given up long before the service closes it, not while a request is on its way; so do
# callers with theirs, if they are kept longer here than there.
LIMITS = httpx.Limits(max_connections=None, keepalive_expiry=2)
KEEP_ALIVE_SECONDS = 75


def create_gateway(services: Mapping[str, str]) -> Starlette:
    client = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, limits=LIMITS)

    async def forward(request: Request) -> Response:
        base = services.get(request.path_params["service"])
        if base is None:
            return _problem(404, "not-found", "Нет такого адреса")
        # Bytes, because a header's value need not be ASCII; stripped, because a server ignores the spaces around it.
        headers = [
            (name, value.strip()) for name, value in request.headers.raw if name.decode().lower() not in HOP_BY_HOP
        ]
        headers.append((b"x-forwarded-for", (request.client.host if request.client else "").encode()))
        headers.append((b"x-forwarded-host", request.headers.get("host", "").strip().encode("latin-1")))
        # The path as it came: decoding and encoding again would change what the service sees.
        path = request.scope["raw_path"].decode("ascii")
        query = request.scope["query_string"].decode("ascii")
        url = httpx.URL(f"{base}{path}{'?' + query if query else ''}")
        outgoing = client.build_request(request.method, url, headers=headers, content=await request.body())
        try:
            answer = await client.send(outgoing, stream=True)
        except httpx.LocalProtocolError:
            return _problem(400, "malformed-request", "Запрос не читается")
        except httpx.TransportError:
            return _problem(503, "service-unavailable", "Служба временно недоступна", {"Retry-After": "1"})
        response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose))
        response.raw_headers = [pair for pair in answer.headers.raw if pair[0].decode().lower() not in HOP_BY_HOP]
        return response

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        """Ready when every service is; says which are not."""

        async def ask(name: str, base: str) -> tuple[str, bool]:
            try:
                answer = await client.get(f"{base}/api/{name}/health/ready", timeout=5)
            except httpx.HTTPError:
                return name, False
            return name, answer.status_code == httpx.codes.OK

        answers = dict(await asyncio.gather(*(ask(name, base) for name, base in services.items())))
        return JSONResponse({"services": answers}, 200 if all(answers.values()) else 503)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    routes = [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/api/{service}/{path:path}", forward, methods=METHODS),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _problem(status: int, kind: str, title: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"type": f"urn:reglament:problem:{kind}", "title": title, "status": status}
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--route", action="append", required=True, help="service=base URL")
    arguments = parser.parse_args()
    services = dict(route.split("=", 1) for route in arguments.route)
    gateway = create_gateway(services)
    uvicorn.run(
        gateway,
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


if __name__ == "__main__":
    main()
