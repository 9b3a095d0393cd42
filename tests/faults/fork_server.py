"""`python -m tests.faults.fork_server SOCKET NAME…`: imports services once and forks a process for each start.

A scenario starts services dozens of times.  Two seconds of imports before each would be most of what it does, and
most of the time in which nothing can go wrong.  What is forked has no thread, no connection and no event loop.
"""

import importlib
import json
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from services import serving
from shared.base import fault_points
from tests.faults import child
from tests.faults.processes import EXIT_MARKER


def main() -> None:
    address, *names = sys.argv[1:]
    for name in names:
        child.load(name)
    serving.freeze_garbage_collector()  # A collection would touch the shared pages, and each process would copy them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Ended children are reaped by the kernel.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(f"{address}.new")
        server.listen()
        Path(f"{address}.new").rename(address)  # The socket accepts connections from here on.
        while True:
            connection, _ = server.accept()
            with connection:
                order = json.loads(connection.makefile().readline())
                pid = os.fork()
                if pid == 0:
                    connection.close()
                    server.close()
                    run_child(order)
                connection.sendall(str(pid).encode())


def run_child(order: dict[str, Any]) -> None:
    """Run the service in the forked process; does not return."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(Path(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ.clear()
        os.environ.update(order["environment"])
        importlib.reload(fault_points)  # It reads its variable when it is imported.
        child.serve(order["services"], order["port"])
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.write(f"{EXIT_MARKER}: {status}\n")
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
