"""Pytest plugin: the run's servers, and tests in parallel.

With several workers (`-n`) the servers are started once, before the workers, which find them in the environment; each
worker makes databases and virtual hosts of its own on them. A run of `tests/unit` alone starts none. Integration tests
of one service stay together, because they share that running service; unit tests of one file stay together; fault
scenarios share nothing but servers that may be killed, so each goes where there is room.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
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

UNIT = "tests/unit"
"""Needs no server."""
FAULTS = "tests/faults"
_stack = ExitStack()


@pytest.fixture(scope="session")
def infrastructure() -> Iterator[Infrastructure]:
    with servers_of_this_run() as found:
        yield found


def pytest_configure(config: pytest.Config) -> None:
    """Only in the process that controls the workers."""
    if not getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput"):
        return
    if needs_servers(config) and servers_from_environment() is None:
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


def needs_servers(config: pytest.Config) -> bool:
    """Return whether the run has tests outside `tests/unit`."""
    paths = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    return not paths or not all(path.is_relative_to(config.rootpath / UNIT) for path in paths)


def together(nodeid: str) -> str:
    """Return the scope of a test: tests with the same scope share a worker. xdist's own marks are lost on pytest 9."""
    file = nodeid.partition("::")[0]
    if file.startswith(FAULTS):
        return nodeid
    if file.startswith(UNIT):
        return file
    parts = file.split("/")
    return "/".join(parts[: 3 if parts[1] == "integration" else 2])
