"""The day of the demonstration with one process per service, one of which dies in the middle of it."""

import os
import signal
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import psutil
from rich.console import Console

from devtools.demo.day import Day
from devtools.demo.main import STEPS, new_day, target_of
from devtools.demo.steps import check_and_payment
from devtools.demo.waiting import until
from tests.system.recording import Exchange, recorded
from tests.system.stalled_service import stalled
from tests.system.world import World

KILLED_SERVICE = "orders"


@dataclass(frozen=True, slots=True)
class CompletedDay:
    """A day that came to its end."""

    world: World
    day: Day
    exchanges: list[Exchange]
    """Every request of the day with its answer."""
    unacknowledged: int
    """Messages that the killed process held."""
    unpublished: int
    """Rows in its outbox that the broker had not confirmed."""


def run_day(world: World, output: Path) -> CompletedDay:
    day = new_day(target_of(world.system.state), output, Console(file=StringIO(), width=160))
    lost: dict[str, int] = {}
    with recorded() as exchanges:
        for step in STEPS:
            if step is check_and_payment:
                lost = pay_while_service_is_killed(world, day)
            else:
                step.execute(day)
    return CompletedDay(world, day, exchanges, **lost)


def pay_while_service_is_killed(world: World, day: Day) -> dict[str, int]:
    """Play step 4 and kill a service while events are unpublished and others unacknowledged."""
    check_and_payment.clocks_run(day)
    check_and_payment.call_about_the_order(day)
    check_and_payment.mark_positions(day)
    check_and_payment.add_the_payer(day)
    check_and_payment.issue_the_invoice(day)
    with stalled(world, KILLED_SERVICE):
        check_and_payment.finish_the_check(day)
        check_and_payment.pay(day)
        found = until("сервис держит сообщения и неотправленные события", lambda: find_undelivered(world))
        kill(world, KILLED_SERVICE)
    world.start(KILLED_SERVICE)
    check_and_payment.see_the_check(day)
    check_and_payment.see_the_payment(day)
    return found


def find_undelivered(world: World) -> dict[str, int] | None:
    """Return what is lost by a kill now; None while one of both kinds is missing."""
    unacknowledged = sum(queue.get("messages_unacknowledged", 0) for queue in world.queues(KILLED_SERVICE))
    [row] = world.rows(KILLED_SERVICE, "SELECT count(*) FROM outbox WHERE confirmed_at IS NULL")
    found = {"unacknowledged": unacknowledged, "unpublished": int(row["count"])}
    return found if all(found.values()) else None


def kill(world: World, service: str) -> None:
    pid = world.system.services[service].pid
    assert pid is not None
    process = psutil.Process(pid)
    os.kill(pid, signal.SIGKILL)
    process.wait(10)
