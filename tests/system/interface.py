"""What is known of the system's objects after a day, and requests that make use of it."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from shared.base.clock import now
from shared.identity.roles import Principal, Role
from shared.identity.tokens import issue
from shared.persistence.database import new_id
from tests.system.recording import Exchange
from tests.system.world import World

IDENTIFIER = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(slots=True)
class KnownObjects:
    """Identifiers by the name of the field or parameter that holds them, and versions by identifier."""

    identifiers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    versions: dict[str, int] = field(default_factory=dict)

    def learn(self, templates: Iterable[str], exchange: Exchange) -> None:
        """Collect an answer's identifiers: `…_id` fields by name, the object's `id` by the parameter of its address."""
        answer = exchange.response
        if not (answer.is_success and answer.content and "json" in answer.headers.get("content-type", "")):
            return
        body = answer.json()
        names = [
            template.rpartition("/{")[2].removesuffix("}")
            for template in templates
            if template.endswith("}") and template.rpartition("/")[0] == exchange.path
        ]
        items = body["items"] if isinstance(body, dict) and isinstance(body.get("items"), list) else [body]
        for item in items:
            if isinstance(item, dict) and names and isinstance(item.get("id"), str):
                self._add(names[0], item["id"])
        self._walk(body)

    def _walk(self, value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                self._walk(item)
        elif isinstance(value, dict):
            if isinstance(value.get("id"), str) and isinstance(value.get("version"), int):
                self.versions[value["id"]] = value["version"]
            for name, item in value.items():
                if name.endswith("_id") and isinstance(item, str) and IDENTIFIER.fullmatch(item):
                    self._add(name, item)
                self._walk(item)

    def _add(self, name: str, identifier: str) -> None:
        if identifier not in self.identifiers[name]:
            self.identifiers[name].append(identifier)

    def real(self, value: Any, draw: Draw) -> Any:
        """Return the body with identifiers of real objects, each with its version."""
        if isinstance(value, list):
            return [self.real(item, draw) for item in value]
        if not isinstance(value, dict):
            return value
        changed = {name: self._real_field(name, item, draw) for name, item in value.items()}
        of = changed.get("position_id")
        if "version" in changed and of in self.versions:
            changed["version"] = self.versions[of]
        return changed

    def _real_field(self, name: str, item: Any, draw: Draw) -> Any:
        if name.endswith("_id") and item is not None and self.identifiers.get(name):
            return draw(st.sampled_from(self.identifiers[name]))
        return self.real(item, draw)


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Access tokens for any role, signed with the issuers' own keys."""

    keys: dict[str, OKPKey]
    office_id: UUID
    client_id: UUID

    @classmethod
    def of(cls, world: World, office_id: str, client_id: str) -> "AccessTokens":
        query = "SELECT private_jwk::text AS jwk FROM signing_key ORDER BY created_at DESC LIMIT 1"
        keys = {
            issuer: OKPKey.import_key(json.loads(world.rows(issuer, query)[0]["jwk"]))
            for issuer in ("control", "clients")
        }
        return cls(keys, UUID(office_id), UUID(client_id))

    def headers(self, role: Role | None) -> dict[str, str]:
        """Return headers with a new token, so that a sign-out or dismissal does not affect later requests."""
        if role is None:
            return {}
        networked = role in (Role.HEAD_OFFICE, Role.SERVICE, Role.MYSTERY_CHECKER)
        principal = Principal(
            self.client_id if role is Role.CLIENT else uuid4(), role, None if networked else self.office_id, "Проверка"
        )
        issuer = "clients" if role is Role.CLIENT else "control"
        token = issue(self.keys[issuer], issuer, principal, session_id=new_id(), at=now())
        return {"Authorization": f"Bearer {token}"}


def current_version(http: httpx.Client, path: str, access_tokens: AccessTokens) -> str:
    """Return the ETag of the object, or of its parent: `/offices/…` for `/offices/…/calendar`."""
    while path.count("/") > 1:
        for role in (Role.HEAD_OFFICE, Role.DIRECTOR):
            answer = http.get(path, headers=access_tokens.headers(role))
            if answer.is_success and "etag" in answer.headers:
                return str(answer.headers["etag"])
        path = path.rpartition("/")[0]
    return '"1"'
