"""F8: engines that die under many due clocks, at random and at each of their points, while clients pause and close."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import aio_pika
import asyncpg
import httpx

from shared.contracts.billing import InvoicePaid
from shared.contracts.control import OfficeChanged, Requisites, StaffChanged
from shared.messaging.topology import EVENTS
from shared.persistence.database import new_id
from shared.vocabulary.worktime import ROUND_THE_CLOCK, WorkingCalendar
from tests.faults.checker import Verdict, check_connections, check_drained
from tests.faults.clock_checker import check_clocks
from tests.faults.head_office import HeadOffice, head_office
from tests.faults.history import History
from tests.faults.mail import MailServer, mail_server
from tests.faults.office_checker import check_letters
from tests.faults.scenarios.base import Run
from tests.faults.world import World, new_world, until

RULE = "BILL-06"
POINTS = ("clock.claimed", "clock.fired", "clock.committed")
RANDOM = "at random"
ENGINES = 3
TIMEOUT_SECONDS = 120.0
AT_ONCE = 24
"""Requests in flight at most; more would only queue."""
OPEN = """
INSERT INTO obligations (id, office_id, version, generation, duty, rule_id, rule_code, rule_version, clause, title,
    penalty_points, subject_kind, subject_id, client_id, calendar_digest, opened_at, soon_at, due_at, state, schedule,
    next_step, next_at)
SELECT n.id, o.office_id, 0, 1, r.body ->> 'duty', r.id, r.code, r.version, r.body ->> 'clause', r.body ->> 'title',
    1, 'invoice', n.invoice_id, n.invoice_id, o.calendar_digest, now(), n.first, n.due, 'open', n.schedule::jsonb,
    0, n.first
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::text[])
        AS n(id, invoice_id, first, due, schedule),
    offices o, (SELECT * FROM rules WHERE code = 'BILL-06' ORDER BY version DESC LIMIT 1) r
