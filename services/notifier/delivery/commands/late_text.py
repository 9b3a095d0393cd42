"""Notices whose text is written only when they are sent, by the package that queued them.

`delivery` knows nothing of deadlines: `clock` queues letters about them without a text, and the composition root
registers here how such a letter is written.
"""

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.models.notices import Notice


class LateText(Protocol):
    """Fill in title, text and HTML of a notice with what is true at `at`; False when it has become pointless."""

    async def __call__(self, session: AsyncSession, notice: Notice, *, at: datetime, public_url: str) -> bool:
        """Fill in the notice."""


_writers: list[LateText] = []


def write_late_texts_by(writer: LateText) -> None:
    """Set how texts are written that were left open; called once by `services/notifier/app.py`."""
    _writers[:] = [writer]


async def fill_in(session: AsyncSession, notice: Notice, *, at: datetime, public_url: str) -> bool:
    """Write the notice's text; False when it has become pointless."""
    (writer,) = _writers
    return await writer(session, notice, at=at, public_url=public_url)
