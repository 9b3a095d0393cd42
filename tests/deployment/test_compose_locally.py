"""Every container, run without Docker: its command, its environment, its health check, its part of the code.

Only addresses are rewritten: from the names of containers to 127.0.0.1 and the run's own servers and ports. Each runs
in a copy of what its image would hold, so an import of another service, or a forgotten variable, fails here.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from devtools.supervisor.processes import GuardedProcess, accepts_connections, free_port, wait_until
from devtools.testing.infrastructure import Infrastructure
from shared.base.settings import SERVICES
from tests.deployment.compose import containers, env_file
from tests.deployment.supervisor import eventually
from tests.support import ROOT

BIN = str(Path(sys.executable).parent)
pytestmark = pytest.mark.timeout(400)


@dataclass(slots=True)
class Local:
    """The compose file's world on this machine."""

    infrastructure: Infrastructure
    containers: dict[str, Any]
    ports: dict[str, int]
    """The local port of each container's own port."""
    directory: Path

    def rewrite(self, text: str) -> str:
        """Rewrite addresses; databases and roles get the run's prefix, because their names are shared on the server."""
        database = urlsplit(self.infrastructure.database_url)
        broker = urlsplit(self.infrastructure.amqp_url)
        management = urlsplit(self.infrastructure.management_url)
        if "@postgres:5432" in text:
            text = text.replace("reglament_", f"{self.infrastructure.prefix}_")
            text = text.replace("postgres:demo-postgres@postgres:5432", database.netloc)
            text = text.replace("@postgres:5432", f"@{database.netloc.rpartition('@')[2]}")
        text = text.replace("reglament:demo-rabbitmq@rabbitmq:5672/", f"{broker.netloc}{broker.path}")
        text = text.replace("reglament:demo-rabbitmq@rabbitmq:15672", management.netloc)
        for name, port in self.ports.items():
            own = "8026" if name == "sms" else "1025" if name == "mailpit" else "8000"
            text = text.replace(f"//{name}:{own}", f"//127.0.0.1:{port}")
        return text

    def environment(self, name: str) -> dict[str, str]:
        """Return the container's own variables, without those of this process."""
        declared = self.containers[name].get("environment", {})
        image = {"PATH": f"{BIN}:/usr/bin:/bin", "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8"}
        return image | {key: self.rewrite(str(value)) for key, value in declared.items()}

    def command(self, name: str) -> list[str]:
        command = [str(part) for part in self.containers[name]["command"]]
        own = {"0.0.0.0": "127.0.0.1"}
        if name in self.ports:
            own |= {"8000": str(self.ports[name]), "8026": str(self.ports[name])}
        return [own.get(part, part) for part in command]

    def process(self, name: str) -> GuardedProcess:
        image = self.containers[name]["image"]
        return GuardedProcess(
            name,
            self.command(name),
            log=self.directory / f"{name}.log",
            environment=self.environment(name),
            directory=self.directory / image,
            grace=30,
        )

    def healthy(self, name: str) -> bool:
        """Run the container's health check."""
        kind, *check = self.containers[name]["healthcheck"]["test"]
        assert kind == "CMD"
        own = "8026" if name == "sms" else "8000"
        check = [part.replace(own, str(self.ports[name])) for part in check]
        environment = {"PATH": f"{BIN}:/usr/bin:/bin"}
        return subprocess.run(check, env=environment, capture_output=True, check=False).returncode == 0


def _build_image(directory: Path, service: str) -> None:
    """Copy what the Dockerfile copies for that service."""
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "shared", directory / "shared", ignore=unwanted)
    (directory / "services").mkdir()
    for name in ("__init__.py", "__main__.py", "serving.py"):
        shutil.copy(ROOT / "services" / name, directory / "services" / name)
    shutil.copytree(ROOT / "services" / service, directory / "services" / service, ignore=unwanted)


def _build_simulator(directory: Path) -> None:
    shutil.copytree(ROOT / "simulators", directory / "simulators", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture(scope="module")
def local(infrastructure: Infrastructure, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    directory = tmp_path_factory.mktemp("containers")
    for service in SERVICES:
        _build_image(directory / f"reglament-{service}", service)
    _build_simulator(directory / "reglament-sms-simulator")
    ports = {name: free_port() for name in [*SERVICES, "sms", "mailpit", "proxy"]}
    yield Local(infrastructure, containers(env_file(ROOT / "deploy" / "demo.env")), ports, directory)


def _run_once(local: Local, name: str) -> None:
    done = subprocess.run(
        local.command(name),
        cwd=local.directory / local.containers[name]["image"],
        env=local.environment(name),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{name}: {done.stderr[-3000:]}"


def test_every_container_starts_and_gets_healthy(local: Local) -> None:
    """In the order of `depends_on`: provision, migrations, services, proxy."""
    started: dict[str, GuardedProcess] = {}
    with ExitStack() as stack:
        for name in local.containers:
            if name == "provision" or name.startswith("migrate-"):
                # One-shot containers may run again after a failure, so each is run twice.
                _run_once(local, name)
                _run_once(local, name)
        for name in [*SERVICES, "sms"]:
            started[name] = local.process(name)
            stack.callback(started[name].stop)
            started[name].start()
        for name, process in started.items():
            wait_until(partial(local.healthy, name), process, seconds=120, interval=0.5)

        _everything_through_one_origin(local, stack)

        os.kill(_pid(started["orders"]), 15)
        assert eventually(lambda: not started["orders"].running, 40), "SIGTERM ends a container in time"
        assert not local.healthy("orders"), "the check notices a service that is gone"


def _pid(process: GuardedProcess) -> int:
    assert process.pid is not None
    return process.pid


def _everything_through_one_origin(local: Local, stack: ExitStack) -> None:
    """Run Debian's Caddy with the file that the proxy's container gets."""
    caddy = shutil.which("caddy")
    if caddy is None:
        return
    port = local.ports["proxy"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(local.directory)}
    environment |= {name: str(value) for name, value in local.containers["proxy"]["environment"].items()}
    environment["REGLAMENT_SITE"] = f"http://127.0.0.1:{port}"
    environment |= {f"REGLAMENT_{name.upper()}_UPSTREAM": f"127.0.0.1:{local.ports[name]}" for name in SERVICES}
    proxy = GuardedProcess(
        "proxy",
        [caddy, "run", "--config", str(ROOT / "deploy" / "Caddyfile"), "--adapter", "caddyfile"],
        log=local.directory / "proxy.log",
        environment=environment,
        grace=5,
    )
    stack.callback(proxy.stop)
    proxy.start()
    wait_until(lambda: accepts_connections(port), proxy, seconds=20)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
        for service in SERVICES:
            document = client.get(f"/api/{service}/openapi.json")
            assert document.status_code == 200, service
            assert document.json()["paths"]
            assert client.get(f"/api/{service}/metrics").status_code == 404, "metrics are not published"
            assert client.get(f"/api/{service}/health/ready").status_code == 404
        assert client.get("/health/live").text == "ok"
