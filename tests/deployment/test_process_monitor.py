"""What dies is started again, more and more slowly while it keeps dying."""

from pathlib import Path

from devtools.supervisor.processes import GuardedProcess
from devtools.supervisor.up import LONGEST_PAUSE_SECONDS, STEADY_SECONDS, Keeper


def _run_out(process: GuardedProcess) -> None:
    assert process._guard is not None
    process._guard.wait(20)


def test_a_dead_process_is_started_again_after_a_doubling_pause(tmp_path: Path) -> None:
    process = GuardedProcess("short", ["sh", "-c", "exit 3"], log=tmp_path / "log")
    process.start()
    told: list[str] = []
    keeper = Keeper(process)
    now = keeper.started_at
    pauses = []
    for _ in range(8):
        _run_out(process)
        assert not keeper.look(now, told.append)
        pause = keeper.pause
        assert not keeper.look(now + pause - 0.01, told.append), "not before the pause is over"
        now += pause
        assert keeper.look(now, told.append)
        pauses.append(pause)
    _run_out(process)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert max(pauses) == LONGEST_PAUSE_SECONDS
    assert "short ended with status 3; starting it again in 1 s" in told[0]
    assert told[1] == "short was started again"


def test_a_process_that_ran_long_is_started_again_soon(tmp_path: Path) -> None:
    process = GuardedProcess("steady", ["sh", "-c", "exit 0"], log=tmp_path / "log")
    process.start()
    _run_out(process)
    keeper = Keeper(process)
    keeper.pause = LONGEST_PAUSE_SECONDS
    keeper.look(keeper.started_at + STEADY_SECONDS + 1, lambda what: None)
    assert keeper.pause == 1


def test_a_process_that_runs_is_left_alone(tmp_path: Path) -> None:
    process = GuardedProcess("long", ["sleep", "600"], log=tmp_path / "log")
    process.start()
    try:
        keeper = Keeper(process)
        assert not keeper.look(keeper.started_at + 1000, lambda what: None)
        assert keeper.restart_at is None
    finally:
        process.stop()
