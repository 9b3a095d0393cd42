"""`./reglament demo`: an office's whole day, over HTTP only."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from rich.console import Console

from devtools.demo.day import Day, DemoTarget
from devtools.demo.delivered_messages import DeliveredMessages
from devtools.demo.failure import DemoFailed
from devtools.demo.http import Person
from devtools.demo.steps import (
    board,
    call,
    check_and_payment,
    escalation,
    inquiry,
    issue,
    offices,
    purchase,
    returns,
    rule,
    vin,
)
from devtools.demo.transcript import Transcript
from devtools.errors import OperatorError
from devtools.supervisor.state import RunningSystem, data_directory

STEPS: Sequence[ModuleType] = (
    offices,
    call,
    vin,
    check_and_payment,
    purchase,
    issue,
    escalation,
    returns,
    inquiry,
    rule,
    board,
)


PAGE_WIDTH = 120
"""In characters, where the transcript goes into a file."""


def run(base_url: str, output_dir: Path) -> int:
    """Play the day on the running system.  Return the exit status: 0 only if every step held."""
    running = data_directory().running()
    if running is None or running.url != base_url:
        raise OperatorError(f"nothing runs at {base_url}; start it with ./reglament up")
    width = None if sys.stdout.isatty() else PAGE_WIDTH
    day = new_day(target_of(running), output_dir, Console(highlight=False, width=width))
    day.show.title("Регламент: день офиса", f"{base_url}, всё по HTTP")
    for number, step in enumerate(STEPS, start=1):
        day.show.step(number, step.TITLE, step.CLAUSES)
        try:
            step.execute(day)
        except DemoFailed as failure:
            day.show.breaks(number, str(failure))
            return 1
    day.show.ends(len(STEPS), len(day.documents), output_dir)
    return 0


def new_day(target: DemoTarget, output: Path, console: Console) -> Day:
    output.mkdir(parents=True, exist_ok=True)
    return Day(
        target=target,
        output=output,
        show=Transcript(console),
        post=DeliveredMessages(target.mailbox_url, target.sms_url),
        visitor=Person(target.url),
    )


def target_of(running: RunningSystem) -> DemoTarget:
    """Raise OperatorError when letters go to a real server, where the demonstration cannot read them."""
    if running.mailbox_url is None:
        raise OperatorError("the demo reads the letters it causes: unset REGLAMENT_SMTP_URL and start ./reglament up")
    return DemoTarget(
        url=running.url,
        mailbox_url=running.mailbox_url,
        sms_url=running.sms_url,
        head_office_login=running.head_office_login,
        head_office_password=running.head_office_password,
        acquirer_secret=running.environment["REGLAMENT_ACQUIRER_SECRET"],
    )
