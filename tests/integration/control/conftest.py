"""The control service running for real, and offices with people to play with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio

from devtools.testing.infrastructure import Infrastructure
from services.control.settings import ControlSettings
from shared.identity.roles import Role
from shared.identity.tokens import TokenVerifier
from tests.integration.control.samples import office_body, staff_body
from tests.support.harness import ServiceHarness, running_service

HEAD_OFFICE = {"login": "Head.Office@prodetal.example", "password": "первый пароль сети"}


@pytest_asyncio.fixture(scope="session")
async def control(infrastructure: Infrastructure) -> AsyncIterator[ServiceHarness]:
    options = {"head_office_login": HEAD_OFFICE["login"], "head_office_password": HEAD_OFFICE["password"]}
    async with running_service("control", infrastructure, **options) as harness:
        yield harness


@pytest_asyncio.fixture
async def head_office(control: ServiceHarness) -> AsyncIterator[httpx.AsyncClient]:
    async with control.http(Role.HEAD_OFFICE) as http:
        yield http


@dataclass
class Team:
    """An office and those who work there: role -> ids in the order of hiring."""

    office: dict[str, Any]
    staff: dict[str, list[UUID]]

    @property
    def office_id(self) -> UUID:
        return UUID(self.office["id"])


async def open_office(head_office: httpx.AsyncClient, *roles: str, **changes: Any) -> Team:
    answer = await head_office.post("/offices", json=office_body(**changes))
    assert answer.status_code == 201, answer.text
    team = Team(answer.json(), {})
    for role in roles:
        team.staff.setdefault(role, []).append(UUID((await hire(head_office, role, team.office_id))["id"]))
    return team


async def hire(
    head_office: httpx.AsyncClient, role: str, office_id: UUID | None = None, **changes: Any
) -> dict[str, Any]:
    answer = await head_office.post("/staff", json=staff_body(role, office_id, **changes))
    assert answer.status_code == 201, answer.text
    person: dict[str, Any] = answer.json()
    return person


@asynccontextmanager
async def real_tokens(control: ServiceHarness) -> AsyncIterator[httpx.AsyncClient]:
    """The service as it verifies outside tests: keys and revocations over HTTP from its own routes.

    Each use is a verifier that has read the feeds anew; the harness's own tokens are not valid meanwhile.
    """
    app = control.app
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport) as feed, control.http() as http:
        usual, app.state.verifier = app.state.verifier, TokenVerifier({"control": "http://service"}, feed)
        try:
            yield http
        finally:
            app.state.verifier = usual


def settings(control: ServiceHarness) -> ControlSettings:
    found = control.app.state.settings
    assert isinstance(found, ControlSettings)
    return found


def problem(answer: httpx.Response) -> str:
    """The code of a problem+json answer."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("urn:reglament:problem:")