"""


@dataclass(frozen=True, slots=True)
class Clock:
    steps: tuple[datetime, ...]
    """Either the breach alone, or a warning, the breach and an escalation to head office."""
    fate: str = ""
    """pause, complete, paid, or nothing."""
    id: UUID = field(default_factory=new_id)
    invoice_id: UUID = field(default_factory=new_id)

    @property
    def due_at(self) -> datetime:
        return self.steps[len(self.steps) // 2]

    @property
    def schedule(self) -> str:
        ladder = (("warning", None), ("breach", None), ("escalation", "head_office"))
        parts = ladder if len(self.steps) > 1 else ladder[1:2]
        return json.dumps(
            [
                {"level": level, "kind": kind, "at": at.isoformat(), "role": role, "action": None}
                for level, ((kind, role), at) in enumerate(zip(parts, self.steps, strict=True), start=1)
            ]
        )


async def run(run: Run) -> Verdict:
    """Each step fires once, never early, never after a committed close; what stood still fires by its moved plan."""
    verdict, schedule = Verdict(), run.random()
    plan = list(POINTS) * run.scale(1, 50) + [RANDOM] * run.scale(1, 20)
    schedule.shuffle(plan)
    fates = ["pause"] * run.scale(50, 4_000) + ["complete", "paid"] * run.scale(30, 3_000)
    async with engines(run, "F8", 1) as office:
        window = run.scale(5, 300)
        await office.open(clocks(schedule, run.scale(800, 90_000), fates, window))
        async with asyncio.TaskGroup() as group:
            group.create_task(office.race())
            group.create_task(office.supply(schedule))
            async with asyncio.TaskGroup() as dying:
                for number in range(ENGINES):
                    dying.create_task(office.die(f"engine-{number + 1}", plan[number::ENGINES], schedule))
            office.supplied.set()
        await settled(office, run.pick(60, 600))
        await office.world.ready()
        await check_drained(office.world, verdict, timeout=run.pick(60, 600))
        await check(office, verdict)
        verdict.figures["kills"] = len(plan)
    return verdict


async def check(office: "Office", verdict: Verdict) -> None:
    await check_clocks(office.world, office.history, verdict)
    applied = {row[0] for row in await office.world.rows("notifier", "SELECT event_id FROM inbox")}
    sent = {UUID(line["event_id"]) for line in office.history.lines("published")}
    verdict.require_none("closing events lost", sent - applied)
    await check_letters(office.world, verdict, office.mail)
    await check_connections(office.world, verdict)


async def settled(office: "Office", seconds: float) -> None:
    """Wait until no clock has a next step and no event waits; on a timeout the checker reports what is missing."""
    published = [UUID(line["event_id"]) for line in office.history.lines("published")]
    applied = "SELECT count(*) FROM inbox WHERE event_id = ANY($1::uuid[])"
    running = "SELECT count(*) FROM obligations WHERE next_at IS NOT NULL"

    async def rest() -> bool:
        if await office.world.count("notifier", running):
            return False
        return await office.world.count("notifier", applied, published) == len(published)

    try:
        await until(rest, "every step has fired", seconds)
    except TimeoutError as error:
        office.history.write("unsettled", what=str(error))


def clocks(schedule: Random, plain: int, fates: Sequence[str], window: float) -> list[Clock]:
    """Plan deadlines over the next `window` seconds; those that clients will touch have three steps."""
    begin = datetime.now(UTC) + timedelta(seconds=1 + plain / 20_000)
    made = []
    for fate in ("",) * plain + tuple(fates):
        due = begin + timedelta(seconds=schedule.uniform(0, window))
        gap = timedelta(seconds=schedule.uniform(0.1, 0.6))
        made.append(Clock((due - gap, due, due + gap) if fate or schedule.random() < 0.2 else (due,), fate))
    return made


@dataclass(slots=True)
class Office:
    """Clocks of one office, and the clients that touch them."""

    world: World
    history: History
    mail: MailServer
    head: HeadOffice
    http: httpx.AsyncClient
    exchange: aio_pika.abc.AbstractExchange
    random: Random
    id: UUID = field(default_factory=new_id)
    touched: list[Clock] = field(default_factory=list)
    supplied: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when no engine needs further clocks to crash over."""
    _free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def establish(self) -> None:
        """Create the office, an employee of head office, and the rule by which the clocks run."""
        facts = {"office_id": self.id, "version": 1, "occurred_at": datetime.now(UTC)}
        of_day = WorkingCalendar.model_validate({"time_zone": "Asia/Yekaterinburg", "weekly": ROUND_THE_CLOCK})
        requisites = {"legal_name": "ООО «Мира»", "inn": "6623000000", "ogrn": "1000000000000"}
        requisites |= {"legal_address": "Нижний Тагил", "director_name": "Мирный М. М."}
        where = {"name": "ПроДеталь-Мира 45", "city": "Нижний Тагил", "address": "пр. Мира, 45"}
        where |= {"time_zone": "Asia/Yekaterinburg", "email": "mira@prodetal.example"}
        more = {"phones": ["+73435000000"], "requisites": Requisites(**requisites), "bank_accounts": [], "vat": []}
        await self.publish(OfficeChanged.model_validate({**facts, **where, **more, "calendar": of_day}))
        person = {"staff_id": new_id(), "full_name": "Орлова Елена Павловна", "role": "head_office", "active": True}
        person["email"] = "head.office@prodetal.example"
        await self.publish(StaffChanged.model_validate({**facts, **person, "office_id": None}))

        async def known() -> bool:
            people = "SELECT count(*) FROM staff"
            offices = "SELECT count(*) FROM offices"
            return bool(await self.world.count("notifier", people) and await self.world.count("notifier", offices))

        await until(known, "the office is known", TIMEOUT_SECONDS)
        url = f"{self.world.urls('notifier')[0]}/rules/{RULE}"
        found = await self.http.get(url, headers=self.head.headers)
        body = found.raise_for_status().json()["items"][-1]["rule"]
        body |= {"duration": {"amount": 2, "unit": "seconds"}, "pauses_for": ["client"], "by_hand": True}
        headers = self.head.headers | {"If-Match": found.headers["etag"]}
        (await self.http.put(url, json=body, headers=headers)).raise_for_status()

    async def publish(self, event: OfficeChanged | StaffChanged | InvoicePaid) -> UUID:
        """Publish an event like its service's relay; the broker has confirmed it on return."""
        event_id = new_id()
        message = aio_pika.Message(
            event.model_dump_json().encode(),
            message_id=str(event_id),
            type=event.type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            headers={"cloudEvents:type": event.type},
        )
        await self.exchange.publish(message, routing_key=event.type)
        return event_id

    async def open(self, made: Sequence[Clock]) -> None:
        """Record the clocks, then insert them: a recorded clock that is in no database was lost."""
        for clock in made:
            self.history.write("clock", id=clock.id, steps=[step.isoformat() for step in clock.steps], fate=clock.fate)
        self.touched += [clock for clock in made if clock.fate]
        connection = await asyncpg.connect(self.world.databases["notifier"].admin, timeout=10)
        try:
            for start in range(0, len(made), 5_000):
                part = made[start : start + 5_000]
                columns = (
                    [clock.id for clock in part],
                    [clock.invoice_id for clock in part],
                    [clock.steps[0] for clock in part],
                    [clock.due_at for clock in part],
                    [clock.schedule for clock in part],
                )
                await connection.execute(OPEN, *columns)
            await connection.execute("ANALYZE obligations")
            await connection.execute("NOTIFY notifier_clock")
        finally:
            await connection.close()

    async def supply(self, schedule: Random) -> None:
        """Add clocks until the engine that is to die at a point gets there."""
        while not self.supplied.is_set():
            await self.open(clocks(schedule, 10, (), 0.2))
            await asyncio.sleep(0.3)

    async def die(self, name: str, plan: Sequence[str], schedule: Random) -> None:
        """Let one process after the other die as planned; the last one lives."""
        for point in plan:
            self.history.write("fault", what="kill", process=name, point=point)
            if point == RANDOM:
                await self._anew(name)
                await asyncio.sleep(schedule.uniform(0.5, 3))
            else:
                await self._anew(name, crash_at=f"{point}:{schedule.randint(1, 3)}")
                await self.world.died(name, TIMEOUT_SECONDS)
        await self._anew(name)

    async def _anew(self, name: str, crash_at: str = "") -> None:
        if name in self.world.members:
            await self.world.kill(name)
        await self.world.start("notifier", name=name, crash_at=crash_at)

    # ── Clients ──

    async def race(self) -> None:
        """Pause, close or pay each planned clock within a few hundredths of a second of one of its steps."""
        async with asyncio.TaskGroup() as group:
            for clock in self.touched:
                meet = {"pause": self.pause, "complete": self.complete, "paid": self.pay}[clock.fate]
                moment = self.random.choice(clock.steps) + timedelta(seconds=self.random.gauss(0, 0.03))
                group.create_task(meet(clock, moment))

    async def pause(self, clock: Clock, moment: datetime) -> None:
        await _until(moment)
        await self._command(clock, "pause", "waiting", {"holder": "client", "reason": "Уточняем у клиента"})
        await asyncio.sleep(self.random.uniform(0.1, 1.0))
        await self._command(clock, "resume", "waiting", {"holder": "manager", "reason": "Клиент ответил"})

    async def complete(self, clock: Clock, moment: datetime) -> None:
        await _until(moment)
        await self._command(clock, "complete", "completion", {"comment": "Оплачено"})

    async def pay(self, clock: Clock, moment: datetime) -> None:
        await _until(moment)
        paid = {"office_id": self.id, "version": 1, "occurred_at": datetime.now(UTC), "invoice_id": clock.invoice_id}
        paid |= {"number": "15", "client_id": clock.invoice_id, "amount": "100.00"}
        self.history.write("published", id=clock.id, event_id=await self.publish(InvoicePaid.model_validate(paid)))

    async def _command(self, clock: Clock, command: str, path: str, body: dict[str, str]) -> None:
        """Repeat a command under one key, at any of the processes, until there is an answer."""
        key = {"Idempotency-Key": f"{clock.id} {command}"}
        async with self._free:
            sent_at = datetime.now(UTC)
            self.history.write("sent", id=clock.id, command=command)
            while datetime.now(UTC) - sent_at < timedelta(seconds=TIMEOUT_SECONDS):
                answer = await self._answer(f"{clock.id}/{path}", body, key)
                if answer is None:
                    await asyncio.sleep(self.random.uniform(0.02, 0.1))
                    continue
                if not answer.is_success:
                    self.history.write("refused", what=f"{command} of {clock.id}: {answer.status_code} {answer.text}")
                    return
                facts = {"sent_at": sent_at, "answered_at": datetime.now(UTC), "spans": answer.json()["spans"]}
                self.history.write("acknowledged", id=clock.id, command=command, **facts)
                return
            self.history.write("given_up", what=f"{command} of {clock.id}")

    async def _answer(self, path: str, body: dict[str, str], key: dict[str, str]) -> httpx.Response | None:
        """Send a request; None where the outcome is unknown or the server is unable to answer now."""
        url = f"{self.random.choice(self.world.urls('notifier'))}/obligations/{path}"
        try:
            answer = await self.http.post(url, json=body, headers=self.head.headers | key)
        except httpx.HTTPError as error:
            self.history.write("unanswered", path=path, error=type(error).__name__)
            return None
        if answer.is_server_error or "retry-after" in answer.headers:
            self.history.write("unanswered", path=path, error=answer.status_code)
            return None
        return answer


