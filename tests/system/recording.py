"""Record every request of a played day with its answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import httpx

from devtools.demo.http import Person


@dataclass(frozen=True, slots=True)
class Exchange:
    person: Person
    method: str
    service: str
    path: str
    """Path within the service, without the query: `/orders`."""
    response: httpx.Response


@contextmanager
def recorded() -> Iterator[list[Exchange]]:
    """Record the requests that are sent inside the block."""
    found: list[Exchange] = []
    send = Person.send

    def listen(person: Person, method: str, path: str, *values: Any, **options: Any) -> httpx.Response:
        response = send(person, method, path, *values, **options)
        service, _, rest = path.partition("/")
        found.append(Exchange(person, method, service, f"/{rest}".partition("?")[0], response))
        return response

    with patch.object(Person, "send", listen):
        yield found
