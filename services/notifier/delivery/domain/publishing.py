"""Publish versions with an effective date.  A published version never changes."""

from datetime import datetime, timedelta

from shared.base.errors import Invalid

PUBLISHING = "notifier rules"


CLOCK_TOLERANCE = timedelta(minutes=1)


MAX_LEAD_TIME = timedelta(days=3650)


def effective_since(effective_from: datetime | None, at: datetime) -> datetime:
    """Return from when a version is in force: from `at` where nothing later is asked for.

    A caller's clock may be a minute behind.  Raises Invalid for the past and for more than ten years ahead.
    """
    if effective_from is None:
        return at
    if effective_from < at - CLOCK_TOLERANCE:
        raise Invalid("Правило не может действовать задним числом.", field="body.effective_from")
    if effective_from > at + MAX_LEAD_TIME:
        raise Invalid("Дата вступления в силу дальше десяти лет.", field="body.effective_from")
    return max(effective_from, at)
