"""Settings from the environment, prefix `REGLAMENT_`."""

import os
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SERVICES = ("control", "clients", "orders", "vin", "billing", "notifier")


class Settings(BaseSettings):
    """The settings of every service.  A service with settings of its own subclasses this."""

    model_config = SettingsConfigDict(env_prefix="REGLAMENT_", extra="ignore")

    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/"
    amqp_management_url: str | None = None
    """RabbitMQ's management API with credentials in the URL; only head office's board reads it."""
    queue_type: Literal["classic", "quorum"] = "classic"
    """Durable classic queues on one node, quorum queues on three."""
    public_url: str = "http://127.0.0.1:8000"
    """The one origin that browsers see; links in mails begin with it."""
    control_url: str = "http://127.0.0.1:8000/api/control"
    clients_url: str = "http://127.0.0.1:8000/api/clients"
    smtp_url: str = "smtp://127.0.0.1:1025"
    log_format: Literal["console", "json"] = "console"
    log_level: str = "INFO"
    demo: bool = False
    database_pool: int = Field(default=8, ge=1)
    """Connections per role and process; throughput on two cores peaks at about eight."""
    consumer_prefetch: int = Field(default=50, ge=1)
    topology_check_seconds: float = 15.0
    relay_lease_seconds: float = 30.0


class DatabaseUrls:
    """The three roles of one service's database: HTTP, background work, migrations."""

    def __init__(self, service: str) -> None:
        self.service = service

    @property
    def app(self) -> str:
        """The URL of the role that serves HTTP requests."""
        return self._read("")

    @property
    def worker(self) -> str:
        """The URL of the role of consumers and loops."""
        return self._read("WORKER_")

    @property
    def owner(self) -> str:
        """The URL of the role that migrates and owns the tables."""
        return self._read("OWNER_")

    def _read(self, role: str) -> str:
        """Read one URL.  Raises KeyError naming the missing variable."""
        return os.environ[f"REGLAMENT_{self.service.upper()}_{role}DATABASE_URL"]
