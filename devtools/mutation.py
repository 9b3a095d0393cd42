"""`./reglament mutate`: how many small changes of the code the tests notice.

mutmut makes the mutants: a module with all mutants of its functions, one of which is chosen by its name when the
function is called. What is done here instead of `mutmut run` is only the loop: pytest collects once, and each mutant
gets a fork of that process, in which just the tests that call its function run until one fails.

Left out are the words of log lines and of texts of several words.

A mutant is *killed* when a test fails or the time is up, else it *survived*; *untested* means that no test calls the
function. The score counts the untested as survivors.
"""

import gc
import importlib.util
import json
import os
import pickle
import random
import re
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from fnmatch import fnmatch
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from hypothesis import Phase, settings
from rich.console import Console
from rich.table import Table

from devtools.supervisor.state import ROOT
from devtools.testing.infrastructure import (
    BROKER_VARIABLE,
    DATABASE_VARIABLE,
    MANAGEMENT_VARIABLE,
    servers,
)

RULES = ("services/*/domain/*.py", "services/*/domain.py")
KERNEL = tuple(f"shared/{package}/*.py" for package in ("identity", "messaging", "runtime", "web"))
KERNEL_TESTS = ["tests/unit/kernel", "tests/integration/kernel"]
RESULTS = ROOT / ".reglament" / "mutation.json"
KILLED, SURVIVED, UNTESTED = "killed", "survived", "untested"
PYTEST_ARGUMENTS = ["-q", "-n", "0", "-p", "no:timeout", "-p", "no:cacheprovider", "-o", "addopts=-m 'not slow'"]
# Only whether a test fails is of interest, so nothing is done to explain it.
PYTEST_ARGUMENTS += ["--assert=plain", "--tb=native"]
STRING = re.compile(r"\"([^\"]*)\"")
PATIENCE = 10
"""Seconds that a mutant's process and each of its tests may take beside five times their own time."""


@dataclass(frozen=True, slots=True)
class MutatedFile:
    path: Path
    lines: Sequence[str]
    mutants: Sequence[str]
    spans: dict[str, tuple[int, int]]
    """Where each mutant and each original stands: its first and its last line, from 1."""

    def diff(self, mutant: str) -> str:
        """Return what the mutant changes in its function, as a unified diff without headers."""
        function = mutant.partition("__mutmut_")[0]
        before, after = (self._source(name) for name in (f"{function}__mutmut_orig", mutant))
        before[0] = after[0] = ""  # The lines that name the function.
        return "\n".join(list(unified_diff(before, after, lineterm="", n=0))[2:])

    def _source(self, name: str) -> list[str]:
        first, last = self.spans[name]
        text = "\n".join(self.lines[first - 1 : last])
        return text.replace(name, "").strip().splitlines()


@dataclass(slots=True)
class Coverage:
    """Which tests call a function, and what each test costs in seconds of CPU and of the clock."""

    tests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, tuple[float, float]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def run(console: Console, paths: Sequence[str], *, sample: int | None, seed: int, workers: int, again: bool) -> int:
    """Mutate what lies under `paths` and print the score of each package; the survivors go to RESULTS.

    `sample` takes that many mutants at random; `again` tries only those that the last run left alive.
    """
    chosen = [path for path in target_files() if not paths or is_under(path, paths)]
    files = {module_of(path): mutate(path) for path in chosen}
    names = [f"{module}.{mutant}" for module, file in files.items() for mutant in file.mutants]
    if sample is not None:
        # In random order: a run that is broken off has tried a sample too.
        names = random.Random(seed).sample(sorted(names), min(sample, len(names)))
    if again:
        before = last_results()
        names = [name for name in names if before.get(name, SURVIVED) != KILLED]
    console.print(f"{len(names)} mutants in {len(files)} files", highlight=False)
    in_kernel = any(path.parts[0] == "shared" for path in chosen)
    with ExitStack() as stack:
        if in_kernel:
            found = stack.enter_context(servers())
            os.environ[DATABASE_VARIABLE] = found.database_url
            os.environ[BROKER_VARIABLE] = found.amqp_url
            os.environ[MANAGEMENT_VARIABLE] = found.management_url
        sys.meta_path.insert(0, MutatedModules(files))

        def tell(name: str, result: str) -> None:
            module, _, mutant = name.rpartition(".")
            if result != KILLED:
                print(f"\n{name}: {result}\n{files[module].diff(mutant)}", flush=True)

        # A run may be broken off, also one in the background: what it has tried by then is kept.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        trial = Trial(names, workers, tell)
        status = pytest.main([*PYTEST_ARGUMENTS, *folders_of_tests(chosen)], plugins=[trial])
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(last_results() | trial.results, indent=0, sort_keys=True))
    report(console, files, trial.results)
    return int(status)


