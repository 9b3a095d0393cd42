"""Named points of no return at which the fault tests kill the process.

`REGLAMENT_CRASH_AT=relay.published:3` sends SIGKILL to the own process when the point is reached for the third time.
Without the variable a point costs one comparison.
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


def parse(setting: str | None) -> tuple[str, int] | None:
    """The point and how many times it is reached.  Raises ValueError: a misspelt point would prove nothing."""
    if not setting:
        return None
    point, _, number = setting.partition(":")
    if point not in POINTS or not number.isdigit() or int(number) < 1:
        raise ValueError(f"{VARIABLE} looks like relay.published:1; points: {', '.join(POINTS)}")
    return point, int(number)


_armed = parse(os.environ.get(VARIABLE))
_reached = 0


def reach(point: str) -> None:
    """Does not return where the process is to die here."""
    if _armed is None or _armed[0] != point:
        return
    global _reached
    _reached += 1
    if _reached == _armed[1]:
        os.kill(os.getpid(), signal.SIGKILL)
