"""What dies is started again, more and more slowly while it keeps dying."""

from pathlib import Path

from devtools.supervisor.processes import GuardedProcess
from devtools.supervisor.up import MAX_PAUSE_SECONDS, STABLE_AFTER_SECONDS, ProcessMonitor


def _run_out(process: GuardedProcess) -> None:
    assert process._guard is not None
    process._guard.wait(20)


def test_a_dead_process_is_started_again_after_a_doubling_pause(tmp_path: Path) -> None:
    process = GuardedProcess("short", ["sh", "-c", "exit 3"], log=tmp_path / "log")
    process.start()
    reported: list[str] = []
    monitor = ProcessMonitor(process)
    now = monitor.started_at
    pauses = []
    for _ in range(8):
        _run_out(process)
        assert not monitor.check(now, reported.append)
        pause = monitor.pause
        assert not monitor.check(now + pause - 0.01, reported.append), "not before the pause is over"
        now += pause
        assert monitor.check(now, reported.append)
        pauses.append(pause)
    _run_out(process)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert max(pauses) == MAX_PAUSE_SECONDS
    assert "short ended with status 3; starting it again in 1 s" in reported[0]
    assert reported[1] == "short was started again"


def test_a_process_that_ran_long_is_started_again_soon(tmp_path: Path) -> None:
    process = GuardedProcess("steady", ["sh", "-c", "exit 0"], log=tmp_path / "log")
    process.start()
    _run_out(process)
    monitor = ProcessMonitor(process)
    monitor.pause = MAX_PAUSE_SECONDS
    monitor.check(monitor.started_at + STABLE_AFTER_SECONDS + 1, lambda what: None)
    assert monitor.pause == 1


def test_a_process_that_runs_is_left_alone(tmp_path: Path) -> None:
    process = GuardedProcess("long", ["sleep", "600"], log=tmp_path / "log")
    process.start()
    try:
        monitor = ProcessMonitor(process)
        assert not monitor.check(monitor.started_at + 1000, lambda what: None)
        assert monitor.restart_at is None
    finally:
        process.stop()
