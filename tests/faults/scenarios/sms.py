"""F12 for SMS: gateways that refuse, fall silent and hang up, receipts twice and out of order, senders that die."""

import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from services.notifier.delivery.commands.limits import sms_parts
from shared.persistence.database import new_id
from simulators.sms.gateways import RunningSmsSimulator, running_sms_simulator
from tests.faults.checker import Verdict
from tests.faults.gateways import LINE_FAULTS, SMPP_FAULTS, FaultyOperator, faulty_operator, faulty_proxy
from tests.faults.history import History
from tests.faults.scenarios.base import Run
from tests.faults.world import World, new_world, until

SENDERS = ("sender-1", "sender-2")
POINTS = ("notice.before_sending", "notice.after_sending")
SEND_SECONDS, LATE_SECONDS, LEASE_SECONDS = 1.6, 1.2, 3.0
"""Each of two gateways gets half of the first number, which is less than the second."""
SETTINGS = {
    "REGLAMENT_SEND_TIMEOUT_SECONDS": str(SEND_SECONDS),
    "REGLAMENT_SENDING_LEASE_SECONDS": str(LEASE_SECONDS),
    "REGLAMENT_SMS_POLL_SECONDS": "0.5",
    "REGLAMENT_CALENDAR_DUTIES": "false",
}
TIMEOUT_SECONDS = 600.0
SEED_DATA = """
WITH calendar AS (INSERT INTO calendars (digest, body) VALUES ('of the harness', '{}') RETURNING digest)
INSERT INTO offices (office_id, version, name, city, address, time_zone, phones, email, calendar, calendar_digest,
    active)
SELECT $1, 1, 'Офис', 'Нижний Тагил', 'пр. Мира, 45', 'Asia/Yekaterinburg', '[]', 'o@prodetal.example', '{}', digest,
    true
FROM calendar
"""
AT_ANY_HOUR = "UPDATE delivery_policies SET quiet_hours = false, sms_daily_limit = NULL, sms_number_limit = NULL"
QUEUE = """
INSERT INTO notices (id, office_id, channel, purpose, template, recipient, recipient_name, time_zone, sender_name,
    title, text, state, attempts, next_attempt_at, expires_at)
SELECT n.id, $1, 'sms', 'service', 'order_ready_sms', n.phone, 'Мария', 'Asia/Yekaterinburg', 'Офис', 'Заказ', n.text,
    'queued', 0, now(), now() + interval '1 day'
FROM unnest($2::uuid[], $3::text[], $4::text[]) AS n(id, phone, text)
"""
NOTICES = "SELECT id, recipient, text, state, gateway, provider_id, parts FROM notices"
GOOD = "Заказ 15 готов"
LONG = "Заказ 15 готов к выдаче, ждём вас по адресу пр. Мира, 45. " * 3
REFUSALS = ("400", "429", "503")
"""Answers that say for sure that the message was not accepted."""
BAD_ENDS = ("9103", "9120", "9125")
"""Last digits of phones that end as «expired» and «undeliverable» in the simulator."""


async def run(run: Run) -> Verdict:
    """No SMS is accepted twice by both gateways together; each reaches its final state where it can be asked for."""
    schedule, verdict = run.random(), Verdict()
    async with running_sms_simulator() as gateway:
        planned_faults = [*LINE_FAULTS, *schedule.choices(["ok", *LINE_FAULTS], k=run.scale(10, 900))]
        schedule.shuffle(planned_faults)
        async with faulty_proxy(gateway.http_url, LATE_SECONDS, planned_faults) as line:
            urls = {
                "REGLAMENT_SMS_URL": f"smsc+http://demo:demo@127.0.0.1:{line.port}",
                "REGLAMENT_SMS_FALLBACK_URL": f"smsru+http://demo@127.0.0.1:{line.port}",
            }
            async with senders(run, "F12-sms", urls) as desk:
                ends = [*BAD_ENDS, "9007", *schedule.choices([*BAD_ENDS, "9007"], k=run.scale(0, 60))]
                phones = [f"+7912{number:03}{end}" for number, end in enumerate(ends)]
                await desk.queue([*phones, *desk.plain_phones(run.scale(16, 1_500))])
                await desk.die(schedule, run.scale(1, 20))
                await desk.hurry()
                verdict.figures["moods of the gateways"] = len(planned_faults) - len(line.planned_faults)
                await check_taken(desk, gateway, verdict)
                receipts_sent = planned_faults[: len(planned_faults) - len(line.planned_faults)]
                check_unknown(
                    desk, verdict, sum(planned_fault not in ("ok", *REFUSALS) for planned_fault in receipts_sent)
                )
    return verdict


