"""The gateway changes nothing that passes through it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from devtools.supervisor.gateway import create_gateway
from devtools.supervisor.processes import free_port
from simulators.embedded_http import serving


def _service(name: str, *, ready: bool) -> FastAPI:
    app = FastAPI()

    @app.get(f"/api/{name}/health/ready")
    async def readiness() -> Response:
        return Response(status_code=200 if ready else 503)

    @app.api_route(f"/api/{name}/echo/{{rest:path}}", methods=["GET", "POST", "PATCH", "DELETE"])
    async def echo(request: Request) -> Response:
        body = await request.body()
        response = Response(body, status_code=207, media_type="application/octet-stream")
        response.headers["x-method"] = request.method
        response.headers["x-target"] = (request.scope["raw_path"] + b"?" + request.scope["query_string"]).decode()
        response.headers["x-authorization"] = request.headers.get("authorization", "")
        response.headers["etag"] = '"7"'
        response.headers.append("set-cookie", "first=1")
        response.headers.append("set-cookie", "second=2")
        return response

    return app


@pytest.fixture
async def gateway() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(_service("orders", ready=True), "127.0.0.1", 0) as orders,
        serving(_service("vin", ready=False), "127.0.0.1", 0) as vin,
    ):
        services = {"orders": orders, "vin": vin, "billing": f"http://127.0.0.1:{free_port()}"}
        transport = httpx.ASGITransport(create_gateway(services))
        async with httpx.AsyncClient(transport=transport, base_url="http://one.origin") as client:
            yield client


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_a_request_and_its_answer_pass_unchanged(gateway: httpx.AsyncClient, method: str) -> None:
    body = b"" if method == "GET" else bytes(range(256)) * 500
    answer = await gateway.request(
        method, "/api/orders/echo/%D0%BC%2Fx?a=1&a=%20b", content=body, headers={"Authorization": "Bearer t"}
    )
    assert answer.status_code == 207
    assert answer.content == body
    assert answer.headers["x-method"] == method
    assert answer.headers["x-target"] == "/api/orders/echo/%D0%BC%2Fx?a=1&a=%20b"
    assert answer.headers["x-authorization"] == "Bearer t"
    assert answer.headers["etag"] == '"7"'
    assert answer.headers.get_list("set-cookie") == ["first=1", "second=2"]


@pytest.mark.parametrize(
    ("sent", "received"), [(b"Bearer t ", "Bearer t"), ("Bearer \u00e9".encode("latin-1"), "Bearer \u00e9")]
)
async def test_a_strange_header_is_the_callers_mistake_and_not_ours(
    gateway: httpx.AsyncClient, sent: bytes, received: str
) -> None:
    answer = await gateway.get("/api/orders/echo/x", headers=[(b"Authorization", sent)])
    assert answer.status_code == 207
    assert answer.headers["x-authorization"] == received


async def test_a_header_that_cannot_be_passed_on_is_malformed(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.get("/api/orders/echo/x", headers=[(b"Authorization", b"a\x00b")])
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_service_that_is_down_is_a_problem_and_not_a_hang(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.get("/api/billing/invoices")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"


async def test_an_unknown_service_is_not_found(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.get("/api/warehouse/shelves")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_ready_names_the_services_that_are_not(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"services": {"orders": True, "vin": False, "billing": False}}
    assert (await gateway.get("/health/live")).status_code == 200
