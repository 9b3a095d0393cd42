"""Bugs around commands and messages: versions, sessions, stops, repairs, a broker in the way of a request."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import uvicorn
from aio_pika.abc import AbstractConnection
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.messaging import failures, republish
from shared.messaging.subscriptions import Subscriptions
from shared.messaging.watchdog import QueueWatch
from shared.persistence.database import Database
from shared.persistence.scope import Scope
from shared.persistence.tables import outbox


def unchecked_versions() -> None:
    """Ignore If-Match: the last writer overwrites the others."""
    from tests.faults.sample.press import app

    app.check_version = lambda *_: None  # type: ignore[attr-defined]


def leaked_session() -> None:
    """Leave a transaction open in the first request."""
    app, leaked = Database.app, list[AbstractAsyncContextManager[AsyncSession]]()

    @asynccontextmanager
    async def leaking(self: Database, scope: Scope, **info: Any) -> AsyncIterator[AsyncSession]:
        if not leaked:
            leaked.append(app(self, scope))
            await leaked[0].__aenter__()
        async with app(self, scope, **info) as session:
            yield session

    Database.app = leaking  # type: ignore[method-assign]


def waiting_for_the_broker() -> None:
    """Answer a command only when its events are published."""
    app = Database.app

    @asynccontextmanager
    async def waiting(self: Database, scope: Scope, **info: Any) -> AsyncIterator[AsyncSession]:
        async with app(self, scope, **info) as session:
            yield session
        unconfirmed = select(func.count()).where(outbox.c.confirmed_at.is_(None))
        while True:
            async with self.worker() as session:
                if not await session.scalar(unconfirmed):
                    return
            await asyncio.sleep(0.05)

    Database.app = waiting  # type: ignore[method-assign]


def hasty_exit() -> None:
    """End the process at SIGTERM without finishing requests."""
    uvicorn.Server.handle_exit = lambda *_: os._exit(0)  # type: ignore[method-assign]


def forgotten_failures() -> None:
    """Acknowledge a failed message and never retry it."""

    async def record(*_: object) -> str:
        return "retrying"

    failures.record = record  # type: ignore[assignment]


def without_republishing() -> None:
    """Publish nothing again that a damaged broker has lost."""

    async def unconfirm(*_: object) -> int:
        return 0

    republish._unconfirm = unconfirm  # type: ignore[assignment]


def blind_watch() -> None:
    """Check queues and bindings only at the start."""
    check = QueueWatch.check

    async def check_once(self: QueueWatch, connection: AbstractConnection) -> bool:
        if not hasattr(self, "_checked"):
            await check(self, connection)
            setattr(self, "_checked", True)  # noqa: B010 (not an attribute of the class)
        return True

    QueueWatch.check = check_once  # type: ignore[method-assign]


def staying_away() -> None:
    """Stop consuming for good once the broker was lost."""
    start, begun = Subscriptions._start, set[int]()

    async def start_once(self: Subscriptions) -> None:
        if id(self) in begun:
            await asyncio.Event().wait()
        begun.add(id(self))
        await start(self)

    Subscriptions._start = start_once  # type: ignore[method-assign]


BUGS = (
    unchecked_versions,
    leaked_session,
    waiting_for_the_broker,
    hasty_exit,
    forgotten_failures,
    without_republishing,
    blind_watch,
    staying_away,
)
