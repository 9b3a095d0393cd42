"""The first command on a bare machine: Debian's python3, no home, no root, no environment."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from devtools import bootstrap
from devtools.supervisor import postgres, rabbitmq
from devtools.supervisor.processes import free_port
from tests.deployment.checkout import copy_checkout
from tests.deployment.supervisor import Supervisor, alive
from tests.support import ROOT

DEBIAN_PYTHON = Path("/usr/bin/python3")
NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))"
NOBODY, NOGROUP = 65534, 65534


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A copy of the product, in a place that everybody can enter."""
    with tempfile.TemporaryDirectory(prefix="reglament-checkout-") as name:
        copy = Path(name)
        copy.chmod(0o755)
        copy_checkout(copy)
        if os.geteuid() == 0:
            for path in [copy, *copy.rglob("*")]:
                os.chown(path, NOBODY, NOGROUP)
        yield copy


def _bare(*command: str) -> list[str]:
    """As somebody who is not root and has no home, with nothing but Debian's own programs on the path."""
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOGROUP}", "--clear-groups"] if os.geteuid() == 0 else []
    return [*drop, "env", "-i", "PATH=/usr/bin:/bin", *command]


def _status(checkout: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(_bare("./reglament", "status"), cwd=checkout, capture_output=True, text=True, check=False)


def test_the_first_command_works_without_root_home_and_virtual_environment(checkout: Path) -> None:
    if not DEBIAN_PYTHON.exists() or not bootstrap.works([str(DEBIAN_PYTHON), "-c", NEW_ENOUGH]):
        pytest.skip("This machine has no system Python of 3.11 or newer.")
    first = _status(checkout)
    assert "not running" in first.stdout, first.stderr
    assert "installing the locked packages" in first.stderr

    # The interpreter is the system's, the tools and their caches are in the checkout.
    configuration = (checkout / ".venv" / "pyvenv.cfg").read_text()
    assert "home = /usr/bin" in configuration
    assert (checkout / ".reglament" / "cache").is_dir()

    second = _status(checkout)
    assert "not running" in second.stdout
    assert second.stderr == "", "the second command has nothing to install"

    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# another lock\n")
    third = _status(checkout)
    assert "installing the locked packages" in third.stderr, "a changed lock is followed"
    assert third.returncode == second.returncode

    if postgres.find_binaries() is not None and rabbitmq.is_installed():
        _whole_system_starts_and_stops(checkout)


def _whole_system_starts_and_stops(checkout: Path) -> None:
    port = str(free_port())
    system = Supervisor(_bare("./reglament", "up", "--port", port), directory=checkout, environment={})
    try:
        system.wait_for("Ctrl-C stops everything")
        assert httpx.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False).status_code == 200
        children = system.descendants()
        owners = {psutil.Process(pid).uids().real for pid in children}
        assert owners == {NOBODY if os.geteuid() == 0 else os.geteuid()}
    finally:
        system.press_ctrl_c()
        assert system.ended() == 0
    assert not alive(children)


def test_without_arguments_the_commands_are_listed() -> None:
    done = subprocess.run([ROOT / "reglament"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    for command in ("up", "test", "demo", "lint", "migrate", "openapi", "bench", "lock", "status"):
        assert f"│ {command} " in done.stdout


def test_a_python_without_pip_and_no_way_to_get_it_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Debian's wheel, uv and apt are missing too; the interpreter here is our own, which has no pip either."""
    monkeypatch.setattr(bootstrap, "UV_TARGET", tmp_path / "uv")
    monkeypatch.setattr(bootstrap, "DEBIAN_WHEELS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bootstrap.find_uv() is None
    with pytest.raises(bootstrap.BootstrapError, match="apt-get install -y python3-pip") as caught:
        bootstrap.install_uv(dict(os.environ))
    assert "\n" not in str(caught.value)


def test_a_python_without_pip_uses_debians_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not list(bootstrap.DEBIAN_WHEELS.glob("pip-*.whl")):
        pytest.skip("Debian's python3-pip-whl is not installed here.")
    assert not bootstrap.works([sys.executable, "-I", "-m", "pip", "--version"]), "uv's environments have no pip"
    monkeypatch.setattr(bootstrap, "UV_TARGET", tmp_path / "uv")
    uv = bootstrap.install_uv(bootstrap.tool_environment())
    assert Path(uv) == tmp_path / "uv" / "bin" / "uv"


def test_caches_stay_in_the_checkout_when_there_is_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")
    assert Path(bootstrap.tool_environment()["UV_CACHE_DIR"]).is_relative_to(ROOT)
    monkeypatch.delenv("HOME")
    assert Path(bootstrap.tool_environment()["UV_CACHE_DIR"]).is_relative_to(ROOT)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_lock_has_wheels_for_the_pythons_of_the_distributions(tmp_path: Path, version: str, machine: str) -> None:
    """Debian 12 and 13, Ubuntu 24.04 and 26.04; a compiler is on none of them."""
    lock = tmp_path / "requirements.lock"
    # The one that is published as its source alone, which is Python alone.
    lock.write_text(
        re.sub(r"^docopt==.*\n(?: .*\n)*", "", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    )
    environment = bootstrap.tool_environment()
    uv = bootstrap.find_uv() or bootstrap.install_uv(environment)
    command = [uv, "pip", "install", "--dry-run", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--python-version", version, "--python-platform", f"{machine}-unknown-linux-gnu"]
    command += ["--target", str(tmp_path / "packages"), "--requirement", str(lock)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_lock_that_names_no_registry_can_be_installed_from_any() -> None:
    """The reason for a plain, hash-pinned lock file; every package in it has its hashes."""
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert all("==" in line for line in pinned)
    assert text.count("--hash=sha256:") >= len(pinned)
