"""Pytest plugin: the session's servers, and tests in parallel.

With several workers (`-n`) the servers are started once, before the workers, which find them in the environment; each
worker makes databases and virtual hosts of its own on them. Tests of one folder stay together, because they share a
running service; those of a folder in SINGLE share nothing but servers that may be killed.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from devtools.testing.infrastructure import (
    BROKER_VARIABLE,
    DATABASE_VARIABLE,
    MANAGEMENT_VARIABLE,
    Infrastructure,
    servers,
    servers_from_environment,
)
from devtools.testing.infrastructure import infrastructure as servers_of_this_run

SINGLE = ("tests/faults",)
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


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The largest folder first, the single tests last: they fill what time the workers have left."""
    from xdist.scheduler import LoadScopeScheduling

    scheduler: Any = LoadScopeScheduling(config, log)
    scheduler._split_scope = together
    return scheduler


def together(nodeid: str) -> str:
    """Tests with the same answer share a worker.  xdist's own marks are lost on pytest 9."""
    folder = "/".join(nodeid.partition("::")[0].split("/")[:2])
    return nodeid if folder in SINGLE else folder
