"""`./reglament faults` stopped by its operator."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.supervisor.state import ROOT

TIMEOUT_SECONDS = 60


@pytest.fixture
def directory() -> Iterator[Path]:
    """Provide a directory that the server's own user may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_servers_and_data_of_a_run_go_with_it(directory: Path) -> None:
    command = [sys.executable, "-m", "devtools", "faults", "F7", "--seed", "1"]
    run = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"TMPDIR": str(directory)}, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + TIMEOUT_SECONDS
        while not (sockets := list(directory.glob("reglament-faults-*/*.sock"))):
            assert run.poll() is None
            assert time.monotonic() < until, "no scenario began"
            time.sleep(0.1)
        servers = sockets[0].parent
        database = int((servers / "postgres" / "postmaster.pid").read_text().split()[0])
        run.send_signal(signal.SIGTERM)
        assert run.wait(TIMEOUT_SECONDS) == 130
    finally:
        run.kill()
        run.wait()
    assert not servers.exists()
    assert not Path(f"/proc/{database}").exists()
