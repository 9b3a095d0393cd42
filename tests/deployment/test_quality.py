"""`./reglament lint` and `./reglament test`: every check runs, pytest last, the first failure's status is returned."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from devtools import quality
from devtools.supervisor import packages
from tests.deployment.supervisor import alive, eventually
from tests.support import ROOT

FIRST_OF_OURS = "tests/deployment/test_process_monitor.py::test_a_process_that_runs_is_left_alone"


def _exits(status: int) -> list[str]:
    return [sys.executable, "-c", f"print('says', {status}); raise SystemExit({status})"]


def test_every_check_runs_and_the_first_failure_decides(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    checks = {"one": _exits(0), "two": _exits(7), "three": _exits(9), "four": _exits(0)}
    monkeypatch.setattr(quality, "CHECKS", checks)
    assert quality.lint(Console(no_color=True)) == 7
    lines = [line for line in capfd.readouterr().out.splitlines() if line.strip()]
    assert [line.split()[:2] for line in lines if not line.startswith("says")] == [
        ["one", "ok"],
        ["two", "failed"],
        ["three", "failed"],
        ["four", "ok"],
    ]
    assert [line for line in lines if line.startswith("says")] == ["says 7", "says 9"], "only failures are shown"


def test_a_misspelt_word_is_found_and_russian_text_is_none(tmp_path: Path) -> None:
    misspelt, russian = tmp_path / "misspelt.md", tmp_path / "russian.md"
    misspelt.write_text("What they " + "eveicer"[::-1] + " is parked.\n")
    russian.write_text("«Заказ поставщику» уходит до 16:00; переданный Exten — номер линии.\n")

    def spelling(path: Path) -> subprocess.CompletedProcess[str]:
        command = [*quality.CHECKS["spelling"], str(path)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    found, clean = spelling(misspelt), spelling(russian)
    assert found.returncode != 0
    assert "==> receive" in found.stdout
    assert (clean.returncode, clean.stdout) == (0, "")


@pytest.mark.parametrize(
    ("check", "argument", "expected"), [(0, FIRST_OF_OURS, 0), (5, FIRST_OF_OURS, 5), (0, "no", 4)]
)
def test_arguments_go_on_to_pytest_and_its_closing_line_is_last(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], check: int, argument: str, expected: int
) -> None:
    monkeypatch.setattr(quality, "CHECKS", {"lint": _exits(check)})
    monkeypatch.setattr(quality, "install_what_tests_need", lambda console: None)
    assert quality.test(Console(no_color=True), [argument, "-p", "no:cacheprovider"]) == expected
    output = capfd.readouterr().out
    assert output.index("lint") < output.index("pytest")
    assert output.rstrip().splitlines()[-1].startswith("====")


@pytest.mark.parametrize(("check", "argument", "expected"), [(0, "-q", 0), (5, "-q", 5), (0, "--no-such-option", 4)])
def test_the_fast_run_has_two_checks_and_the_serverless_tests(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], check: int, argument: str, expected: int
) -> None:
    checks = {"format": _exits(0), "ruff": _exits(check), "mypy": _exits(9)}
    monkeypatch.setattr(quality, "CHECKS", checks)
    monkeypatch.setattr(quality, "SERVERLESS", ("tests/unit/vocabulary/test_requisites.py",))
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert quality.test_fast(Console(no_color=True), [argument, "-p", "no:cacheprovider"]) == expected
    output = capfd.readouterr().out
    assert [line.split()[0] for line in output.splitlines()[:2]] == ["format", "ruff"]
    assert "mypy" not in output
    assert (" passed in " in output) == (expected != 4)


def test_packages_are_installed_without_starting_their_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fake apt-get, because a test installs nothing: it looks whether the start is forbidden."""
    apt = tmp_path / "apt-get"
    hook = tmp_path / "policy-rc.d"
    apt.write_text(f'#!/bin/sh\necho "$@"\n{hook}\necho "start answered $?"\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(packages, "START_HOOK", hook)
    log = tmp_path / "log"
    assert packages.install(["postgresql", "rabbitmq-server"], [], log)
    said = log.read_text().splitlines()
    assert said[2] == "install -y -qq --no-install-recommends postgresql rabbitmq-server"
    assert said[3] == "start answered 101", "Debian's sign for: not allowed"
    assert not hook.exists(), "afterwards the machine is as it was"


def test_a_hook_that_the_machine_has_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\nexit 100\n")
    apt.chmod(0o755)
    hook = tmp_path / "policy-rc.d"
    hook.write_text("theirs")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(packages, "START_HOOK", hook)
    assert not packages.install(["postgresql"], [], tmp_path / "log"), "a failure is reported"
    assert hook.read_text() == "theirs"


def test_a_hook_of_an_installation_that_was_killed_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A left hook would keep every server from starting that is installed or upgraded later."""
    apt, hook = tmp_path / "apt-get", tmp_path / "policy-rc.d"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(packages, "START_HOOK", hook)
    for script in ("kill -9 $PPID", "exit 0"):
        apt.write_text(f"#!/bin/sh\n{script}\n")
        apt.chmod(0o755)
        done = packages.install(["postgresql"], [], tmp_path / "log")
        assert hook.exists() != done
    apt.write_text("#!/bin/sh\nkill -TERM $PPID\n")
    assert not packages.install(["postgresql"], [], tmp_path / "log")
    assert not hook.exists()


def test_killing_the_command_ends_its_pytest(tmp_path: Path) -> None:
    """The kernel signals pytest when its parent is gone; what pytest started has its own guards."""
    test = tmp_path / "test_sleep.py"
    test.write_text("import time\n\n\ndef test_sleep():\n    time.sleep(600)\n")
    program = (
        "from devtools import quality; from rich.console import Console; "
        f"quality.CHECKS.clear(); quality.test(Console(), ['-p', 'no:cacheprovider', '-c', '/dev/null', {str(test)!r}])"
    )
    command = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
    assert eventually(lambda: bool(psutil.Process(command.pid).children()))
    children = {child.pid for child in psutil.Process(command.pid).children(recursive=True)}
    command.kill()
    command.wait()
    assert eventually(lambda: not alive(children))
