"""What can be wrong on the operator's machine is said in one line, and nothing half started stays behind."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from devtools.errors import OperatorError
from devtools.supervisor import packages, postgres, rabbitmq, system
from devtools.supervisor.environment import BROKER, BROKER_MANAGEMENT, SUPERUSER, complete_environment
from devtools.supervisor.processes import free_port, wait_until
from devtools.supervisor.state import DataDirectory, RunningSystem
from devtools.supervisor.system import running_system
from shared.base.settings import SERVICES


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[DataDirectory]:
    for name in (SUPERUSER, BROKER, BROKER_MANAGEMENT):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="reglament-data-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield DataDirectory(path / "data")


@pytest.fixture
def needs_binaries() -> None:
    if postgres.find_binaries() is None or not rabbitmq.is_installed():
        pytest.skip("The servers' binaries are not installed here; the run uses other servers.")


def _refused(directory: DataDirectory, **options: Any) -> str:
    """The one line with which the start is refused; all that it started is gone when it returns."""
    # Its guards are our own children, and each ends only after all that is below it.
    before = {process.pid for process in psutil.Process().children()}
    arguments = {"port": free_port()} | options
    with (
        pytest.raises(OperatorError) as caught,
        running_system(directory, report_progress=lambda what: None, **arguments),
    ):
        pytest.fail("the system started")
    after = {process.pid for process in psutil.Process().children()}
    assert after <= before
    assert directory.running() is None
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_busy_port_names_its_holder(directory: DataDirectory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        message = _refused(directory, port=port)
    assert message.startswith(f"port {port} is taken by ")
    assert str(psutil.Process().pid) in message
    assert "--port" in message


def test_no_disk_space(directory: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    little = shutil._ntuple_diskusage(10**9, 10**9 - 10**8, 10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: little)
    assert _refused(directory).startswith("95 MB are free at ")


def test_missing_binaries_and_nobody_to_install_them(directory: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "find_binaries", lambda version=None: None)
    monkeypatch.setattr(rabbitmq, "is_installed", lambda: False)
    monkeypatch.setattr(packages, "root_privilege", lambda: None)
    message = _refused(directory)
    assert message.endswith("apt-get install -y --no-install-recommends postgresql rabbitmq-server")


def test_data_of_another_postgresql_version(directory: DataDirectory, needs_binaries: None) -> None:
    directory.postgres.mkdir(parents=True)
    (directory.postgres / "PG_VERSION").write_text("9\n")
    found = ", ".join(map(str, sorted(postgres.installed_versions())))
    assert f"was made by PostgreSQL 9, which is not installed (found: {found})" in _refused(directory)


@pytest.mark.parametrize(
    ("installed", "expected"), [([15], 15), ([17], 17), ([15, 17, 18], 18), ([9, 14], None), ([14, 16], 16), ([], None)]
)
def test_the_newest_postgresql_that_is_new_enough_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: list[int], expected: int | None
) -> None:
    monkeypatch.setattr(postgres, "INSTALLED", tmp_path)
    for version in installed:
        (tmp_path / str(version) / "bin").mkdir(parents=True)
        (tmp_path / str(version) / "bin" / "initdb").touch()
    (tmp_path / "99" / "bin").mkdir(parents=True)  # The client alone.
    assert postgres.find_binaries() == (None if expected is None else tmp_path / str(expected) / "bin")


def test_data_keep_the_version_that_made_them(directory: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer one that is installed later cannot read them."""
    versions = directory.path / "versions"
    for version in (15, 17):
        (versions / str(version) / "bin").mkdir(parents=True)
        (versions / str(version) / "bin" / "initdb").touch()
    monkeypatch.setattr(postgres, "INSTALLED", versions)
    directory.postgres.mkdir(parents=True)
    (directory.postgres / "PG_VERSION").write_text("15\n")
    server = postgres.PostgresServer(directory.postgres, directory.logs / "log", durable=False, password="secret")
    assert server._binaries() == versions / "15" / "bin"


def test_a_distribution_whose_postgresql_is_too_old(directory: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "find_binaries", lambda version=None: None)
    monkeypatch.setattr(packages, "root_privilege", list)
    monkeypatch.setattr(packages, "install", lambda *_: True)
    assert _refused(directory).endswith("brought nothing that can be used: PostgreSQL 15 or newer is needed")


def test_a_directory_that_is_no_cluster_is_left_alone(directory: DataDirectory, needs_binaries: None) -> None:
    directory.postgres.mkdir(parents=True)
    (directory.postgres / "letters.txt").write_text("not yours")
    assert "is no PostgreSQL data directory but not empty" in _refused(directory)
    assert (directory.postgres / "letters.txt").read_text() == "not yours"


