"""Throttle failed sign-ins: attempts are slowed down, no account is locked for long.  Counted per process."""

from math import ceil
from time import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from shared.base.errors import TooManyRequests

PER_ACCOUNT = RateLimitItemPerMinute(10)
"""At sign-in per account and address, so that an account cannot be locked from elsewhere."""
PER_ADDRESS = RateLimitItemPerMinute(100)


class FailedAttempts:
    """Failed attempts by limit and key."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def check(self, limit: RateLimitItem, *key: str) -> None:
        """Raise TooManyRequests when as many attempts have failed as the limit allows."""
        if not await self._limiter.test(limit, *key):
            window = await self._limiter.get_window_stats(limit, *key)
            seconds = max(1, ceil(window.reset_time - time()))
            raise TooManyRequests("Слишком много неудачных попыток. Подождите минуту.", retry_after=seconds)

    async def record(self, limit: RateLimitItem, *key: str) -> None:
        """Count a failed attempt."""
        await self._limiter.hit(limit, *key)
