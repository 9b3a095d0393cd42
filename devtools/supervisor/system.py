"""The whole system as children of this process: what `up` runs until it is stopped and `demo` while it plays."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from devtools.errors import OperatorError
from devtools.supervisor import environment as variables
from devtools.supervisor.gateway import gateway
from devtools.supervisor.packages import ensure_servers
from devtools.supervisor.postgres import PostgresServer
from devtools.supervisor.processes import (
    GuardedProcess,
    free_port,
    is_free,
    preferred_port,
    run_to_completion,
    stop_all,
    wait_until,
)
from devtools.supervisor.rabbitmq import RabbitServer
from devtools.supervisor.state import ROOT, DataDirectory, RunningSystem
from shared.base.settings import SERVICES

HOST = "127.0.0.1"
RABBITMQ_CONSOLE_PORT, MAILBOX_PORT = 15672, 8025
# A service answers its requests for at most 25 s, then ends its consumers and letters within 22.
SERVICE_GRACE_SECONDS = 60.0
START_SECONDS = 90.0

ReportProgress = Callable[[str], None]


@dataclass(slots=True)
class System:
    """What runs; `processes` are all children, `services` those of them that serve the product itself."""

    directory: DataDirectory
    state: RunningSystem
    processes: list[GuardedProcess]
    services: dict[str, GuardedProcess]
    port: int
    service_ports: Mapping[str, int]

    def is_ready(self) -> bool:
        return is_ready(self.port, self.service_ports)

    def refresh_state(self) -> None:
        """Process ids change when a service is started again."""
        pids = {name: process.pid for name, process in self.services.items()}
        self.state = replace(self.state, processes={name: pid for name, pid in pids.items() if pid is not None})
        self.directory.write_state(self.state)


@contextmanager
def running_system(
    directory: DataDirectory, *, port: int, separate: bool = False, fresh: bool = False, report_progress: ReportProgress
) -> Iterator[System]:
    """Start everything, yield it ready, stop it in reverse order.

    `separate` gives each service a process of its own, and a gateway in front of them. Raises OperatorError, with
    nothing left behind.
    """
    with ExitStack() as stack:
        stack.enter_context(directory.locked())
        directory.check_space()
        check_port(port)
        if fresh:
            start_empty(directory, report_progress)
        database, broker = launch_servers(directory, stack, report_progress, proxy=separate)
        ports = {name: free_port() for name in SERVICES} if separate else dict.fromkeys(SERVICES, port)
        environment = variables.complete_environment(
            server_urls(database, broker), directory.secret, host=HOST, port=port, service_ports=ports
        )
        helpers, mailbox_url = launch_mailbox_and_sms(directory, environment, stack)
        if database:
            database.wait_until_ready()
            report_progress("PostgreSQL is up")
        if not (database and is_prepared(directory, environment)):
            prepare_databases(directory, environment)
            if database:
                remember_prepared(directory, environment)
        report_progress("the databases are up to date")
        # The services need no broker to start, and need as long as it does: both start side by side.
        services, front = launch_services(directory, environment, stack, port=port, ports=ports)
        if broker:
            broker.wait_until_ready()
            report_progress("RabbitMQ is up")
        started = [*helpers, *services.values(), *front]
        wait_until(lambda: is_ready(port, ports), *started, seconds=START_SECONDS)
        servers = [server.process for server in (database, broker) if server and server.process]
        state = describe(environment, directory, mailbox_url, ports)
        system = System(directory, state, [*servers, *started], services, port, ports)
        stack.callback(directory.remove_state)
        system.refresh_state()
        yield system


def check_port(port: int) -> None:
    if is_free(port, HOST):
        return
    holders = [
        f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid
    ]
    raise OperatorError(f"port {port} is taken{''.join(holders[:1])}; choose another with --port")


def start_empty(directory: DataDirectory, report_progress: ReportProgress) -> None:
    """Only what is ours is ours to delete."""
    given = [name for name in (variables.SUPERUSER, variables.BROKER) if os.environ.get(name)]
    if given:
        raise OperatorError(f"--fresh empties private servers only; unset {' and '.join(given)} or drop its data there")
    report_progress(f"starting empty in {directory.path}")
    directory.wipe()


def launch_servers(
    directory: DataDirectory, stack: ExitStack, report_progress: ReportProgress, *, proxy: bool
) -> tuple[PostgresServer | None, RabbitServer | None]:
    """Private servers, unless their URLs are given."""
    private_database = not os.environ.get(variables.SUPERUSER)
    private_broker = not os.environ.get(variables.BROKER)
    ensure_servers(
        report_progress, directory.logs / "apt.log", database=private_database, broker=private_broker, proxy=proxy
    )
    database = broker = None
    if private_database:
        password = directory.secret("postgres")
        database = PostgresServer(directory.postgres, directory.logs / "postgres.log", durable=True, password=password)
        stack.callback(database.stop)
        database.start()
    if private_broker:
        broker = RabbitServer(
            directory.rabbitmq,
            directory.logs / "rabbitmq.log",
            durable=True,
            management_port=preferred_port(RABBITMQ_CONSOLE_PORT),
        )
        stack.callback(broker.stop)
        broker.start()
    return database, broker


def server_urls(database: PostgresServer | None, broker: RabbitServer | None) -> dict[str, str]:
    urls = {
        variables.SUPERUSER: database.url if database else os.environ[variables.SUPERUSER],
        variables.BROKER: broker.url if broker else os.environ[variables.BROKER],
    }
    if broker:
        urls[variables.BROKER_MANAGEMENT] = broker.management_url
    return urls


def launch_mailbox_and_sms(
    directory: DataDirectory, environment: Mapping[str, str], stack: ExitStack
) -> tuple[list[GuardedProcess], str | None]:
    """Start the demo's mail server and SMS gateway unless real ones are named; return the mail page's address."""
    helpers, mailbox_url = [], None
    if not os.environ.get("REGLAMENT_SMTP_URL"):
        smtp_port, http_port = urlsplit(environment["REGLAMENT_SMTP_URL"]).port, preferred_port(MAILBOX_PORT)
        mailbox_url = f"http://{HOST}:{http_port}"
        options = ["--smtp-port", str(smtp_port), "--http-port", str(http_port), "--directory", str(directory.mail)]
        helpers.append(module_process(directory, "mailbox", ["simulators.mailbox.server", *options], environment))
    if not os.environ.get("REGLAMENT_SMS_URL"):
        options = ["--http-port", str(urlsplit(environment["REGLAMENT_SMS_URL"]).port)]
        # With a sign of equality: one random password in 64 begins with a dash.
        options += [f"--{name}={environment[f'REGLAMENT_SMS_{name.upper()}']}" for name in ("login", "password")]
        helpers.append(module_process(directory, "sms", ["simulators.sms.gateways", *options], environment))
    stack.callback(stop_all, helpers)
    for helper in helpers:
        helper.start()
    return helpers, mailbox_url


def prepare_databases(directory: DataDirectory, environment: Mapping[str, str]) -> None:
    """Databases and roles by the superuser, then the migrations by each service's owner. Both may be repeated."""
    run_to_completion(module_process(directory, "provision", ["services", "provision"], environment))
    run_to_completion(
        module_process(directory, "migrate", ["services", "migrate"], variables.without_superuser(environment))
    )


