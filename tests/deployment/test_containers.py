"""The containers' files, as far as they can be checked without an engine (and test_compose_locally.py)."""

import ast
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from devtools.cli import write_secrets
from devtools.errors import OperatorError
from devtools.testing.infrastructure import POSTGRES_IMAGE, RABBITMQ_IMAGE
from services.serving import load
from shared.base.settings import SERVICES
from tests.deployment.compose import containers, env_file
from tests.support import ROOT

BIN = Path(sys.executable).parent
DEMO = ROOT / "deploy" / "demo.env"
# Used through another package or by the interpreter: no import names them.
IMPLIED = {"uvloop", "httptools", "python-multipart", "tzdata"}
# Copied into every image beside shared/.
COMMON_CODE = [ROOT / "services" / name for name in ("__init__.py", "__main__.py", "serving.py")]


def _declared(directory: Path) -> list[str]:
    requirements: list[str] = tomllib.loads((directory / "pyproject.toml").read_text())["project"]["dependencies"]
    return requirements


def _name(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    assert match is not None
    return match[0].lower()


def _imported(files: Iterable[Path]) -> set[str]:
    """Return the distributions whose modules are imported."""
    modules: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules.add(node.module.partition(".")[0])
    distributions = packages_distributions()
    ours = {"shared", "services"}
    outside = modules - set(sys.stdlib_module_names) - ours
    return {distributions[module][0].lower().replace("_", "-") for module in outside}


def _shared_code() -> list[Path]:
    return [*(ROOT / "shared").rglob("*.py"), *COMMON_CODE]


# They come with FastAPI and Pydantic, which decide their versions; declaring them as well would say it twice.
BROUGHT = {"starlette", "pydantic-core"}


def test_the_kernel_declares_what_it_imports_and_nothing_else() -> None:
    declared = {_name(requirement) for requirement in _declared(ROOT / "shared")}
    imported = _imported(_shared_code())
    assert imported - BROUGHT <= declared
    assert declared - IMPLIED <= imported


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_declares_what_it_imports_and_nothing_else(service: str) -> None:
    shared = {_name(requirement) for requirement in _declared(ROOT / "shared")}
    declared = {_name(requirement) for requirement in _declared(ROOT / "services" / service)}
    imported = _imported((ROOT / "services" / service).rglob("*.py"))
    assert imported - BROUGHT <= declared | shared
    assert declared <= imported - shared


def test_every_member_asks_for_the_versions_of_the_whole() -> None:
    whole = set(_declared(ROOT))
    for directory in [ROOT / "shared", *(ROOT / "services" / service for service in SERVICES)]:
        assert set(_declared(directory)) <= whole, directory


def test_the_dockerfile_has_no_findings() -> None:
    done = subprocess.run([BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_dockerfile_copies_nothing_that_the_ignore_file_hides() -> None:
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", lines, re.MULTILINE)
    sources = " ".join(copied).replace("${SERVICE}", "orders").split()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(source == keep or source.startswith(f"{keep}/") for keep in kept), source


def test_debians_docker_compose_accepts_the_file() -> None:
    compose = shutil.which("docker-compose")
    if compose is None:
        pytest.skip("Debian's docker-compose is not installed here: apt-get install docker-compose")
    command = [compose, "--env-file", str(DEMO), "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_secret_has_to_be_set() -> None:
    """The unchanged example starts nothing; each value of the demo's file is needed."""
    with pytest.raises(KeyError):
        containers(env_file(ROOT / ".env.example"))
    demo = env_file(DEMO)
    containers(demo)
    for name in demo:
        # An SMS gateway's may be part of its address.
        if name.endswith(("_PASSWORD", "_SECRET", "_LOGIN")) and "_SMS_" not in name:
            with pytest.raises(KeyError, match=name):
                containers(demo | {name: ""})


def test_the_example_has_no_secret_and_the_same_variables_as_the_demo() -> None:
    example, demo = env_file(ROOT / ".env.example"), env_file(DEMO)
    assert set(demo) - set(example) == {"COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "REGLAMENT_DEMO"}
    assert not [name for name, value in example.items() if value and name.endswith(("PASSWORD", "SECRET", "LOGIN"))]


def test_secrets_are_filled_in_each_with_its_own(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    write_secrets(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    filled = env_file(file)
    made = {name: value for name, value in filled.items() if name.endswith(("_PASSWORD", "_SECRET"))}
    given_by_the_gateway = made.pop("REGLAMENT_SMS_PASSWORD")
    assert given_by_the_gateway == ""
    assert len(set(made.values())) == len(made)
    assert all(len(value) >= 32 for value in made.values())
    with pytest.raises(OperatorError, match="exists already"):  # The data was made with the first passwords.
        write_secrets(file)
    assert env_file(file) == filled


def test_every_service_has_a_container_and_its_migration() -> None:
    found = containers(env_file(DEMO))
    own = {name for name in found if not name.startswith("migrate-")}
    assert own == {*SERVICES, "postgres", "rabbitmq", "proxy", "provision", "mailpit", "sms"}
    for service in SERVICES:
        assert found[service]["depends_on"][f"migrate-{service}"]["condition"] == "service_completed_successfully"
        assert found[f"migrate-{service}"]["depends_on"]["provision"]["condition"] == "service_completed_successfully"
        assert found[service]["build"]["args"]["SERVICE"] == service
        assert service in found["proxy"]["depends_on"]


def test_the_tests_run_on_the_servers_of_the_containers() -> None:
    found = containers(env_file(DEMO))
    assert found["postgres"]["image"] == POSTGRES_IMAGE
    assert found["rabbitmq"]["image"] == RABBITMQ_IMAGE


def test_the_servers_data_are_in_their_volumes() -> None:
    """PostgreSQL's image keeps them below `/var/lib/postgresql/18/docker`, and would put another volume around them."""
    found = containers(env_file(DEMO))
    assert int(found["postgres"]["image"].partition(":")[2]) >= 18
    assert found["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert found["rabbitmq"]["volumes"] == ["rabbitmq:/var/lib/rabbitmq"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_knows_its_own_database_only_and_not_as_owner(service: str) -> None:
    environment = containers(env_file(DEMO))[service]["environment"]
    databases = {name for name in environment if name.endswith("DATABASE_URL")}
    prefix = f"REGLAMENT_{service.upper()}_"
    assert databases == {f"{prefix}DATABASE_URL", f"{prefix}WORKER_DATABASE_URL"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_stands_on_the_operators_page(service: str) -> None:
    page = (ROOT / "docs" / "operations" / "README.md").read_text()
    names = {f"REGLAMENT_{name.upper()}" for name in load(service).settings.model_fields}
    assert not [name for name in names if f"`{name}`" not in page]


def test_the_proxy_file_is_valid() -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("Debian's caddy is not installed here: apt-get install caddy")
    command = [caddy, "validate", "--config", "deploy/Caddyfile", "--adapter", "caddyfile"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    routes = set(re.findall(r"import service (\w+) ", (ROOT / "deploy" / "Caddyfile").read_text()))
    assert routes == set(SERVICES)
