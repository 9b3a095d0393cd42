"""Injected bugs of the clock and of messages, one at a time; see `test_injected_bugs_are_detected`."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

from tests.faults.checker import Verdict
from tests.faults.gateways import FaultyOperator, faulty_operator
from tests.faults.scenarios import clocks, sms
from tests.faults.scenarios.base import Run
from tests.faults.scenarios.clocks import Clock
from tests.faults.test_injected_bugs_are_detected import reports

GAP = timedelta(seconds=0.5)
TIMEOUT_SECONDS = 6.0
"""Seconds without progress after which waiting ends: what an injected bug broke may never drain."""


async def run_clocks(
    small: Run, bugs: str, number: int, *, engines: int = 1, fate: str = "", gap_seconds: float = 0.0
) -> Verdict:
    """Start clocks due `gap_seconds` apart, with clients that touch those with a planned fate."""
    async with clocks.engines(small, bugs, engines, bugs=bugs) as office:
        due = [datetime.now(UTC) + timedelta(seconds=1.5 + number * gap_seconds) for number in range(number)]
        await office.open([Clock((moment - GAP, moment, moment + GAP), fate) for moment in due])
        await office.race()
        await clocks.settled(office, TIMEOUT_SECONDS)
        verdict = Verdict()
        await clocks.check(office, verdict)
    return verdict


async def test_engines_that_claim_without_a_lock(small: Run) -> None:
    verdict = await run_clocks(small, "engine_without_lock", 50, engines=2)
    reports(verdict, "steps published twice")
    reports(verdict, "steps twice in the history")


async def test_an_engine_that_fires_early(small: Run) -> None:
    reports(await run_clocks(small, "engine_fires_early", 10, gap_seconds=0.1), "steps fired early")


async def test_a_close_that_does_not_stop_the_clock(small: Run) -> None:
    verdict = await run_clocks(small, "close_that_does_not_stop", 12, fate="complete")
    reports(verdict, "steps fired after a close")


async def test_a_pause_that_moves_nothing(small: Run) -> None:
    reports(
        await run_clocks(small, "pause_that_moves_nothing", 8, fate="pause"), "steps not planned as they were moved"
    )


def one_sender(small: Run, bugs: str, operator: FaultyOperator) -> AbstractAsyncContextManager[sms.Desk]:
    return sms.senders(small, bugs, sms.smpp(operator), bugs=bugs, count=1)


async def test_an_sms_sent_before_its_state_is_stored(small: Run) -> None:
    bugs = "sent_before_state"
    async with faulty_operator([], lambda _: ["DELIVRD"]) as operator, one_sender(small, bugs, operator) as desk:
        [name] = desk.world.members
        await desk.world.kill(name)
        await desk.world.restart(name, bugs=bugs, crash_at="notice.after_sending:1")
        await desk.queue(desk.plain_phones(1))
        await desk.world.died(name)
        await desk.world.restart(name, bugs=bugs)
        await desk.hurry()
        verdict = Verdict()
        await sms.check_receipts(desk, operator, verdict)
    reports(verdict, "SMS sent twice")


async def test_the_last_receipt_counts(small: Run) -> None:
    bugs = "last_receipt_counts"
    states = ["DELIVRD", "ENROUTE", "ACCEPTD"]
    async with faulty_operator([], lambda _: states) as operator, one_sender(small, bugs, operator) as desk:
        await desk.queue(desk.plain_phones(8))
        await desk.hurry()
        await sms.wait_for_receipts(operator)
        verdict = Verdict()
        await sms.check_receipts(desk, operator, verdict)
    reports(verdict, "SMS not in the state of its receipts")
