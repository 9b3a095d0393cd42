"""The system over HTTP, as one person uses it."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from devtools.demo.failure import DemoFailed

JSON = Any
"""The decoded body of a response."""

TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal (RFC 9457)."""

    status: int
    code: str
    title: str
    detail: str


class Person:
    """A signed-in person or a visitor.  Every path begins with the service's name: `orders/positions`."""

    def __init__(self, base_url: str, *, name: str = "посетитель", token: str | None = None, card: JSON = None) -> None:
        self.base_url = base_url
        self.name = name
        self.card: JSON = card
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=f"{base_url}/api/", headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
        )

    @property
    def id(self) -> str:
        return str(self.card["id"])

    def sign_in(self, service: str, login: str, password: str) -> "Person":
        """Sign in with `control` (staff) or `clients` (clients)."""
        grant = self.post(f"{service}/sessions", {"login": login, "password": password})
        return Person(self.base_url, name=grant["name"], token=grant["access_token"], card=grant)

    def get(self, path: str, **query: Any) -> JSON:
        return self._read(self.send("GET", path, query=query))

    def items(self, path: str, **query: Any) -> list[JSON]:
        """Read all pages of a list."""
        found: list[JSON] = []
        cursor = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    def post(self, path: str, body: JSON = None, *, key: str | None = None) -> JSON:
        """Send a POST with a new idempotency key, or with the given one."""
        return self._read(self.send("POST", path, body, key=key))

    def put(self, path: str, body: JSON, *, version: int | None = None) -> JSON:
        return self._read(self.send("PUT", path, body, version=version))

    def patch(self, path: str, body: JSON, *, version: int) -> JSON:
        return self._read(self.send("PATCH", path, body, version=version))

    def download(self, path: str) -> httpx.Response:
        """Require success.  Raises DemoFailed."""
        answer = self.send("GET", path)
        self._refuse_problems(answer)
        return answer

    def refused(self, method: str, path: str, body: JSON = None, *, code: str, version: int | None = None) -> Problem:
        """Send a request that must be refused.  Raises DemoFailed when it succeeds or is refused for another reason."""
        problem = problem_of(self.send(method, path, body, version=version))
        if problem is None or problem.code != code:
            raise DemoFailed(f"{method} {path}: ожидался отказ «{code}», получено {problem or 'согласие'}")
        return problem

    def send(
        self,
        method: str,
        path: str,
        body: JSON = None,
        *,
        query: dict[str, Any] | None = None,
        version: int | None = None,
        key: str | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request and return the response, whatever its status."""
        sent = dict(headers or {})
        if method == "POST":
            sent["Idempotency-Key"] = key or str(uuid4())
        if version is not None:
            sent["If-Match"] = f'"{version}"'
        given = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            return self._client.request(
                method, path, params=given, headers=sent, json=body if content is None else None, content=content
            )
        except httpx.HTTPError as error:
            raise DemoFailed(f"{method} {path}: нет ответа ({error!r})") from error

    def _read(self, answer: httpx.Response) -> JSON:
        self._refuse_problems(answer)
        return answer.json() if answer.content else None

    def _refuse_problems(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            request = answer.request
            raise DemoFailed(f"{self.name}: {request.method} {request.url.path} → {problem_of(answer)}")


def problem_of(answer: httpx.Response) -> Problem | None:
    """None when there is none."""
    if answer.is_success:
        return None
    try:
        body = answer.json()
    except json.JSONDecodeError:
        body = {}
    return Problem(
        status=answer.status_code,
        code=str(body.get("type", "")).rpartition(":")[2],
        title=str(body.get("title", "")),
        detail=str(body.get("detail") or body.get("errors") or ""),
    )
