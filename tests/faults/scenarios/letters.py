"""F12: a mail server that refuses, hangs up after DATA, and senders that die on both sides of the wire."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from shared.persistence.database import new_id
from tests.faults.checker import Verdict
from tests.faults.history import History
from tests.faults.mail import MailServer, mail_server
from tests.faults.office_checker import check_letters
from tests.faults.scenarios.base import Run
from tests.faults.world import World, new_world, until

TIMEOUT_SECONDS = 600.0
BEFORE, AFTER = "notice.before_sending", "notice.after_sending"
QUEUE = """
INSERT INTO notices (id, office_id, channel, purpose, template, recipient, recipient_name, time_zone, sender_name,
    title, text, state, attempts, next_attempt_at, expires_at)
SELECT id, $2, 'email', 'service', 'order_ready', 'client@mail.example', 'Мария', 'Europe/Moscow', 'Офис', 'Заказ',
    'Готов', 'queued', 0, now(), now() + interval '1 day'
FROM unnest($1::uuid[]) AS id
"""
OUTCOMES = "SELECT state, count(*) FROM notices GROUP BY state"


async def run(run: Run) -> Verdict:
    """Each letter in state sent was accepted once; one of unknown outcome is `unknown` and stays so."""
    async with sender(run, "F12") as (world, mail, history):
        schedule, verdict = run.random(), Verdict()
        count = run.scale(20, 2000)
        kinds = ["250 OK"] * 2 + ["451 busy", "550 no such box", "drop"]
        mail.answers = [*kinds, *(schedule.choice(kinds) for _ in range(count))]
        answers = list(mail.answers)
        await queue(world, count)
        points = [BEFORE, AFTER] * run.scale(1, 25)
        schedule.shuffle(points)
        for point in points:
            history.write("fault", what="kill at a point", point=point)
            await world.kill("notifier")
            await world.restart("notifier", crash_at=f"{point}:{schedule.randint(1, 3)}")
            await queue(world, 3)
            await hurry_until(world, died=True)
        await world.restart("notifier")
        await hurry_until(world, died=False)
        await check_letters(world, verdict, mail)
        states = dict(await world.rows("notifier", OUTCOMES))
        verdict.figures |= {"states": states, "kills": len(points)}
        lost_count = verdict.figures["letters"] - sum(states.get(state, 0) for state in ("sent", "failed", "unknown"))
        verdict.require(lost_count == 0, f"{lost_count} letters have another end")
        refused, dropped = answers.count("550 no such box"), answers.count("drop")
        verdict.require(states.get("failed", 0) <= refused, f"{states.get('failed')} failed, {refused} were refused")
        possible = dropped + 2 * len(points)  # Each is killed first with a letter on the wire, then at its point.
        verdict.require(states.get("unknown", 0) <= possible, f"{states.get('unknown')} unknown, at most {possible}")
        lost = len(points) - points.count(BEFORE)
        verdict.require(states.get("unknown", 0) >= lost, "a letter lost on the wire is not called unknown")
        return verdict


@asynccontextmanager
async def sender(
    run: Run, name: str, bugs: str = "", settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[World, MailServer, History]]:
    """Only `notifier`, and the mail server of the harness."""
    history = History(run.histories / f"{name}-{run.seed}.jsonl")
    with mail_server() as mail:
        usual = {
            "REGLAMENT_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
            "REGLAMENT_SENDING_LEASE_SECONDS": "5",
            "REGLAMENT_SEND_TIMEOUT_SECONDS": "4",
        }
        async with new_world(run.servers, "notifier", settings=usual | dict(settings or {})) as world:
            await world.start("notifier", bugs=bugs)
            await world.ready()
            yield world, mail, history
    history.close()


async def queue(world: World, count: int) -> list[UUID]:
    connection = await asyncpg.connect(world.databases["notifier"].admin, timeout=10)
    try:
        ids = [new_id() for _ in range(count)]
        await connection.execute(QUEUE, ids, new_id())
        await connection.execute("NOTIFY notifier_notices")
        return ids
    finally:
        await connection.close()


async def hurry_until(world: World, *, died: bool) -> None:
    """Make postponed letters due now, until the process has died or nothing is left to send."""

    async def over() -> bool:
        await world.rows("notifier", "UPDATE notices SET next_attempt_at = now() WHERE state = 'queued'")
        await world.rows("notifier", "NOTIFY notifier_notices")
        if died:
            return world.members["notifier"].process.killed
        left = "SELECT count(*) FROM notices WHERE state IN ('queued', 'sending')"
        return await world.count("notifier", left) == 0

    await until(over, "the process dies" if died else "every letter has its outcome", TIMEOUT_SECONDS)
