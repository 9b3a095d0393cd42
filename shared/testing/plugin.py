"""Pytest plugin: the session's servers, started when the first test asks for them."""

from collections.abc import Iterator

import pytest

from shared.testing.infrastructure import Infrastructure
from shared.testing.infrastructure import infrastructure as servers_of_this_run


@pytest.fixture(scope="session")
def infrastructure() -> Iterator[Infrastructure]:
    with servers_of_this_run() as found:
        yield found
