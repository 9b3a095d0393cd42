"""Named points at which fault tests kill or stop the process, between two steps that are not atomic.

`REGLAMENT_CRASH_AT=relay.published:3` sends SIGKILL to the process when the point is reached for the third time,
`relay.claimed:3:stop` sends SIGSTOP.  Without the variable a point costs one comparison.
"""

import os
import signal

VARIABLE = "REGLAMENT_CRASH_AT"

POINTS = (
    "command.before_commit",
    "command.after_commit",
    "relay.claimed",
    "relay.published",
    "relay.confirmed",
    "consumer.before_commit",
    "consumer.after_commit",
    "consumer.before_ack",
    "retry.claimed",
    "retry.counted",
    "clock.claimed",
    "clock.fired",
    "clock.committed",
    "notice.before_sending",
    "notice.after_sending",
)


def parse(setting: str | None) -> tuple[str, int, signal.Signals] | None:
    """Return the point, the number of the visit and the signal.

    Raises ValueError for an unknown point: a misspelt one would prove nothing.
    """
    if not setting:
        return None
    point, _, rest = setting.partition(":")
    number, _, stop = rest.partition(":")
    if point not in POINTS or not number.isdigit() or int(number) < 1 or stop not in ("", "stop"):
        raise ValueError(f"{VARIABLE} looks like relay.published:1 or …:1:stop; points: {', '.join(POINTS)}")
    return point, int(number), signal.SIGSTOP if stop else signal.SIGKILL


_armed = parse(os.environ.get(VARIABLE))
_reached = 0


def reach(point: str) -> None:
    """Kill or stop the process when this is the visit that the variable names; otherwise do nothing."""
    if _armed is None or _armed[0] != point:
        return
    global _reached
    _reached += 1
    if _reached == _armed[1]:
        os.kill(os.getpid(), _armed[2])
