"""F12 for a mail server slower than the client's timeout: before its banner, and after it accepted the letter."""

from collections import Counter

from tests.faults.checker import Verdict
from tests.faults.mail import MailServer
from tests.faults.office_checker import check_letters
from tests.faults.scenarios import letters
from tests.faults.scenarios.base import Run
from tests.faults.world import World, until

SEND_SECONDS, SLOW_SECONDS = 0.8, 1.3
SETTINGS = {
    "REGLAMENT_SEND_TIMEOUT_SECONDS": str(SEND_SECONDS),
    "REGLAMENT_SENDING_LEASE_SECONDS": "3",
    "REGLAMENT_SMS_POLL_SECONDS": "0.3",
}
POLICY = "UPDATE delivery_policies SET resend_unknown_mail = true"
UNKNOWN_TRIES = """
SELECT n.id::text, n.state, count(a.number) FILTER (WHERE a.outcome = 'unknown') AS unknown
FROM notices n LEFT JOIN notice_attempts a ON a.notice_id = n.id WHERE n.channel = 'email' GROUP BY n.id
"""


async def run(run: Run) -> Verdict:
    """A letter whose answer comes too late is `unknown`; it is sent once more only where the policy says so."""
    async with letters.sender(run, "F12-slow", settings=SETTINGS) as (world, mail, _):
        schedule, verdict = run.random(), Verdict()
        mail.slow_seconds = SLOW_SECONDS
        count = run.scale(12, 400)
        mail.answers = ["slow", "slow", *schedule.choices(["250 OK", "250 OK", "451 busy", "slow"], k=count - 2)]
        mail.banners = [SLOW_SECONDS, *schedule.choices([0, 0, SLOW_SECONDS], k=count)]
        slow = mail.answers.count("slow")
        await letters.queue(world, count)
        await letters.hurry_until(world, died=False)
        await check_letters(world, verdict, mail)
        unknown = verdict.figures["letters unknown"]
        verdict.require(unknown >= slow, f"{unknown} unknown, {slow} were answered too late")
        before = Counter(mail.taken)
        mail.answers = ["slow"]
        await world.rows("notifier", POLICY)
        await resent(world)
        await check_resent(world, mail, before, verdict)
        return verdict


async def resent(world: World) -> None:
    """Each letter that was unknown once has been tried once more."""
    waiting = "SELECT count(*) FROM notices WHERE state IN ('queued', 'sending')"

    async def over() -> bool:
        await world.rows("notifier", "UPDATE notices SET next_attempt_at = now() WHERE state = 'queued'")
        await world.rows("notifier", "NOTIFY notifier_notices")
        once = [row for row in await world.rows("notifier", UNKNOWN_TRIES) if row["state"] == "unknown"]
        left = [row for row in once if row["unknown"] < 2]
        return not left and await world.count("notifier", waiting) == 0

    await until(over, "unknown letters have gone out once more", letters.TIMEOUT_SECONDS)


async def check_resent(world: World, mail: MailServer, before: Counter[str], verdict: Verdict) -> None:
    tries = {row["id"]: row for row in await world.rows("notifier", UNKNOWN_TRIES)}
    verdict.figures["states after sending once more"] = dict(Counter(row["state"] for row in tries.values()))
    known = [letter for letter, times in mail.taken.items() if times > 1 and not tries[letter]["unknown"]]
    verdict.require_none("letters sent twice that were never unknown", known)
    verdict.require_none("letters sent three times", [letter for letter, times in mail.taken.items() if times > 2])
    twice = [letter for letter in mail.taken if mail.taken[letter] > before[letter] > 0]
    verdict.figures["letters sent once more"] = len(twice)
    verdict.require(bool(twice), "no letter of unknown outcome was sent once more")