async def run_smpp(run: Run) -> Verdict:
    """No SMS is accepted twice; receipts of all parts lead to the same state in any order."""
    schedule, verdict = run.random(), Verdict()
    planned_faults = [*SMPP_FAULTS, *schedule.choices(["ok", *SMPP_FAULTS], k=run.scale(6, 900))]
    schedule.shuffle(planned_faults)
    async with (
        faulty_operator(planned_faults, random_receipts(schedule)) as operator,
        senders(run, "F12-smpp", smpp(operator)) as desk,
    ):
        await desk.queue(desk.plain_phones(run.scale(12, 1_000)))
        await desk.queue(desk.plain_phones(run.scale(8, 500)), LONG)
        for number in range(run.scale(5, 500)):
            operator.send_receipt_until_acknowledged(f"nobody-{number}", "DELIVRD")
        await desk.die(schedule, run.scale(1, 20))
        await desk.hurry()
        await wait_for_receipts(operator)
        await check_receipts(desk, operator, verdict)
        receipts_sent = planned_faults[: len(planned_faults) - len(operator.planned_faults)]
        # A part refused after another was accepted makes the whole SMS unknown.
        check_unknown(desk, verdict, sum(planned_fault != "ok" for planned_fault in receipts_sent))
    return verdict


def smpp(operator: FaultyOperator) -> dict[str, str]:
    return {"REGLAMENT_SMS_URL": f"smpp://test:secret@127.0.0.1:{operator.port}"}


def random_receipts(schedule: random.Random) -> Callable[[str], list[str]]:
    """Return an operator's receipts of one part: its final state, perhaps twice, with interim states around it."""

    def receipts_for(_phone: str) -> list[str]:
        end = schedule.choice(["DELIVRD", "DELIVRD", "DELIVRD", "UNDELIV", "EXPIRED"])
        receipts_sent = [end, *schedule.choices(["ENROUTE", "ACCEPTD", end], k=2)]
        schedule.shuffle(receipts_sent)
        return receipts_sent

    return receipts_for


async def wait_for_receipts(operator: FaultyOperator) -> None:
    async def all_acknowledged() -> bool:
        return operator.unacknowledged_receipts == 0

    await until(all_acknowledged, "every receipt is acknowledged", TIMEOUT_SECONDS)


class Desk:
    """Notifiers that send, and the SMS that they have to send."""

    def __init__(self, world: World, history: History) -> None:
        self.world, self.history = world, history
        self._office_id = new_id()
        self._numbers = itertools.count(1_000)

    async def open(self) -> None:
        await self.world.rows("notifier", SEED_DATA, self._office_id)
        await self.world.rows("notifier", AT_ANY_HOUR)

    def plain_phones(self, count: int) -> list[str]:
        """Return new numbers without a special effect in the simulator."""
        return [f"+7922{number:06}1" for number in itertools.islice(self._numbers, count)]

    async def queue(self, phones: list[str], text: str = GOOD) -> None:
        """Queue one SMS for each phone, which identifies it."""
        connection = await asyncpg.connect(self.world.databases["notifier"].admin, timeout=10)
        try:
            ids = [new_id() for _ in phones]
            await connection.execute(QUEUE, self._office_id, ids, phones, [f"{text} {phone}" for phone in phones])
            await connection.execute("NOTIFY notifier_notices")
        finally:
            await connection.close()
        for notice_id, phone in zip(ids, phones, strict=True):
            self.history.write("queued", id=notice_id, phone=phone)

    async def die(self, schedule: random.Random, times: int) -> None:
        """Let one sender after the other die before and after sending."""
        plan = [*POINTS] * times
        schedule.shuffle(plan)
        for number, point in enumerate(plan):
            name = SENDERS[number % len(SENDERS)]
            self.history.write("fault", what="kill at a point", process=name, point=point)
            await self.world.kill(name)
            await self.world.restart(name, crash_at=f"{point}:{schedule.randint(1, 2)}")
            await self.queue(self.plain_phones(3))
            await self.hurry(name)
            await self.world.restart(name)

    async def hurry(self, dying: str = "") -> None:
        """Make postponed SMS due now, until that process has died or nothing is left to send or to ask for."""

        async def over() -> bool:
            await self.world.rows("notifier", "UPDATE notices SET next_attempt_at = now() WHERE state = 'queued'")
            await self.world.rows("notifier", "NOTIFY notifier_notices")
            if dying:
                if await self.world.count("notifier", "SELECT count(*) FROM notices WHERE state = 'queued'") == 0:
                    await self.queue(self.plain_phones(2))
                return self.world.members[dying].process.killed
            left = "SELECT count(*) FROM notices WHERE state IN ('queued', 'sending')"
            return await self.world.count("notifier", left) == 0

        await until(over, f"{dying} dies" if dying else "every SMS has its outcome", TIMEOUT_SECONDS)


