"""Declare what a service is; `shared.runtime.app` turns the declaration into a running application."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from sqlalchemy import MetaData

from shared.base.settings import Settings
from shared.contracts.base import Event
from shared.messaging.consumers import Consumers
from shared.persistence.database import Database
from shared.persistence.listener import Listener, Wakeup


@dataclass(frozen=True)
class ServiceContext:
    """What loops and start-up hooks receive."""

    settings: Any
    """The service's settings."""
    database: Database
    listener: Listener

    def listen(self, channel: str) -> Wakeup:
        """Return a wake-up that `NOTIFY channel` sets.  Call it before the loop's first await."""
        return self.listener.listen(channel)


@dataclass(frozen=True)
class Loop:
    """Background work, restarted after a pause when it fails."""

    name: str
    run: Callable[[ServiceContext], Awaitable[None]]


@dataclass(frozen=True)
class Service:
    """The declaration of one service."""

    name: str
    title: str
    """Russian, for the API documents."""
    routers: Sequence[APIRouter]
    consumers: Consumers
    publishes: Sequence[type[Event]]
    """The events in its outbox, for the AsyncAPI document; the relay publishes whatever is there."""
    metadata: MetaData
    settings: type[Settings] = Settings
    loops: Sequence[Loop] = field(default=())
    on_start: Sequence[Callable[[ServiceContext], Awaitable[None]]] = field(default=())
    """Run before the service is ready; must be idempotent, also with several replicas starting together."""
    worker_settings: Mapping[str, str] = field(default_factory=dict)
    """PostgreSQL's settings for the connections of consumers and loops."""
    package: str = ""
    """The Python package, for its migrations; by default `services.<name>`."""
    signs_in: bool = False
    """True for the two issuers of tokens."""

    @property
    def import_path(self) -> str:
        """The service's Python package."""
        return self.package or f"services.{self.name}"
