"""Runs one command and makes sure that nothing of it outlives the process that asked for it.

    python guard.py --signal TERM --grace 20 -- command argument ...

Standard input is a pipe whose other end the supervisor holds. When it closes, because the supervisor closed it or
because the supervisor is gone for whatever reason (SIGKILL included), the command gets the signal, and SIGKILL after
the grace time; a byte written to the pipe means SIGKILL at once. Everything that the command started goes with it,
daemons as well: as a "child subreaper" the guard inherits them, and reaps those that end before. Ends with the
command's exit status (128 + n for a signal).

Only the standard library, for it runs as `python -I -S` to be small and quick.
"""

import argparse
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
KILL_ROUNDS = 50
KILL_INTERVAL_SECONDS = 0.1


def prctl(option: int, argument: int) -> None:
    if LIBC.prctl(option, argument, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def children(pid: int) -> list[int]:
    """Direct children of all threads of a process; empty when it is gone."""
    found: list[int] = []
    try:
        for listing in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in listing.read_text().split()]
    except OSError:
        pass
    return found


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def kill_what_is_left() -> None:
    """Kill round by round: whoever forked between two looks is found by the next."""
    for _ in range(KILL_ROUNDS):
        reap()
        remaining = descendants(os.getpid())
        if not remaining:
            return
        for pid in remaining:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(KILL_INTERVAL_SECONDS)


def reap_inherited(command: int) -> None:
    """Reap every dead child but the command, whose exit status is told by the one who waits for it."""
    try:
        while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if dead.si_pid == command:
                return  # The guard is about to end: it reaps the rest on its way out.
            os.waitpid(dead.si_pid, 0)
    except ChildProcessError:
        pass  # Somebody else waited first: a signal that came meanwhile, or whoever waited for the command.


def wait_for_end(command: "subprocess.Popen[bytes]", supervisor: int, stop_signal: int, grace: float) -> int:
    """Wait until the command ends by itself, or the supervisor's end of the pipe closes; reap orphans meanwhile."""
    # The handler runs between two system calls of the waiting below; the first call is for those who died before.
    signal.signal(signal.SIGCHLD, lambda number, frame: reap_inherited(command.pid))
    reap_inherited(command.pid)
    command_fd = os.pidfd_open(command.pid)
    readable, _, _ = select.select([supervisor, command_fd], [], [])
    if command_fd not in readable:
        kill_now = os.read(supervisor, 1) != b""
        command.send_signal(signal.SIGKILL if kill_now else stop_signal)
        if not select.select([command_fd], [], [], grace)[0]:
            command.kill()
    return command.wait()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--signal", default="TERM")
    parser.add_argument("--grace", type=float, default=20.0)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    stop_signal = signal.Signals[f"SIG{arguments.signal}"]
    argv = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command

    # Ctrl-C and a closing terminal are the supervisor's to act on; it closes the pipe in its own order.
    for ignored in IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    supervisor = os.dup(0)
    guard = os.getpid()

    def begin() -> None:
        """In the child, before it becomes the command."""
        for ignored in IGNORED:
            signal.signal(ignored, signal.SIG_DFL)
        # The second net: should the guard itself be killed, the kernel kills the command with it.
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(128 + signal.SIGKILL)

    try:
        command = subprocess.Popen(argv, stdin=subprocess.DEVNULL, preexec_fn=begin)
    except OSError as error:
        print(f"cannot start {argv[0]}: {error}", file=sys.stderr)
        return 127
    status = wait_for_end(command, supervisor, stop_signal, arguments.grace)
    kill_what_is_left()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
