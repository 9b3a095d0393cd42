"""Which tests a run keeps, and whether it starts servers for them."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from devtools.quality import SERVERLESS
from devtools.testing.infrastructure import BROKER_VARIABLE, DATABASE_VARIABLE, MANAGEMENT_VARIABLE, Servers
from tests.support import ROOT, plugin

MARKED = """
import pytest

@pytest.mark.clause("ORD-07")
def test_one(): pass

@pytest.mark.clause("ORD-08", "ORD-07")
def test_two(): pass

@pytest.mark.clause("ORD-08")
def test_other(): raise AssertionError("not of this clause")

def test_without(): raise AssertionError("of no clause")
"""
FOUND = Servers("postgresql://found", "amqp://found", "http://found", "test")


@pytest.fixture
def own_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    """The plugin's stack holds the servers of the run that runs this test: these tests get one of their own."""
    with ExitStack() as stack:
        monkeypatch.setattr(plugin, "_stack", stack)
        yield stack


@pytest.fixture
def started(own_stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> list[Servers]:
    """Servers that the plugin starts; none come from the environment."""
    starts: list[Servers] = []

    @contextmanager
    def servers() -> Iterator[Servers]:
        starts.append(FOUND)
        yield FOUND

    monkeypatch.setattr(plugin, "servers", servers)
    for name in (DATABASE_VARIABLE, BROKER_VARIABLE, MANAGEMENT_VARIABLE):
        monkeypatch.setenv(name, "")
    return starts


def configuration(*arguments: str, workers: int | None = 2, clause: str | None = None) -> Any:
    """What the plugin reads of pytest's configuration."""
    return SimpleNamespace(
        args=list(arguments),
        rootpath=ROOT,
        option=SimpleNamespace(numprocesses=workers),
        getoption={"--clause": clause}.__getitem__,
    )


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["tests/unit"], False),
        (["tests/unit", "tests/contracts"], False),
        (["tests/unit/vin/test_article.py::test_x[1]"], False),
        ([str(ROOT / "tests" / "contracts")], False),
        ([], True),
        (["tests"], True),
        (["tests/unit", "tests/integration/vin"], True),
        (["tests/unit/../system"], True),
    ],
)
def test_only_a_run_of_serverless_folders_starts_no_server(
    started: list[Servers], monkeypatch: pytest.MonkeyPatch, arguments: list[str], needed: bool
) -> None:
    monkeypatch.chdir(ROOT)
    plugin.pytest_configure(configuration(*arguments))
    assert started == ([FOUND] if needed else [])
    assert os.environ[DATABASE_VARIABLE] == ("postgresql://found" if needed else "")


def test_a_worker_and_a_run_without_workers_start_no_server(started: list[Servers]) -> None:
    worker = configuration("tests")
    worker.workerinput = {}
    plugin.pytest_configure(worker)
    plugin.pytest_configure(configuration("tests", workers=None))
    assert started == []


def test_servers_of_the_environment_are_taken(started: list[Servers], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (DATABASE_VARIABLE, BROKER_VARIABLE, MANAGEMENT_VARIABLE):
        monkeypatch.setenv(name, "given")
    plugin.pytest_configure(configuration("tests"))
    assert started == []


def test_a_clause_that_no_test_proves_is_a_usage_error_before_any_server(
    started: list[Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "proofs", lambda: {"ORD-07": []})
    with pytest.raises(pytest.UsageError, match="no test is marked with clause XXX-99"):
        plugin.pytest_configure(configuration("tests", clause="XXX-99"))
    assert started == []
    plugin.pytest_configure(configuration("tests", clause="ORD-07"))
    assert started == [FOUND]


@pytest.mark.usefixtures("own_stack")
def test_a_clause_keeps_its_tests_and_deselects_all_others(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "proofs", lambda: {"ORD-07": []})
    pytester.makepyfile(MARKED)
    result = pytester.runpytest_inprocess("-p", "no:asyncio", "-p", "tests.support.plugin", "--clause", "ORD-07")
    result.assert_outcomes(passed=2, deselected=2)


@pytest.mark.usefixtures("own_stack")
def test_an_unknown_clause_ends_pytest_with_its_usage_status(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(MARKED)
    result = pytester.runpytest_inprocess("-p", "no:asyncio", "-p", "tests.support.plugin", "--clause", "XXX-99")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: no test is marked with clause XXX-99"])


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("tests/unit/vin/test_article.py::test_x", "tests/unit/vin/test_article.py"),
        ("tests/contracts/test_golden.py::test_x", "tests/contracts/test_golden.py"),
        ("tests/integration/vin/test_lists.py::test_x[1]", "tests/integration/vin"),
        ("tests/system/test_the_day.py::test_x", "tests/system"),
        ("tests/faults/test_scenarios.py::test_x", "tests/faults/test_scenarios.py::test_x"),
    ],
)
def test_tests_that_share_a_service_share_a_worker(test: str, group: str) -> None:
    assert plugin.worker_group(test) == group


def test_every_serverless_folder_exists() -> None:
    assert all((ROOT / folder).is_dir() for folder in SERVERLESS)