def last_results() -> dict[str, str]:
    """Return what became of each mutant that was ever tried here."""
    results: dict[str, str] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return results


def target_files() -> list[Path]:
    """Return the files with business rules and those of the kernel, as paths from the root."""
    paths = sorted(
        path.relative_to(ROOT) for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py")
    )
    return [path for path in paths if any(fnmatch(str(path), pattern) for pattern in RULES + KERNEL)]


def is_under(path: Path, paths: Iterable[str]) -> bool:
    return any(path.is_relative_to(wanted.rstrip("/")) for wanted in paths)


def module_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def folders_of_tests(paths: Iterable[Path]) -> list[str]:
    """Return the folders of tests: a service's unit tests for its rules, also those with servers for the kernel."""
    folders: set[str] = set()
    for path in paths:
        folders.update(KERNEL_TESTS if path.parts[0] == "shared" else [f"tests/unit/{path.parts[1]}"])
    return sorted(folders, key=lambda folder: ("integration" in folder, folder))


def mutate(path: Path) -> MutatedFile:
    from mutmut.mutation.file_mutation import mutate_file_contents

    made = mutate_file_contents(str(path), (ROOT / path).read_text())
    spans = {name: (span.start, span.end) for name, span in made.line_span_by_function_name.items()}
    file = MutatedFile(path, made.code.split("\n"), made.mutant_names, spans)
    return replace(file, mutants=[name for name in file.mutants if not changes_a_sentence(file.diff(name))])


def changes_a_sentence(diff: str) -> bool:
    """Return whether only the letters of a text of several words differ: messages are for reading, not a promise."""
    before, after = (
        [text for line in diff.splitlines() if line.startswith(sign) for text in STRING.findall(line[1:])]
        for sign in "-+"
    )
    changed = [(old, new) for old, new in zip(before, after, strict=False) if old != new]
    return len(before) == len(after) and any(" " in old.strip() and plain(old) == plain(new) for old, new in changed)


def plain(text: str) -> str:
    return text.casefold().replace("xx", "")


class MutatedLoader(SourceFileLoader):
    """Load the mutated text under the file's own name, past the cache of bytecode."""

    def __init__(self, module: str, file: MutatedFile) -> None:
        super().__init__(module, str(ROOT / file.path))
        self._code = "\n".join(file.lines)

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._code, self.path, "exec", dont_inherit=True)


class MutatedModules:
    """A finder of the mutated modules."""

    def __init__(self, files: dict[str, MutatedFile]) -> None:
        self._files = files

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        file = self._files.get(name)
        if file is None:
            return None
        return importlib.util.spec_from_file_location(name, ROOT / file.path, loader=MutatedLoader(name, file))


