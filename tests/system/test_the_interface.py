"""Schemathesis over every operation of every service, on the objects that the day has left."""

import re
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.serving import load
from shared.base.settings import SERVICES
from shared.identity.roles import Role
from shared.persistence.database import new_id
from shared.runtime.app import build_app
from tests.system.interface import AccessTokens, KnownObjects, current_version
from tests.system.recording import Exchange
from tests.system.run_day import CompletedDay

pytestmark = pytest.mark.timeout(300)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 6
"""Generated requests for each operation; most are sent as several roles."""
BUDGET_SECONDS = 13.0
"""For one service; then every further operation gets one generated request."""
ROLES: Sequence[Role | None] = [None, *Role]
WORKERS = (Role.HEAD_OFFICE, Role.DIRECTOR, Role.CLIENT)
"""Together they may do everything: after a refusal for the role the next one tries."""
CHANGES = {"PUT", "PATCH", "DELETE"}


@cache
def openapi(service: str) -> dict[str, Any]:
    declared = load(service)
    return build_app(declared, declared.settings()).openapi()


@pytest.fixture(scope="module")
def known(completed_day: CompletedDay, exchanges: list[Exchange]) -> KnownObjects:
    """Objects that the people of one office saw."""
    found = KnownObjects()
    insiders = {
        completed_day.day.client.person,
        completed_day.day.mira.senior,
        *completed_day.day.mira.managers,
        completed_day.day.head_office,
    }
    for exchange in exchanges:
        if exchange.person in insiders:
            found.learn(openapi(exchange.service)["paths"], exchange)
    return found


@pytest.fixture(scope="module")
def access_tokens(completed_day: CompletedDay) -> AccessTokens:
    return AccessTokens.of(completed_day.world, completed_day.day.mira.id, completed_day.day.client.id)


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_keeps_its_word(
    completed_day: CompletedDay,
    exchanges: list[Exchange],
    known: KnownObjects,
    access_tokens: AccessTokens,
    service: str,
) -> None:
    """No 5xx, no answer that the document does not describe, and each operation succeeds at least once."""
    schema = schemathesis.openapi.from_dict(openapi(service))
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) == sum(len(methods) for methods in openapi(service)["paths"].values())
    reached: set[str] = set()
    for exchange in exchanges:
        operation = operation_of(exchange, operations) if exchange.service == service else None
        if operation is not None:
            operation.validate_response(exchange.response)
            if exchange.response.is_success:
                reached.add(operation.label)
    with (
        httpx.Client(base_url=f"{completed_day.day.target.url}/api/{service}", trust_env=False, timeout=20) as http,
        requests.Session() as session,
    ):
        session.trust_env = False
        until = time.monotonic() + BUDGET_SECONDS
        for operation in operations:
            if explore(operation, http, session, known, access_tokens, until=until):
                reached.add(operation.label)
    never = sorted({operation.label for operation in operations} - reached)
    assert not never, f"without a single success (tests/system/extra_operations.py is the place for it): {never}"


def operation_of(exchange: Exchange, operations: Sequence[Any]) -> Any:
    """Return the operation of a request, fixed addresses first; None for what the document leaves out (itself)."""
    for operation in sorted(operations, key=lambda found: found.path.count("{")):
        pattern = re.sub(r"{[^}]+}", "[^/]+", operation.path)
        if exchange.method == operation.method.upper() and re.fullmatch(pattern, exchange.path):
            return operation
    return None


def explore(
    operation: Any,
    http: httpx.Client,
    session: requests.Session,
    known: KnownObjects,
    access_tokens: AccessTokens,
    *,
    until: float,
) -> bool:
    """Send generated requests about real objects, each as some role.  Return whether one succeeded."""
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(*operation.get_strategies_from_examples(), operation.as_strategy()), data=st.data())
    def run(case: Any, data: st.DataObject) -> None:
        for name in case.path_parameters or {}:
            if known.identifiers.get(name):
                case.path_parameters[name] = data.draw(st.sampled_from(known.identifiers[name]))
        if isinstance(case.body, dict):
            case.body = known.real(case.body, data.draw)
        roles = (data.draw(st.sampled_from(ROLES)), *WORKERS)
        # Every draw is above this line: Hypothesis must find the same choices when it repeats the test.
        if statuses and time.monotonic() > until:
            return
        key = str(new_id())
        for role in roles:
            headers = access_tokens.headers(role) | {"Idempotency-Key": key}
            if operation.method.upper() in CHANGES:
                headers["If-Match"] = current_version(http, case.formatted_path, access_tokens)
            response = case.call(base_url=str(http.base_url).rstrip("/"), session=session, headers=headers)
            case.validate_response(response, checks=CHECKS)
            statuses.add(response.status_code)
            if response.status_code not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                break

    run()
    return any(httpx.codes.is_success(status) for status in statuses)
