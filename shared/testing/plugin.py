"""Pytest plugin: the session's servers, and tests in parallel.

With several workers (`-n`) the servers are started once, before the workers, which find them in the environment; each
worker makes databases and virtual hosts of its own on them. Tests of one folder stay together, because they share a
running service.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from shared.testing.infrastructure import (
    BROKER_VARIABLE,
    DATABASE_VARIABLE,
    MANAGEMENT_VARIABLE,
    Infrastructure,
    servers,
    servers_from_environment,
)
from shared.testing.infrastructure import infrastructure as servers_of_this_run

_stack = ExitStack()


@pytest.fixture(scope="session")
def infrastructure() -> Iterator[Infrastructure]:
    with servers_of_this_run() as found:
        yield found


def pytest_configure(config: pytest.Config) -> None:
    """Only in the process that controls the workers."""
    if not getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput"):
        return
    if servers_from_environment() is None:
        found = _stack.enter_context(servers())
        os.environ[DATABASE_VARIABLE] = found.database_url
        os.environ[BROKER_VARIABLE] = found.amqp_url
        os.environ[MANAGEMENT_VARIABLE] = found.management_url


def pytest_unconfigure() -> None:
    _stack.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        parts = item.path.relative_to(config.rootpath).parts
        item.add_marker(pytest.mark.xdist_group("/".join(parts[:2])))