def test_a_first_start_that_is_broken_off_is_begun_again(
    directory: DataDirectory, needs_binaries: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the midst of initdb, which writes its PG_VERSION first."""
    directory.postgres.parent.mkdir()
    directory.postgres.parent.chmod(0o755)
    log = directory.postgres.with_name("postgres.log")
    server = postgres.PostgresServer(directory.postgres, log, durable=False, password="secret")

    def broken_off(command: list[str], **_: Any) -> None:
        Path(command[command.index("-D") + 1], "PG_VERSION").write_text(str(max(postgres.installed_versions())))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("devtools.supervisor.postgres.subprocess.run", broken_off)
        with pytest.raises(KeyboardInterrupt):
            server.start()
    server.start()
    try:
        server.wait_until_ready()
    finally:
        server.stop()
    assert [path.name for path in directory.postgres.parent.iterdir() if path.is_dir()] == ["postgres"]


def test_a_damaged_cluster_stops_the_broker_as_well(directory: DataDirectory, needs_binaries: None) -> None:
    directory.postgres.mkdir(parents=True)
    (directory.postgres / "PG_VERSION").write_text(str(max(postgres.installed_versions())))
    if psutil.Process().uids().effective == 0:
        for path in (directory.postgres, directory.postgres / "PG_VERSION"):
            shutil.chown(path, postgres.SERVER_USER)
    directory.postgres.chmod(0o700)
    message = _refused(directory)
    assert message.startswith("PostgreSQL did not start: ")
    assert str(directory.logs / "postgres.log") in message


def test_two_systems_on_one_directory(directory: DataDirectory) -> None:
    with directory.locked():
        assert "another `./reglament up` is starting or stopping" in _refused(directory)
        directory.write_state(
            RunningSystem(
                pid=4711,
                url="http://127.0.0.1:8000",
                mailbox_url=None,
                sms_url="http://127.0.0.1:8026",
                management_url=None,
                head_office_login="head",
                head_office_password="secret",
                logs="logs",
                processes={},
                service_urls={},
                environment={},
            )
        )
        with pytest.raises(OperatorError, match=r"already running at http://127\.0\.0\.1:8000 \(process 4711\)"):
            directory.locked().__enter__()
    assert directory.running() is None, "a state file without a living holder of the lock says nothing"


def test_fresh_never_empties_a_given_server(directory: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SUPERUSER, "postgresql://somebody@db.example/postgres")
    assert "--fresh empties private servers only" in _refused(directory, fresh=True)


def test_a_directory_that_cannot_be_made(directory: DataDirectory) -> None:
    directory.path.touch()
    message = _refused(DataDirectory(directory.path / "below-a-file"))
    assert "REGLAMENT_DATA_DIR" in message


def test_prepared_databases_are_prepared_again_when_a_role_or_a_migration_changes(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations = tmp_path / "services" / "orders" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001.py").write_text("first")
    monkeypatch.setattr(system, "ROOT", tmp_path)
    environment = {"REGLAMENT_ORDERS_DATABASE_URL": "postgresql://app:one@127.0.0.1:20001/orders"}
    directory.postgres.mkdir(parents=True)
    assert not system.is_prepared(directory, environment)
    system.remember_prepared(directory, environment)
    assert system.is_prepared(directory, environment)
    elsewhere = {"REGLAMENT_ORDERS_DATABASE_URL": "postgresql://app:one@127.0.0.1:20999/orders"}
    assert system.is_prepared(directory, elsewhere), "the port differs at every start"
    other_password = {"REGLAMENT_ORDERS_DATABASE_URL": "postgresql://app:two@127.0.0.1:20001/orders"}
    assert not system.is_prepared(directory, other_password)
    (migrations / "0002.py").write_text("second")
    assert not system.is_prepared(directory, environment)


def test_secrets_are_made_once_and_readable_by_the_owner_only(directory: DataDirectory) -> None:
    with directory.locked():
        first, other = directory.secret("first"), directory.secret("other")
        assert first != other
        assert DataDirectory(directory.path).secret("first") == first
        assert (directory.path / "secrets.json").stat().st_mode & 0o777 == 0o600
        directory.wipe()
        assert directory.secret("first") != first


@pytest.mark.parametrize("name", ["", "REGLAMENT_SMTP_URL", "REGLAMENT_SMS_URL"])
def test_with_real_gateways_it_is_no_demonstration(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whose clients would get SMS at night."""
    monkeypatch.delenv("REGLAMENT_DEMO", raising=False)
    if name:
        monkeypatch.setenv(name, "smtp://mail.example:25")
    servers = {SUPERUSER: "postgresql://postgres:x@127.0.0.1/postgres"}
    made = complete_environment(
        servers, lambda _: "secret", host="127.0.0.1", port=8000, service_ports=dict.fromkeys(SERVICES, 1)
    )
    assert made["REGLAMENT_DEMO"] == ("0" if name else "1")


def test_a_random_password_may_begin_with_a_dash(directory: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REGLAMENT_SMTP_URL", "REGLAMENT_SMS_URL"):
        monkeypatch.delenv(name, raising=False)
    directory.logs.mkdir(parents=True)
    port = free_port()
    environment = dict(os.environ) | {
        "REGLAMENT_SMTP_URL": f"smtp://127.0.0.1:{free_port()}",
        "REGLAMENT_SMS_URL": f"http://127.0.0.1:{port}",
        "REGLAMENT_SMS_LOGIN": "-reglament",
        "REGLAMENT_SMS_PASSWORD": "-secret",
    }

    def answers() -> bool:
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", port)) == 0

    with ExitStack() as stack:
        helpers, _ = system.launch_mailbox_and_sms(directory, environment, stack)
        wait_until(answers, *helpers, seconds=30)