class Trial:
    """A pytest plugin that runs the tests of every mutant instead of all tests once."""

    def __init__(self, names: Sequence[str], workers: int, tell: Callable[[str, str], None]) -> None:
        self._names = names
        self._workers = workers
        self._tell = tell
        self._failed = False
        self.results: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed |= report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        session.config.pluginmanager.unregister(reporter)
        settings.register_profile("mutation", phases=[Phase.explicit, Phase.generate], database=None, deadline=None)
        settings.load_profile("mutation")
        gc.freeze()
        begun = time.monotonic()
        coverage = self._measure(session)
        if coverage.failed:
            print("fail without any mutant:", *coverage.failed, sep="\n  ")
            session.testsfailed = len(coverage.failed)
            return True
        print(f"{len(session.items)} tests measured in {time.monotonic() - begun:.0f} s", flush=True)
        for name, result in self._try_all(session, coverage):
            self.results[name] = result
            self._tell(name, result)
            if len(self.results) % 100 == 0:
                print(f"{len(self.results)} tried in {time.monotonic() - begun:.0f} s", flush=True)
        return True

    def _measure(self, session: pytest.Session) -> Coverage:
        """Run every test once in a fork, so that this process stays without loops, threads and connections."""
        reader, writer = os.pipe()
        if os.fork() == 0:
            with in_child(), os.fdopen(writer, "wb") as stream:
                pickle.dump(self._run_and_record(session), stream)
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            coverage: Coverage = pickle.load(stream)
        os.wait()
        return coverage

    def _run_and_record(self, session: pytest.Session) -> Coverage:
        from mutmut.mutation.trampoline import set_mutant_under_test
        from mutmut.state import state

        set_mutant_under_test("stats")
        coverage = Coverage()
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            begun = time.process_time(), time.monotonic()
            self._failed = False
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            coverage.seconds[item.nodeid] = time.process_time() - begun[0], time.monotonic() - begun[1]
            if self._failed:
                coverage.failed.append(item.nodeid)
            for function in state()._stats:
                coverage.tests[function].add(item.nodeid)
            state()._stats.clear()
        coverage.tests = dict(coverage.tests)
        return coverage

    def _try_all(self, session: pytest.Session, coverage: Coverage) -> Iterator[tuple[str, str]]:
        items = {item.nodeid: item for item in session.items}
        running: dict[int, str] = {}
        for name in self._names:
            tests = coverage.tests.get(name.partition("__mutmut_")[0])
            if not tests:
                yield name, UNTESTED
                continue
            while len(running) >= self._workers:
                yield finished(running)
            chosen = sorted((items[test] for test in tests), key=lambda item: cost(item, coverage))
            pid = os.fork()
            if pid == 0:
                with in_child():
                    self._try(name, chosen, coverage)
            running[pid] = name
        while running:
            yield finished(running)

    def _try(self, name: str, chosen: Sequence[pytest.Item], coverage: Coverage) -> None:
        """Run the tests up to the first that fails; its fixtures are closed then, for they hold databases."""
        from mutmut.mutation.trampoline import set_mutant_under_test

        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        limit_cpu(sum(coverage.seconds[item.nodeid][0] for item in chosen))
        set_mutant_under_test(name)
        for item, following in zip(chosen, [*chosen[1:], None], strict=True):
            signal.alarm(PATIENCE + int(5 * coverage.seconds[item.nodeid][1]))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                item.session._setupstate.teardown_exact(None)
                os._exit(1)


class in_child(ExitStack):  # noqa: N801 - reads as a block
    """Be silent, and end the process with the block: 0, or 1 after an exception."""

    def __enter__(self) -> "in_child":
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        return super().__enter__()

    def __exit__(self, *error: Any) -> bool:
        os._exit(0 if error[0] is None else 1)


def cost(item: pytest.Item, coverage: Coverage) -> tuple[bool, str, float]:
    """Order tests: without servers first, then those of one module together, the cheap ones first."""
    with_servers = "infrastructure" in getattr(item, "fixturenames", ())
    return with_servers, item.location[0] if with_servers else "", coverage.seconds[item.nodeid][0]


def limit_cpu(seconds: float) -> None:
    """Let the system end a process that takes five times what its tests take without a mutant."""
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE + int(5 * seconds),) * 2)


def finished(running: dict[int, str]) -> tuple[str, str]:
    """Wait for one of the processes; return its mutant and what became of it."""
    pid, status = os.wait()
    return running.pop(pid), SURVIVED if status == 0 else KILLED


def report(console: Console, files: dict[str, MutatedFile], results: dict[str, str]) -> None:
    """Print the score of each package."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for name, result in results.items():
        counts["/".join(files[name.rpartition(".")[0]].path.parts[:2])][result] += 1
    table = Table("package", "mutants", KILLED, SURVIVED, UNTESTED, "score")
    for package, count in sorted(counts.items()):
        total = sum(count.values())
        score = f"{100 * count[KILLED] / total:.1f} %"
        table.add_row(package, *map(str, (total, count[KILLED], count[SURVIVED], count[UNTESTED])), score)
    console.print(table)