def is_prepared(directory: DataDirectory, environment: Mapping[str, str]) -> bool:
    """Whether the private databases were prepared by exactly these migrations for exactly these roles."""
    stamp = prepared_stamp(directory)
    return stamp.exists() and stamp.read_text() == preparation(environment)


def remember_prepared(directory: DataDirectory, environment: Mapping[str, str]) -> None:
    prepared_stamp(directory).write_text(preparation(environment))


def prepared_stamp(directory: DataDirectory) -> Path:
    """Inside the cluster's directory, so that it goes where the data goes: away, to another place, into a backup."""
    return directory.postgres / "reglament-prepared"


def preparation(environment: Mapping[str, str]) -> str:
    """Return a hash of all that decides what the preparation does."""
    found = hashlib.sha256()
    for url in sorted(value for name, value in environment.items() if name.endswith("_DATABASE_URL")):
        parts = urlsplit(url)
        found.update(f"{parts.username}:{parts.password}{parts.path}\n".encode())
    for pattern in (
        "shared/persistence/provision.py",
        "shared/persistence/migrations/**/*",
        "services/*/migrations/**/*",
    ):
        for file in sorted(ROOT.glob(pattern)):
            if file.is_file() and "__pycache__" not in file.parts:
                found.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return found.hexdigest()


