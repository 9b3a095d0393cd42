"""A private RabbitMQ: its own node, cookie, epmd, ports and data; nothing of the system's broker is read."""

import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

from devtools.errors import OperatorError
from devtools.supervisor.processes import GuardedProcess, clean_environment, free_port, wait_until

APT_PACKAGE = "rabbitmq-server"
# Not the wrapper of /usr/sbin, which insists on the system's user and node.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
USER = PASSWORD = "guest"

CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management_port}
default_user = {user}
default_pass = {password}
# Enough for a laptop; publishers are held back above it instead of the machine swapping.
vm_memory_high_watermark.absolute = 768MiB
disk_free_limit.absolute = 200MB
log.file.level = warning
"""


def is_installed() -> bool:
    return SERVER.exists()


@dataclass(slots=True)
class RabbitServer:
    """`durable` stops it in order, which takes seconds; without it, it is killed."""

    directory: Path
    log: Path
    durable: bool
    port: int = field(default_factory=free_port)
    management_port: int = field(default_factory=free_port)
    process: GuardedProcess | None = None
    was_ready: bool = False

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}/"

    @property
    def management_url(self) -> str:
        return f"http://{USER}:{PASSWORD}@127.0.0.1:{self.management_port}"

    def start(self) -> None:
        """Launch the broker, without waiting. Raises OperatorError."""
        if not is_installed():
            raise OperatorError(f"RabbitMQ is not installed: apt-get install {APT_PACKAGE}")
        epmd_port = free_port()
        self._write_configuration()
        # The port mapper first, in the background: it becomes a child of the broker, and the guard ends it with it.
        # Left to itself RabbitMQ would boot a second Erlang machine only to start it, which costs a second.
        command = f'epmd -port {epmd_port} >/dev/null 2>&1 & exec "{SERVER}"'
        self.process = GuardedProcess(
            "RabbitMQ",
            ["sh", "-c", command],
            log=self.log,
            environment=clean_environment() | self._environment(epmd_port),
            directory=self.directory,
            stop_signal="TERM" if self.durable else "KILL",
        )
        self.process.start()

    def wait_until_ready(self) -> None:
        """Until the broker and its console answer. Raises OperatorError."""
        assert self.process is not None, "start() comes first"
        wait_until(self.answers, self.process, seconds=120)
        self.was_ready = True

    def answers(self) -> bool:
        """Return whether it answers the protocol's first header with a method frame (0x01)."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                if connection.recv(1) != b"\x01":
                    return False
            with socket.create_connection(("127.0.0.1", self.management_port), timeout=2):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        """While it boots RabbitMQ is deaf to SIGTERM, and has nothing to lose yet."""
        if self.process is None:
            return
        if self.was_ready:
            self.process.stop()
        else:
            self.process.kill()

    def _write_configuration(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        cookie = self.directory / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(mode=0o600)
            cookie.write_text(secrets.token_hex(16))
            cookie.chmod(0o400)
        (self.directory / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (self.directory / "empty-env.conf").write_text("")
        (self.directory / "rabbitmq.conf").write_text(
            CONFIGURATION.format(port=self.port, management_port=self.management_port, user=USER, password=PASSWORD)
        )

    def _environment(self, epmd_port: int) -> dict[str, str]:
        # RabbitMQ does not boot in a directory whose name has a letter outside of ASCII, and cannot watch the disk in
        # one with a space. It runs in its directory, so this name of it will do for both.
        directory = Path("/proc/self/cwd")
        return {
            "HOME": str(directory),
            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            # One name for ever, for the broker's data is bound to it; parallel brokers differ in their epmd.
            "RABBITMQ_NODENAME": "reglament@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(directory / "logs"),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(directory / "empty-env.conf"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "generated"),
            # Schedulers that have nothing to do sleep: their spinning takes cores away from everybody else here.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
            ),
            # Makes the start script `exec` the Erlang machine, so that our child's pid is the broker's.
            "RUNNING_UNDER_SYSTEMD": "true",
        }
