"""`./reglament up` from start to end: twice on the same data, once from nothing, stopped in every way there is."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from devtools.supervisor import gateway, postgres, rabbitmq
from devtools.supervisor.processes import free_port
from devtools.supervisor.state import ROOT, DataDirectory
from shared.base.settings import SERVICES
from tests.deployment.supervisor import Supervisor, alive, eventually

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def directory() -> Iterator[DataDirectory]:
    if postgres.find_binaries() is None or not rabbitmq.is_installed():
        pytest.skip("The servers' binaries are not installed here; the run uses other servers.")
    path = Path(tempfile.mkdtemp(prefix="reglament-up-"))
    path.chmod(0o755)
    yield DataDirectory(path / "data")
    shutil.rmtree(path, ignore_errors=True)


def _up(directory: DataDirectory, *options: str) -> Supervisor:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REGLAMENT_")}
    environment["REGLAMENT_DATA_DIR"] = str(directory.path)
    command = [sys.executable, "-m", "devtools", "up", "--port", str(free_port()), *options]
    return Supervisor(command, directory=ROOT, environment=environment)


async def _marks(directory: DataDirectory, *, leave: bool = False) -> int:
    """How many times a mark was left in this data."""
    running = directory.running()
    assert running is not None
    url = running.environment["REGLAMENT_DATABASE_URL"].removesuffix("/postgres") + "/reglament_control"
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS mark (at timestamptz DEFAULT now())")
        if leave:
            await connection.execute("INSERT INTO mark DEFAULT VALUES")
        return int(await connection.fetchval("SELECT count(*) FROM mark"))
    finally:
        await connection.close()


async def test_data_outlives_kill_9_and_nothing_else_does(directory: DataDirectory) -> None:
    first = _up(directory)
    first.wait_for("Ctrl-C stops everything")
    running = directory.running()
    assert running is not None
    async with httpx.AsyncClient(base_url=running.url, trust_env=False) as client:
        for service in SERVICES:
            assert (await client.get(f"/api/{service}/health/ready")).status_code == 200
        assert (await client.get(f"{running.mailbox_url}/")).status_code == 200
    assert running.head_office_password in first.text
    assert await _marks(directory, leave=True) == 1
    children = first.descendants()
    assert len(children) > 8
    first.process.kill()
    first.process.wait()
    assert eventually(lambda: not alive(children), 60), "kill -9 left processes behind"
    assert directory.running() is None

    second = _up(directory)
    second.wait_for("Ctrl-C stops everything")
    again = directory.running()
    assert again is not None
    assert again.head_office_password == running.head_office_password
    assert await _marks(directory, leave=True) == 2
    children = second.descendants()
    second.press_ctrl_c()
    assert second.ended() == 0
    assert second.text.rstrip().endswith("stopped")
    assert not alive(children)

    third = _up(directory, "--fresh")
    third.wait_for("Ctrl-C stops everything")
    assert await _marks(directory) == 0
    children = third.descendants()
    third.process.send_signal(signal.SIGTERM)
    assert third.ended() == 0
    assert not alive(children)


def test_a_service_that_dies_is_started_again(directory: DataDirectory) -> None:
    """Each service in a process of its own, behind one origin."""
    if gateway.find_binary() is None:
        pytest.skip("Debian's caddy is not installed here: apt-get install caddy")
    system = _up(directory, "--processes")
    try:
        system.wait_for("Ctrl-C stops everything")
        before = directory.running()
        assert before is not None
        assert set(before.processes) == set(SERVICES)
        address = f"{before.url}/api/vin/openapi.json"
        assert httpx.get(address, trust_env=False).status_code == 200
        assert httpx.get(f"{before.url}/api/vin/health/ready", trust_env=False).status_code == 404
        own = f"{before.service_urls['vin']}/health/ready"
        assert httpx.get(own, trust_env=False).status_code == 200

        os.kill(before.processes["vin"], signal.SIGKILL)
        system.wait_for("vin ended with status 137; starting it again in 1 s")
        system.wait_for("vin was started again")
        assert eventually(lambda: httpx.get(address, trust_env=False).status_code == 200)
        assert httpx.get(own, trust_env=False).status_code == 200
        after = directory.running()
        assert after is not None
        assert after.processes["vin"] != before.processes["vin"]
        assert {**after.processes, "vin": 0} == {**before.processes, "vin": 0}, "the others were left alone"
    finally:
        system.press_ctrl_c()
        assert system.ended() == 0


def test_ctrl_c_while_it_starts_leaves_nothing(directory: DataDirectory) -> None:
    system = _up(directory)
    system.wait_for("PostgreSQL is up")
    children = system.descendants()
    assert children
    system.press_ctrl_c()
    assert system.ended() == 0
    assert not alive(children)
    assert directory.running() is None