def launch_services(
    directory: DataDirectory, environment: Mapping[str, str], stack: ExitStack, *, port: int, ports: Mapping[str, int]
) -> tuple[dict[str, GuardedProcess], list[GuardedProcess]]:
    """One process for all that listens to the port itself, or one for each and a gateway that makes them one origin."""
    front = []
    if set(ports.values()) == {port}:
        arguments = ["services", "serve", "--host", HOST, "--port", str(port)]
        services = {
            "services": module_process(directory, "services", arguments, variables.without_superuser(environment))
        }
    else:
        services = {
            name: module_process(
                directory,
                name,
                ["services", "serve", name, "--host", HOST, "--port", str(service_port)],
                variables.for_service(name, environment),
            )
            for name, service_port in ports.items()
        }
        log = directory.logs / "gateway.log"
        front = [
            gateway(ports, host=HOST, port=port, directory=directory.gateway, log=log, grace=SERVICE_GRACE_SECONDS)
        ]
    # Together, for the gateway waits for the answers in hand, and a stream of events ends with its service.
    stack.callback(stop_all, [*front, *services.values()])
    for process in [*services.values(), *front]:
        process.start()
    return services, front


def module_process(
    directory: DataDirectory, name: str, arguments: list[str], environment: Mapping[str, str]
) -> GuardedProcess:
    return GuardedProcess(
        name,
        [sys.executable, "-m", *arguments],
        log=directory.logs / f"{name}.log",
        environment={**environment, "PYTHONUNBUFFERED": "1"},
        directory=ROOT,
        grace=SERVICE_GRACE_SECONDS,
    )


def is_ready(port: int, service_ports: Mapping[str, int]) -> bool:
    """Return whether the origin answers and every service has its database and its consumers."""
    checks = [
        f"{url}/health/{check}" for url in service_urls(service_ports).values() for check in ("ready", "consumers")
    ]
    with httpx.Client(timeout=5, trust_env=False) as client:
        try:
            return all(
                client.get(check).status_code == httpx.codes.OK
                for check in [f"http://{HOST}:{port}/health/live", *checks]
            )
        except httpx.HTTPError:
            return False


def service_urls(ports: Mapping[str, int]) -> dict[str, str]:
    """Where each service itself listens, for what the gateway does not publish: health and metrics."""
    return {name: f"http://{HOST}:{port}/api/{name}" for name, port in ports.items()}


def describe(
    environment: Mapping[str, str], directory: DataDirectory, mailbox_url: str | None, ports: Mapping[str, int]
) -> RunningSystem:
    return RunningSystem(
        pid=os.getpid(),
        url=environment["REGLAMENT_PUBLIC_URL"],
        mailbox_url=mailbox_url,
        sms_url=environment["REGLAMENT_SMS_URL"],
        management_url=environment.get(variables.BROKER_MANAGEMENT),
        head_office_login=environment["REGLAMENT_HEAD_OFFICE_LOGIN"],
        head_office_password=environment["REGLAMENT_HEAD_OFFICE_PASSWORD"],
        logs=str(directory.logs),
        processes={},
        service_urls=service_urls(ports),
        environment={name: value for name, value in environment.items() if name.startswith("REGLAMENT_")},
    )
