"""PostgreSQL's NOTIFY as wake-ups.  A lost connection wakes every loop, so that none waits for a missed one."""

import asyncio
import contextlib

import asyncpg
import structlog

log = structlog.get_logger(__name__)


class Wakeup:
    """A flag that a notification sets and `wait` clears."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake the loop that waits, or make its next `wait` return without waiting."""
        self._event.set()

    async def wait(self, timeout: float) -> bool:
        """Return True when woken, False after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Listener:
    """One LISTEN connection per service and process."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._wakeups: dict[str, list[Wakeup]] = {}

    def listen(self, channel: str) -> Wakeup:
        """Return the wake-up of a channel.  Call it before `run` connects."""
        wakeup = Wakeup()
        self._wakeups.setdefault(channel, []).append(wakeup)
        return wakeup

    async def run(self) -> None:
        """Listen until cancelled, reconnecting after a growing pause."""
        pause = 0.2
        while True:
            try:
                connection = await asyncpg.connect(self._url, timeout=10)
            except (OSError, asyncpg.PostgresError, TimeoutError) as error:
                log.warning("cannot listen to the database", error=repr(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            pause = 0.2
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _, lost=lost: lost.set())
            try:
                for channel in self._wakeups:
                    await connection.add_listener(channel, self._on_notify)
                self._wake_all()
                await lost.wait()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("listening to the database failed", error=repr(error))
            finally:
                with contextlib.suppress(Exception):
                    connection.terminate()
            self._wake_all()

    def _on_notify(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        for wakeup in self._wakeups.get(channel, ()):
            wakeup.set()

    def _wake_all(self) -> None:
        for wakeups in self._wakeups.values():
            for wakeup in wakeups:
                wakeup.set()