@asynccontextmanager
async def senders(
    run: Run, name: str, settings: Mapping[str, str], *, bugs: str = "", count: int = len(SENDERS)
) -> AsyncIterator[Desk]:
    """Start `count` notifiers and create an office."""
    history = History(run.histories / f"{name}-{run.seed}.jsonl")
    history.write("run", scenario=name, seed=run.seed, full=run.full)
    async with new_world(run.servers, "notifier", settings=SETTINGS | dict(settings)) as world:
        for sender in SENDERS[:count]:
            await world.start("notifier", name=sender, bugs=bugs)
        await world.ready()
        desk = Desk(world, history)
        await desk.open()
        yield desk
    history.close()


def end_of(receipts_sent: Iterable[Iterable[str]]) -> str:
    """Return the state that all receipts lead to: a delivered part is final, a message has its worst part's state."""
    words = (("DELIVRD", "delivered"), ("UNDELIV", "failed"), ("EXPIRED", "expired"))
    ends = {next((end for word, end in words if word in of_part), "sent") for of_part in receipts_sent}
    return next(end for end in ("failed", "expired", "sent", "delivered") if end in ends)


def check_unknown(desk: Desk, verdict: Verdict, unclear: int) -> None:
    """Require at most as many unknown SMS as `unclear` answers plus SMS on the wire at a sender's death."""
    possible = unclear + 2 * len(list(desk.history.lines("fault")))
    unknown = verdict.figures["states"].get("unknown", 0)
    verdict.require(unknown <= possible, f"{unknown} unknown, at most {possible}")


async def check_taken(desk: Desk, gateway: RunningSmsSimulator, verdict: Verdict) -> None:
    """Require final states: SMSC.ru can be asked by our id, SMS.ru by the id that it gave."""
    taken = Counter(f"+{message.phone}" for message in gateway.messages)
    ours = {message.id for message in gateway.messages}
    verdict.require_none("SMS sent twice", [phone for phone, times in taken.items() if times > 1])

    async def settled() -> bool:
        return not await waiting_for_an_end()

    async def waiting_for_an_end() -> list[UUID]:
        rows = await desk.world.rows("notifier", NOTICES)
        return [row["id"] for row in rows if row["state"] in ("sent", "unknown") and row["provider_id"] in ours]

    try:
        await until(settled, "every SMS that can be asked for has its end", TIMEOUT_SECONDS)
    except TimeoutError:
        verdict.require_none("SMS whose end was not found out", await waiting_for_an_end())
    rows = await desk.world.rows("notifier", NOTICES)
    states = {row["recipient"]: row["state"] for row in rows}
    verdict.figures |= {"SMS": len(states), "states": dict(Counter(states.values()))}
    ends = {"sent", "delivered", "expired"}
    verdict.require_none(
        "SMS with an end, never taken", [x for x, state in states.items() if state in ends and not taken[x]]
    )
    undeliverable = [phone for phone in taken if phone.endswith(BAD_ENDS[1:])]
    failed = [phone for phone, state in states.items() if state == "failed" and phone not in undeliverable]
    verdict.require_none("SMS taken, called failed", [phone for phone in failed if taken[phone]])
    verdict.require_none("SMS called delivered that were not", [x for x in undeliverable if states[x] == "delivered"])


async def check_receipts(desk: Desk, operator: FaultyOperator, verdict: Verdict) -> None:
    rows = await desk.world.rows("notifier", NOTICES)
    taken, twice, unsaid, otherwise = operator.parts, [], [], []
    for row in rows:
        parts = taken.get(row["recipient"], [])
        expected = sms_parts(row["text"])
        if len(parts) > expected:
            twice.append(row["recipient"])
        if row["provider_id"] is None:
            # Its ids are unknown to us, so no receipt matches: it is unknown, or was refused by all gateways.
            if row["state"] not in ("unknown", "failed") or (row["state"] == "failed" and parts):
                unsaid.append(f"{row['recipient']}: {row['state']}")
        else:
            end = end_of([operator.receipts_sent[part] for part in parts])
            if row["state"] != end:
                otherwise.append(f"{row['recipient']}: {row['state']}, not {end}")
    verdict.require_none("SMS sent twice", twice)
    verdict.require_none("SMS of unknown outcome called otherwise", unsaid)
    verdict.require_none("SMS not in the state of its receipts", otherwise)
    states = Counter(row["state"] for row in rows)
    verdict.figures |= {"SMS": len(rows), "states": dict(states), "parts": sum(map(len, taken.values()))}
    verdict.figures["receipts"] = sum(map(len, operator.receipts_sent.values()))
