"""Pytest plugin: the run's servers, and tests in parallel.

With several workers (`-n`) the servers are started once, before the workers, which find them in the environment. Each
worker creates its own databases and virtual hosts on them. A run of SERVERLESS folders alone starts none. Integration
tests of one service run in one worker, because they share that running service; so do the unit tests of one file.
Fault scenarios share no service, so each runs in whichever worker is free.

`--clause ORD-07` keeps only the tests that are marked with that clause of the regulations.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from devtools.documents.regulations import proofs
from devtools.quality import SERVERLESS
from devtools.testing.infrastructure import (
    BROKER_VARIABLE,
    DATABASE_VARIABLE,
    MANAGEMENT_VARIABLE,
    Infrastructure,
    servers,
    servers_from_environment,
)
from devtools.testing.infrastructure import infrastructure as servers_of_this_run

FAULTS = "tests/faults"
_stack = ExitStack()


@pytest.fixture(scope="session")
def infrastructure() -> Iterator[Infrastructure]:
    with servers_of_this_run() as found:
        yield found


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers in the process that controls the workers.

    Raises UsageError for a clause that no test proves, before anything is started.
    """
    if hasattr(config, "workerinput"):
        return
    clause = config.getoption("--clause")
    if clause is not None and clause not in proofs():
        raise pytest.UsageError(f"no test is marked with clause {clause}")
    if getattr(config.option, "numprocesses", None) and needs_servers(config) and servers_from_environment() is None:
        found = _stack.enter_context(servers())
        os.environ[DATABASE_VARIABLE] = found.database_url
        os.environ[BROKER_VARIABLE] = found.amqp_url
        os.environ[MANAGEMENT_VARIABLE] = found.management_url


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--clause", metavar="ID", help="only the tests of this clause of the regulations, e.g. ORD-07")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--clause")
    if wanted is None:
        return
    proving = [item for item in items if any(wanted in mark.args for mark in item.iter_markers("clause"))]
    config.hook.pytest_deselected(items=[item for item in items if item not in proving])
    items[:] = proving


def pytest_unconfigure() -> None:
    _stack.close()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Schedule the largest folder first and single tests last, so that they fill the workers' remaining time."""
    from xdist.scheduler import LoadScopeScheduling

    scheduler: Any = LoadScopeScheduling(config, log)
    scheduler._split_scope = worker_group
    return scheduler


def needs_servers(config: pytest.Config) -> bool:
    """Return whether the run has tests outside the SERVERLESS folders."""
    paths = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    serverless = [config.rootpath / folder for folder in SERVERLESS]
    return not paths or not all(any(path.is_relative_to(folder) for folder in serverless) for path in paths)


def worker_group(nodeid: str) -> str:
    """Return the scope of a test: tests with the same scope share a worker. xdist's own marks are lost on pytest 9."""
    file = nodeid.partition("::")[0]
    if file.startswith(FAULTS):
        return nodeid
    if file.startswith(SERVERLESS):
        return file
    parts = file.split("/")
    return "/".join(parts[: 3 if parts[1] == "integration" else 2])
