"""F1: an office at work while its services, its broker and its database die; F2: while the broker loses its disk."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import httpx

from devtools.supervisor.processes import free_port
from simulators.sms.gateways import RunningSmsSimulator, running_sms_simulator
from tests.faults.checker import Verdict
from tests.faults.history import History
from tests.faults.mail import MailServer, mail_server
from tests.faults.office import SETTINGS, Office
from tests.faults.office_checker import check_office, check_sms
from tests.faults.scenarios.base import DEFAULT_CHECKS, Run
from tests.faults.scenarios.sms import AT_ANY_HOUR
from tests.faults.world import World, new_world, until

SERVICES = ("control", "clients", "orders", "billing", "notifier")
PEOPLE = "people"
"""Control and clients in one process."""


async def run(run: Run) -> Verdict:
    """Services are killed; broker and database are killed or stopped in order."""
    faults = ["service"] * run.pick(1, 20) + ["broker"] * run.pick(1, 5) + ["database"] * run.pick(1, 3)
    return await serve_among(run, "F1", faults, orders=run.scale(5, 10_000))


async def run_wiped(run: Run) -> Verdict:
    """The broker's data is wiped twice, with whatever it holds at that moment."""
    return await serve_among(run, "F2-office", ["wiped broker"] * 2, orders=run.scale(5, 500))


async def serve_among(run: Run, name: str, faults: list[str], *, orders: int) -> Verdict:
    """Orders from the card to the issue of the goods; after the last one everything is counted."""
    history = History(run.histories / f"{name}-{run.seed}.jsonl")
    history.write("run", scenario=name, seed=run.seed, full=run.full)
    schedule = run.random()
    schedule.shuffle(faults)
    async with working_office(run, history) as at_work:
        world, office = at_work.world, at_work.office
        expected = orders * 9
        moments = sorted(schedule.sample(range(expected // 10, expected * 9 // 10), len(faults)))
        already = history.acknowledged
        numbers = iter(range(1, orders + 1))

        async def work() -> None:
            for number in numbers:
                await office.serve(number)

        async with asyncio.TaskGroup() as group:
            for _ in range(run.pick(4, 28)):
                group.create_task(work())
            for fault, moment in zip(faults, moments, strict=True):

                async def reached(moment: int = moment) -> bool:
                    return history.acknowledged - already >= moment

                await until(reached, f"{moment} commands", run.pick(600, 3_600))
                kill = schedule.random() < 0.7
                victim = schedule.choice(["orders", "billing", "notifier", PEOPLE])
                history.write("fault", what=fault, kill=kill, process=victim if fault == "service" else "")
                if fault == "service":
                    await world.kill(victim)
                    await world.restart(victim)
                elif fault == "broker":
                    await world.restart_broker(kill=kill)
                elif fault == "wiped broker":
                    await world.wipe_broker()
                else:
                    await world.restart_database(kill=kill)
        verdict = await check_office(world, history, at_work.mail, orders, time.monotonic())
        await check_sms(world, verdict, at_work.sms, orders)
        verdict.figures["faults"] = len(faults)
    history.close()
    return verdict


@dataclass(frozen=True, slots=True)
class AtWork:
    world: World
    office: Office
    mail: MailServer
    sms: RunningSmsSimulator


@asynccontextmanager
async def working_office(run: Run, history: History) -> AsyncIterator[AtWork]:
    """Prepare everything that an office needs, mail server and SMS gateway included; no service is started yet."""
    port = free_port()
    with mail_server() as mail:
        async with running_sms_simulator(balance=Decimal(1_000_000)) as sms:
            settings = _settings(run, port, mail, sms)
            async with new_world(run.servers, *SERVICES, settings=settings) as world:
                await world.start("control", "clients", name=PEOPLE, port=port)
                for service in ("orders", "billing", "notifier"):
                    await world.start(service)
                await world.ready()
                await world.rows("notifier", AT_ANY_HOUR)  # A thousand orders are more than an office's SMS of a day.
                async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
                    office = Office(world, history, http, run.seed, again_seconds=run.pick(0.1, 1.0))
                    await office.open()
                    yield AtWork(world, office, mail, sms)


def _settings(run: Run, port: int, mail: MailServer, sms: RunningSmsSimulator) -> dict[str, str]:
    settings = SETTINGS | {
        "REGLAMENT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "REGLAMENT_CONTROL_URL": f"http://127.0.0.1:{port}/api/control",
        "REGLAMENT_CLIENTS_URL": f"http://127.0.0.1:{port}/api/clients",
        "REGLAMENT_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
        "REGLAMENT_SMS_URL": sms.http_url.replace("http://", "smsc+http://demo:demo@"),
        "REGLAMENT_SENDING_LEASE_SECONDS": "6",
        "REGLAMENT_SEND_TIMEOUT_SECONDS": "4",
    }
    return settings | (DEFAULT_CHECKS if run.full else {})
