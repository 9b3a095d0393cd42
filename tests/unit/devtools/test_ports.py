"""Ports of private servers: chosen once on a machine, although they are bound long after."""

import subprocess
import sys
from pathlib import Path

import pytest

from devtools.errors import OperatorError
from devtools.supervisor import processes
from tests.support import ROOT

CHOOSE_AND_WAIT = """
import sys
from pathlib import Path
from devtools.supervisor import processes
processes.RESERVATIONS = Path(sys.argv[1])
processes.FIRST_PORT = processes.LAST_PORT = int(sys.argv[2])
print(processes.free_port(), flush=True)
sys.stdin.read()
"""


def test_two_runs_never_choose_the_same_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = processes.free_port()
    monkeypatch.setattr(processes, "RESERVATIONS", tmp_path)
    monkeypatch.setattr(processes, "FIRST_PORT", port)
    monkeypatch.setattr(processes, "LAST_PORT", port)
    monkeypatch.setattr(processes, "_reserved", {})
    command = [sys.executable, "-c", CHOOSE_AND_WAIT, str(tmp_path), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline().strip() == str(port)
        with pytest.raises(OperatorError):
            processes.free_port()
        other.stdin.close()
        other.wait(30)
    assert processes.free_port() == port, "it is free again when the other run has ended"
