"""Look for another office's data by every route that reads (ORG-04)."""

import re
from dataclasses import dataclass, field

import httpx

from devtools.demo.failure import DemoFailed
from devtools.demo.http import Person
from shared.base.settings import SERVICES

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
PUBLIC = "/revocations"
"""Services poll it for revoked tokens; it publishes bare identifiers without sign-in."""
SAMPLES = 5
"""Objects of each kind that the stranger asks for by their addresses."""


@dataclass(slots=True)
class Leaks:
    routes: int = 0
    """Routes that the stranger tried."""
    objects: int = 0
    """Objects of the office that its own people see."""
    leaked: list[str] = field(default_factory=list)
    """Objects that the stranger saw, and where."""


def find_leaks(*, insider: Person, stranger: Person, office_id: str) -> Leaks:
    """Ask as `stranger` for what `insider` sees: by all lists, and by each object's own address."""
    paths = [f"{service}{path}" for service in SERVICES for path in _reading_paths(insider, service)]
    clients = _own_objects(insider, "clients/clients", {office_id})
    owners = {office_id, *clients}
    lists = {path: _own_objects(insider, path, owners) for path in paths if "{" not in path}
    own = {identifier for found in lists.values() for identifier in found}
    leaks = Leaks(objects=len(own))
    for path in paths:
        for address in _addresses(path, lists):
            answer = stranger.send("GET", address)
            leaks.routes += 1
            if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                raise DemoFailed(f"{address}: {answer.status_code}")
            if answer.is_success and own & set(UUID.findall(answer.text)):
                leaks.leaked.append(address)
            elif answer.is_success and address != path:
                leaks.leaked.append(f"{address} найден")
    return leaks


def _reading_paths(person: Person, service: str) -> list[str]:
    documented = person.get(f"{service}/openapi.json")["paths"]
    return [path for path, operations in documented.items() if "get" in operations and path != PUBLIC]


def _own_objects(insider: Person, path: str, owners: set[str]) -> list[str]:
    """Return identifiers of a list's objects that belong to the office or its clients; none where it is no list."""
    answer = insider.send("GET", path)
    if not answer.is_success or "json" not in answer.headers.get("content-type", ""):
        return []
    body = answer.json()
    items = body["items"] if isinstance(body, dict) and isinstance(body.get("items"), list) else []
    mine = [
        item for item in items if isinstance(item, dict) and {item.get("office_id"), item.get("client_id")} & owners
    ]
    return [str(item["id"]) for item in mine if "id" in item]


def _addresses(path: str, lists: dict[str, list[str]]) -> list[str]:
    """Return the path itself, or, where it names an object, an address for each object of its list."""
    if "{" not in path:
        return [path]
    collection, _, _ = path.partition("/{")
    if path.count("{") != 1:
        return []
    return [re.sub(r"{[^}]+}", identifier, path) for identifier in lists.get(collection, [])[:SAMPLES]]
