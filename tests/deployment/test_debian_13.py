"""The two commands on a fresh Debian 13, in a root that debootstrap makes from this machine's own mirror.

Takes minutes and a gigabyte: `./reglament test -m slow`.
"""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from devtools.supervisor.packages import install
from devtools.supervisor.processes import free_port
from shared.base.settings import SERVICES
from tests.deployment.checkout import copy_checkout
from tests.deployment.supervisor import Supervisor, alive, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

RELEASE = "trixie"
SHARE = Path("usr/local/share/ca-certificates")
# Whatever the machine was told to reach its registries by: its own authorities, its pip's settings, its proxies.
CONFIGURATION = [Path("etc/pip.conf"), Path("etc/uv/uv.toml")]
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
ENTER = """\
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
mount -t tmpfs tmpfs "$0/dev/shm"
exec chroot "$0" "$@"
"""


def _mirror() -> str | None:
    """Return the first of apt's own sources that has the release."""
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    )
    for uri in dict.fromkeys(listing.stdout.split()):
        try:
            with urllib.request.urlopen(f"{uri.rstrip('/')}/dists/{RELEASE}/InRelease", timeout=30):
                return uri
        except (urllib.error.URLError, ValueError, TimeoutError):
            continue
    return None


def _inside(root: Path, *command: str) -> list[str]:
    """In namespaces of its own, so that the end of the command takes its mounts and its processes along."""
    proxies = [f"{name}={os.environ[name]}" for name in PROXIES if name in os.environ]
    bare = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "DEBIAN_FRONTEND=noninteractive", *proxies]
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return [*namespaces, "sh", "-e", "-c", ENTER, str(root), *bare, *command]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"


@pytest.fixture(scope="module")
def debian() -> Iterator[Path]:
    """A minimal Debian 13 with python3, as its installer leaves it, and a checkout in /srv/reglament."""
    if os.geteuid() != 0:
        pytest.skip("Only root can make a root directory of Debian.")
    if shutil.which("apt-get") is None:
        pytest.skip("This machine has no apt, whose mirror would be used.")
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False).returncode:
        pytest.skip("This machine does not allow mount and process namespaces.")
    with tempfile.TemporaryDirectory(prefix="reglament-debian-13-", ignore_cleanup_errors=True) as name:
        if shutil.which("debootstrap") is None and not install(["debootstrap"], [], Path(name) / "apt.log"):
            pytest.skip("debootstrap is neither installed nor installable here.")
        mirror = _mirror()
        if mirror is None:
            pytest.skip(f"None of this machine's apt sources can be reached and has {RELEASE}.")
        root = Path(name) / "root"
        _run(["debootstrap", "--variant=minbase", "--include=ca-certificates,python3", RELEASE, str(root), mirror])
        root.chmod(0o755)
        _configure(root)
        copy_checkout(root / "srv" / "reglament")
        yield root


def _configure(root: Path) -> None:
    if (Path("/") / SHARE).is_dir():
        shutil.copytree(Path("/") / SHARE, root / SHARE, dirs_exist_ok=True)
    for file in CONFIGURATION:
        if (Path("/") / file).is_file():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path("/") / file, root / file)
    _run(_inside(root, "update-ca-certificates"))


def _up(debian: Path, *options: str) -> tuple[Supervisor, int]:
    port = free_port()
    command = ["sh", "-c", 'cd /srv/reglament && exec ./reglament up "$@"', "up", "--port", str(port), *options]
    return Supervisor(_inside(debian, *command), directory=Path("/"), environment=dict(os.environ)), port


def test_up_works_on_a_fresh_debian_13_and_again_with_a_process_for_each_service(debian: Path) -> None:
    """From Debian's python3 without pip to every service ready; then on the same data behind Caddy."""
    system, port = _up(debian)
    try:
        system.wait_for("Ctrl-C stops everything", seconds=1200)
        answer = httpx.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False)
        assert answer.status_code == 200
        assert answer.json()["services"] == dict.fromkeys(SERVICES, 200)
        children = system.descendants()
    finally:
        system.press_ctrl_c()
        assert system.ended() == 0, system.text
    assert eventually(lambda: not alive(children))
    data = debian / "srv" / "reglament" / ".reglament" / "data"
    assert (data / "postgres" / "PG_VERSION").read_text().strip() == "17"
    assert "RabbitMQ 4." in (data / "logs" / "rabbitmq.log").read_text()
    assert "version_info = 3.13" in (debian / "srv" / "reglament" / ".venv" / "pyvenv.cfg").read_text()
    assert not list((debian / "run").glob("postgresql/*.pid")), "the system's own cluster was not started"

    system, port = _up(debian, "--processes")
    try:
        system.wait_for("Ctrl-C stops everything", seconds=600)
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
            for service, url in json.loads((data / "state.json").read_text())["service_urls"].items():
                assert client.get(f"http://127.0.0.1:{port}/api/{service}/openapi.json").status_code == 200
                assert client.get(f"{url}/health/ready").status_code == 200
    finally:
        system.press_ctrl_c()
        assert system.ended() == 0, system.text


def test_the_tests_find_their_servers_there(debian: Path) -> None:
    """`./reglament test` with a few that use both servers; everything else on it is the same code."""
    command = 'cd /srv/reglament && exec ./reglament test -q -n 0 "$@"'
    tests = ["tests/integration/kernel/test_repair.py", "tests/deployment/test_guard.py"]
    _run(_inside(debian, "sh", "-c", command, "test", *tests))
