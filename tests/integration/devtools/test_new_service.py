"""`./reglament new-service` in a copy of the checkout: what it writes runs, is clean, and stands in every list."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from devtools.quality import CHECKS
from devtools.supervisor.processes import free_port
from devtools.testing.databases import scratch_database
from devtools.testing.infrastructure import (
    BROKER_VARIABLE,
    DATABASE_VARIABLE,
    MANAGEMENT_VARIABLE,
    Infrastructure,
    isolated_virtual_host,
)
from tests.support import ROOT

NAME = "fleet"
PYTHON = (sys.executable, "-m")
OWN_CODE = (
    f"services/{NAME}",
    f"shared/contracts/{NAME}.py",
    f"tests/contracts/examples/{NAME}.py",
    f"tests/integration/{NAME}",
    f"tests/system/extra_{NAME}_operations.py",
    f"tests/unit/{NAME}",
)
LISTS_OF_SERVICES = (
    "tests/unit/kernel/test_registry.py",
    "tests/deployment/test_containers.py",
    "tests/deployment/test_kubernetes.py",
)
"""Tests that compare the lists with each other."""
START_SECONDS = 60.0


def clean_environment(checkout: Path) -> dict[str, str]:
    """Return the environment without that of this pytest; bytecode is kept, or each command would compile anew."""
    unwanted = ("PYTEST_", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {**inherited, "PYTHONPYCACHEPREFIX": str(checkout / ".reglament" / "bytecode")}


def run(checkout: Path, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a command in the copy and show its output when it fails."""
    done = subprocess.run(
        command,
        cwd=checkout,
        env={**clean_environment(checkout), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of this checkout, uncommitted work included, with the new service in it."""
    copy = tmp_path_factory.mktemp("checkout")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    run(copy, [*PYTHON, "devtools", "new-service", NAME, "--title", "Автопарк", "--about", "cars of an office"])
    yield copy
    shutil.rmtree(copy)


def test_its_code_is_clean(checkout: Path) -> None:
    run(checkout, [*PYTHON, "ruff", "format", "--check", *OWN_CODE])
    run(checkout, [*PYTHON, "ruff", "check", *OWN_CODE])
    run(checkout, CHECKS["imports"])
    run(checkout, CHECKS["spelling"])
    run(checkout, [*PYTHON, "mypy", "--no-error-summary", *OWN_CODE])


def test_it_stands_in_every_list_and_document(checkout: Path) -> None:
    run(checkout, [*PYTHON, "devtools", "openapi", "--check"])
    run(checkout, [*PYTHON, "pytest", "-q", "-n", "0", *LISTS_OF_SERVICES])
    for page in ("README.md", "docs/architecture.md", "docs/events.md", "docs/guides/api.md", "docs/index.md"):
        assert NAME in (checkout / page).read_text(), page


def test_its_own_tests_pass(checkout: Path, infrastructure: Infrastructure) -> None:
    servers = {
        DATABASE_VARIABLE: infrastructure.database_url,
        BROKER_VARIABLE: infrastructure.amqp_url,
        MANAGEMENT_VARIABLE: infrastructure.management_url,
    }
    consumers = (
        f"tests/integration/contracts/test_consumers.py::test_every_golden_message_is_applied_by_every_consumer[{NAME}]"
    )
    run(
        checkout,
        [*PYTHON, "pytest", "-q", "-n", "0", f"tests/unit/{NAME}", f"tests/integration/{NAME}", consumers],
        servers,
    )


async def test_it_migrates_starts_and_stops(checkout: Path, infrastructure: Infrastructure) -> None:
    async with scratch_database(infrastructure.database_url, NAME, "new") as urls:
        with isolated_virtual_host(infrastructure, "new_service") as own:
            environment = {**urls.environment(), "REGLAMENT_AMQP_URL": own.amqp_url}
            await asyncio.to_thread(run, checkout, [*PYTHON, "services", "migrate", NAME], environment)
            port = free_port()
            process = await asyncio.create_subprocess_exec(
                *(*PYTHON, "services", "serve", NAME, "--port", str(port)),
                cwd=checkout,
                env={**clean_environment(checkout), **environment},
            )
            try:
                await _check_it_answers(f"http://127.0.0.1:{port}/api/{NAME}")
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), START_SECONDS) == -signal.SIGTERM, "uvicorn ends by it"
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()


async def _check_it_answers(url: str) -> None:
    """Wait until database, schema and queues are there, then look at what the service offers."""
    async with httpx.AsyncClient(trust_env=False) as http:
        async with asyncio.timeout(START_SECONDS):
            for path in ("/health/ready", "/health/consumers"):
                while not await _is_ok(http, url + path):  # noqa: ASYNC110 (polls the running service)
                    await asyncio.sleep(0.1)
        document = (await http.get(f"{url}/openapi.json")).json()
        refused = await http.post(f"{url}/entries", json={"title": "Запись"})
    assert document["info"]["title"] == "Регламент: Автопарк"
    assert {"/entries", "/entries/{entry_id}"} <= set(document["paths"])
    assert refused.status_code == 401


async def _is_ok(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.TransportError:
        return False
