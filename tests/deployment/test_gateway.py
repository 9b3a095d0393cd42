"""Caddy with the production's file changes nothing that passes through it, and says in our words what does not."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from devtools.supervisor.gateway import CADDYFILE, find_binary, gateway
from devtools.supervisor.processes import GuardedProcess, accepts_connections, free_port, wait_until
from services.serving import KEEP_ALIVE_SECONDS
from simulators.embedded_http import serving

HOST = "127.0.0.1"
LONG = json.dumps({"note": "x" * 2000}).encode()
LIMIT = 20_000_000
PAUSE_SECONDS = 0.4


def _service() -> FastAPI:
    app = FastAPI()

    @app.api_route("/api/orders/echo/{rest:path}", methods=["GET", "POST", "PATCH", "DELETE"])
    async def echo(request: Request) -> Response:
        body = await request.body()
        response = Response(body, status_code=207, media_type="application/octet-stream")
        response.headers["x-method"] = request.method
        response.headers["x-target"] = (request.scope["raw_path"] + b"?" + request.scope["query_string"]).decode()
        for name in ("authorization", "if-match", "host"):
            response.headers[f"x-{name}"] = request.headers.get(name, "")
        for name in ("for", "host", "proto"):
            response.headers[f"x-saw-{name}"] = request.headers.get(f"x-forwarded-{name}", "")
        response.headers["etag"] = '"7"'
        response.headers.append("set-cookie", "first=1")
        response.headers.append("set-cookie", "second=2")
        return response

    @app.get("/api/orders/long")
    async def long() -> Response:
        return Response(LONG, media_type="application/json", headers={"etag": '"7"'})

    @app.get("/api/orders/events")
    async def events() -> Response:
        async def two() -> AsyncIterator[bytes]:
            for number in range(2):
                yield b"data: %d %s\n\n" % (number, b"x" * 1000)
                await asyncio.sleep(PAUSE_SECONDS)

        return StreamingResponse(two(), media_type="text/event-stream")

    @app.get("/api/orders/health/live")
    @app.get("/api/orders/metrics")
    async def inside() -> str:
        return "for the network inside only"

    return app


@pytest.fixture(scope="module")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GuardedProcess]:
    if find_binary() is None:
        pytest.skip("Debian's caddy is not installed here: apt-get install caddy")
    directory, port = tmp_path_factory.mktemp("gateway"), free_port()
    async with serving(_service(), HOST, 0) as url:
        services = {"orders": int(urlsplit(url).port or 0), "billing": free_port()}
        process = gateway(
            services, host=HOST, port=port, directory=directory / "own", log=directory / "gateway.log", grace=5
        )
        process.start()
        try:
            await asyncio.to_thread(wait_until, lambda: accepts_connections(port), process, seconds=20)
            yield process
        finally:
            process.stop()


@pytest.fixture(scope="module")
async def origin(process: GuardedProcess) -> str:
    (address,) = {connection.laddr for connection in psutil.Process(process.pid).net_connections("tcp")}
    return f"http://{address.ip}:{address.port}"


@pytest.fixture
async def client(origin: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=origin, trust_env=False, timeout=20) as client:
        yield client


async def _raw(origin: str, *header: bytes, body: bytes = b"") -> bytes:
    """The head of the answer to a request that a client library would not send, in small letters."""
    reader, writer = await asyncio.open_connection(HOST, int(urlsplit(origin).port or 0))
    writer.write(b"\r\n".join([b"GET /api/orders/echo/x HTTP/1.1", b"Host: one.origin", *header, b"", body]))
    # Not drained: an answer may come before the whole body was taken.
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    writer.close()
    return answer.lower()


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_a_request_and_its_answer_pass_unchanged(client: httpx.AsyncClient, method: str) -> None:
    body = b"" if method == "GET" else bytes(range(256)) * 500
    answer = await client.request(
        method, "/api/orders/echo/%D0%BC%2Fx?a=1&a=%20b", content=body, headers={"Authorization": "Bearer t"}
    )
    assert answer.status_code == 207
    assert answer.content == body
    assert answer.headers["x-method"] == method
    assert answer.headers["x-target"] == "/api/orders/echo/%D0%BC%2Fx?a=1&a=%20b"
    assert answer.headers["x-authorization"] == "Bearer t"
    assert answer.headers["etag"] == '"7"'
    assert answer.headers.get_list("set-cookie") == ["first=1", "second=2"]
    assert "server" not in answer.headers


async def test_the_service_is_told_who_asks_and_nobody_can_say_that_he_is_another(client: httpx.AsyncClient) -> None:
    """Who guesses passwords is told apart by his address."""
    answer = await client.get("/api/orders/echo/x", headers={"X-Forwarded-For": "203.0.113.9", "Host": "one.origin"})
    assert answer.headers["x-saw-for"] == HOST
    assert answer.headers["x-saw-host"] == "one.origin"
    assert answer.headers["x-saw-proto"] == "http"
    assert answer.headers["x-host"] == "one.origin"


@pytest.mark.parametrize("sent", [b"Bearer t ", "Bearer é".encode("latin-1")])
async def test_a_strange_header_is_passed_on(origin: str, sent: bytes) -> None:
    answer = await _raw(origin, b"Authorization: " + sent)
    assert answer.startswith(b"http/1.1 207 ")
    assert b"x-authorization: " + sent.strip().lower() + b"\r\n" in answer


async def test_a_header_that_cannot_be_passed_on_is_malformed(origin: str) -> None:
    assert (await _raw(origin, b"Authorization: a\x00b")).startswith(b"http/1.1 400 ")


async def test_a_version_comes_back_as_it_went(client: httpx.AsyncClient) -> None:
    """A newer Caddy marks the ETag of what it compresses, and callers return the mark."""
    answer = await client.get("/api/orders/long", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == LONG
    for etag in (answer.headers["etag"], '"7-gzip"', '"7-zstd"', '"7"'):
        echo = await client.get("/api/orders/echo/x", headers={"If-Match": etag})
        assert echo.headers["x-if-match"] == '"7"'


async def test_events_are_streamed_as_they_happen_though_the_caller_takes_gzip(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/api/orders/events", headers={"Accept-Encoding": "gzip"}) as answer:
        arrived = [(time.monotonic(), chunk) async for chunk in answer.aiter_raw()]
    assert [chunk[:7] for _, chunk in arrived] == [b"data: 0", b"data: 1"]
    assert arrived[1][0] - arrived[0][0] > PAUSE_SECONDS / 2


async def test_a_service_that_is_down_is_a_problem_and_not_a_hang(client: httpx.AsyncClient) -> None:
    begun = time.monotonic()
    answer = await client.get("/api/billing/invoices")
    assert 2.5 < time.monotonic() - begun < 10, "it is waited for, for it may be starting again"
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["type"] == "urn:reglament:problem:unavailable"
    assert answer.json()["status"] == 503


@pytest.mark.parametrize(
    "path", ["/api/warehouse/shelves", "/elsewhere", "/", "/api/orders/metrics", "/api/orders/health/live"]
)
async def test_what_is_not_published_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:reglament:problem:not-found",
        "title": "Нет такого адреса",
        "status": 404,
        "detail": "Нет такого адреса",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers


async def test_a_body_beyond_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * LIMIT
        yield b"x"

    answer = await client.post("/api/orders/echo/x", content=body())
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:reglament:problem:body-too-large"


async def test_a_declared_length_beyond_the_limit_is_refused(origin: str) -> None:
    answer = await _raw(origin, b"Content-Length: %d" % (LIMIT + 1), body=b"x" * (LIMIT + 1))
    assert answer.startswith(b"http/1.1 413 ")
    assert b"content-type: application/problem+json\r\n" in answer


async def test_a_body_below_the_limit_passes(client: httpx.AsyncClient) -> None:
    body = b"x" * (LIMIT - 1)
    assert (await client.post("/api/orders/echo/x", content=body)).content == body


def test_idle_connections_end_at_the_callers_side_first() -> None:
    """Closed by the receiver at the moment of the next request, a connection costs its caller an error."""
    binary = find_binary()
    if binary is None:
        pytest.skip("Debian's caddy is not installed here: apt-get install caddy")
    command = [binary, "adapt", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    adapted = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (server,) = json.loads(adapted)["apps"]["http"]["servers"].values()
    transports = _values(server, "transport")
    assert transports
    for transport in transports:
        assert transport["keep_alive"]["idle_timeout"] < KEEP_ALIVE_SECONDS * 1e9
    assert server["idle_timeout"] > KEEP_ALIVE_SECONDS * 1e9


def _values(tree: object, key: str) -> list[dict[str, dict[str, float]]]:
    if isinstance(tree, list):
        return [found for inner in tree for found in _values(inner, key)]
    if isinstance(tree, dict):
        return ([tree[key]] if key in tree else []) + _values(list(tree.values()), key)
    return []


async def test_it_is_private(process: GuardedProcess, origin: str) -> None:
    """One port of this machine, no admin endpoint, no certificate, nothing written but below its own directory."""
    caddy = psutil.Process(process.pid)
    listening = {c.laddr for c in caddy.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert {(address.ip, address.port) for address in listening} == {(HOST, urlsplit(origin).port)}
    assert process.directory is not None
    environment = caddy.environ()
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        assert environment[name] == str(process.directory)
    assert not [name for name in environment if name.endswith("_DATABASE_URL")]
    assert not list(process.directory.rglob("*.crt")) + list(process.directory.rglob("*.pem"))
