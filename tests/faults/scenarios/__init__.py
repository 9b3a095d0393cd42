"""The fault scenarios by name."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from tests.faults.checker import Verdict
from tests.faults.scenarios import (
    clocks,
    commits,
    isolation,
    keys,
    letters,
    office,
    operations,
    partition,
    points,
    poison,
    restarts,
    slow_mail,
    sms,
    topology,
    wire,
)
from tests.faults.scenarios.base import Run


class Scenario(NamedTuple):
    title: str
    run: Callable[[Run], Coroutine[Any, Any, Verdict]]


SCENARIOS = {
    "F1-samples": Scenario("kill -9 of services, broker, database at random", restarts.run),
    "F1": Scenario("an office at work while services, broker and database die", office.run),
    "F2": Scenario("the broker's data wiped, twice", restarts.run_wiped),
    "F2-office": Scenario("an office at work while the broker's data is wiped, twice", office.run_wiped),
    "F3": Scenario("kill at each named point", points.run),
    "F4": Scenario("the broker frozen, short of memory, short of disk", operations.run_broker_unresponsive),
    "F5": Scenario("a queue, a binding, the exchange deleted", topology.run),
    "F6": Scenario("poison messages", poison.run),
    "F7-wire": Scenario("four relays, no fault", wire.run),
    "F7": Scenario("late commits, a stopped relay", commits.run),
    "F8": Scenario("engines of the clock that die while clients pause and close", clocks.run),
    "F9": Scenario("rolling restarts", operations.run_rolling),
    "F10": Scenario("one key, one version, many clients", keys.run),
    "F11": Scenario("tasks cancelled, connections cut, many at a commit", commits.run_dropped),
    "F12": Scenario("a mail server that refuses and hangs up, senders that die", letters.run),
    "F12-slow": Scenario("a mail server that takes longer than anybody waits", slow_mail.run),
    "F12-sms": Scenario("SMS gateways that refuse, fall silent and hang up", sms.run),
    "F12-smpp": Scenario("receipts of SMS and their parts twice, out of order, early and late", sms.run_smpp),
    "F13": Scenario("two offices, every route, every role", isolation.run),
    "F14": Scenario("the network held back, slow and cut", partition.run),
}
