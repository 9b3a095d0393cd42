"""Nothing that we start outlives us, however we end."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devtools.errors import OperatorError
from devtools.supervisor import postgres, rabbitmq
from devtools.supervisor.processes import GuardedProcess, free_port, is_free, wait_until
from tests.deployment.supervisor import alive, eventually
from tests.support import ROOT

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


@pytest.fixture
def directory() -> Iterator[Path]:
    """A name that servers stumble over, and not in pytest's own directory, which PostgreSQL's user cannot enter."""
    with tempfile.TemporaryDirectory(prefix="reglament guard ё ") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def _supervisor(program: str) -> "subprocess.Popen[str]":
    """A process that starts guarded children, says "ready", and waits to be killed."""
    tail = "\nprint('ready', flush=True)\nimport time\ntime.sleep(600)\n"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program) + tail], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "ready\n"
    return supervisor


def test_kill_9_of_the_supervisor_takes_daemons_too(directory: Path) -> None:
    """The command's own daemon, in a session of its own and deaf to signals, goes as well."""
    supervisor = _supervisor(
        f"""
        from pathlib import Path
        from devtools.supervisor.processes import GuardedProcess
        daemon = "trap '' TERM HUP INT; while true; do sleep 1; done"
        command = ["sh", "-c", f'setsid sh -c "{{daemon}}" & exec sleep 600']
        GuardedProcess("sleeper", command, log=Path({str(directory)!r}) / "log", grace=1).start()
        import time; time.sleep(0.5)
        """
    )
    started = {process.pid for process in psutil.Process(supervisor.pid).children(recursive=True)}
    assert len(started) >= 3
    supervisor.kill()
    supervisor.wait()
    assert eventually(lambda: not alive(started))


def test_kill_9_of_the_supervisor_stops_the_servers_in_order(directory: Path) -> None:
    """Erlang's helpers and epmd leave no trace; PostgreSQL wrote its data as in a normal shutdown."""
    if postgres.find_binaries() is None or not rabbitmq.is_installed():
        pytest.skip("The servers' binaries are not installed here; the run uses other servers.")
    supervisor = _supervisor(
        f"""
        from pathlib import Path
        from devtools.supervisor.postgres import PostgresServer
        from devtools.supervisor.rabbitmq import RabbitServer
        directory = Path({str(directory)!r})
        database = PostgresServer(directory / "postgres", directory / "postgres.log", durable=True, password="test")
        broker = RabbitServer(directory / "rabbitmq", directory / "rabbitmq.log", durable=True)
        for server in (database, broker):
            server.start()
        for server in (database, broker):
            server.wait_until_ready()
        """
    )
    started = {process.pid for process in psutil.Process(supervisor.pid).children(recursive=True)}
    names = {psutil.Process(pid).name() for pid in started}
    assert {"postgres", "beam.smp", "epmd"} <= names
    supervisor.kill()
    supervisor.wait()
    assert eventually(lambda: not alive(started), seconds=40)
    assert "database system is shut down" in (directory / "postgres.log").read_text()


def test_killing_the_guard_kills_its_command(directory: Path) -> None:
    process = GuardedProcess("sleeper", ["sleep", "600"], log=directory / "log")
    process.start()
    assert eventually(lambda: process.pid is not None)
    command = process.pid
    assert command is not None
    guard = psutil.Process(command).ppid()
    os.kill(guard, signal.SIGKILL)
    assert eventually(lambda: not alive({command}))


def test_the_command_is_known_among_its_orphans_though_process_ids_began_again(directory: Path) -> None:
    """Root alone can let them begin again; for others the orphans come later in every order."""
    begin_again = f"echo 1 >{LAST_PID}; " if os.access(LAST_PID, os.W_OK) else ""
    command = ["sh", "-c", f"{begin_again}(sleep 600 &); echo $$; exec sleep 600"]
    process = GuardedProcess("parent", command, log=directory / "log")
    process.start()
    assert eventually(lambda: (directory / "log").read_text().endswith("\n"))
    pid = int((directory / "log").read_text())
    guard = psutil.Process(psutil.Process(pid).ppid())
    assert eventually(lambda: len(guard.children()) == 2)
    assert not begin_again or min(child.pid for child in guard.children()) < pid, "the orphan's is the smaller number"
    assert process.pid == pid
    process.stop()


def test_an_orphan_that_ends_leaves_no_zombie(directory: Path) -> None:
    """RabbitMQ makes two a minute; each would hold a process id until the broker stops."""
    orphans = "for each in 1 2 3; do (sleep 1 & echo $! >&3); done"
    command = ["sh", "-c", f"exec 3>orphans; {orphans}; exec sleep 600"]
    process = GuardedProcess("parent", command, log=directory / "log", directory=directory)
    process.start()
    assert eventually(lambda: process.pid is not None)
    assert process.pid is not None
    guard = psutil.Process(process.pid).parent()
    assert guard is not None
    assert eventually(lambda: len(guard.children()) == 4), "the guard inherits them"
    inherited = {int(line) for line in (directory / "orphans").read_text().split()}
    assert inherited | {process.pid} == {child.pid for child in guard.children()}
    assert eventually(lambda: guard.children() == [psutil.Process(process.pid)]), "zombies count as children"
    process.stop()
    assert process.exit_status == 128 + signal.SIGTERM, "the command's own exit status is not reaped with theirs"


def test_a_command_that_does_not_stop_is_killed_after_the_grace_time(directory: Path) -> None:
    command = ["sh", "-c", "trap '' TERM; echo deaf; while true; do sleep 0.1; done"]
    process = GuardedProcess("deaf", command, log=directory / "log", grace=0.5)
    process.start()
    assert eventually(lambda: "deaf" in (directory / "log").read_text())
    process.stop()
    assert process.exit_status == 128 + signal.SIGKILL


def test_the_command_gets_its_own_stop_signal_and_its_exit_status_is_told(directory: Path) -> None:
    command = ["sh", "-c", "trap 'exit 7' INT; echo up; while true; do sleep 0.05; done"]
    process = GuardedProcess("polite", command, log=directory / "log", stop_signal="INT")
    process.start()
    assert eventually(lambda: "up" in (directory / "log").read_text())
    process.stop()
    assert process.exit_status == 7


def test_a_child_that_ends_at_once_is_an_error_with_its_last_words(directory: Path) -> None:
    process = GuardedProcess("broken", ["sh", "-c", "echo no such thing; exit 3"], log=directory / "log")
    process.start()
    with pytest.raises(OperatorError, match=r"broken did not start: no such thing"):
        wait_until(lambda: False, process, seconds=10)


def test_a_missing_binary_is_named(directory: Path) -> None:
    process = GuardedProcess("absent", ["/no/such/binary"], log=directory / "log")
    process.start()
    with pytest.raises(OperatorError, match="/no/such/binary"):
        wait_until(lambda: False, process, seconds=10)


def test_a_free_port_is_below_the_ports_of_outgoing_connections() -> None:
    first_of_clients = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    port = free_port()
    assert is_free(port)
    assert port < first_of_clients


def test_no_port_is_given_twice() -> None:
    assert len({free_port() for _ in range(500)}) == 500