async def _until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


@asynccontextmanager
async def engines(run: Run, name: str, count: int, bugs: str = "") -> AsyncIterator[Office]:
    """Start `count` notifiers, each with its engine, named engine-1, engine-2 and so on."""
    history = History(run.histories / f"{name}-{run.seed}.jsonl")
    history.write("run", scenario=name, seed=run.seed, full=run.full)
    with mail_server() as mail:
        async with head_office() as head:
            settings = {"REGLAMENT_SMTP_URL": f"smtp://127.0.0.1:{mail.port}", "REGLAMENT_DIGEST_SECONDS": "1"}
            settings |= {"REGLAMENT_CALENDAR_DUTIES": "false", "REGLAMENT_SENDING_LEASE_SECONDS": "5"}
            # With a lease shorter than a batch takes on a loaded machine, one relay after the other loses it.
            settings |= {"REGLAMENT_SEND_TIMEOUT_SECONDS": "4", "REGLAMENT_RELAY_LEASE_SECONDS": "10"}
            async with new_world(run.servers, "notifier", settings=head.settings | settings) as world:
                for number in range(1, count + 1):
                    await world.start("notifier", name=f"engine-{number}", bugs=bugs)
                await world.ready()
                connection = await aio_pika.connect(world.amqp_url)
                limits = httpx.Limits(max_keepalive_connections=0)
                async with connection, httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as http:
                    exchange = await (await connection.channel()).get_exchange(EVENTS, ensure=False)
                    office = Office(world, history, mail, head, http, exchange, run.random())
                    await office.establish()
                    yield office
    history.close()
