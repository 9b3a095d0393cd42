"""Read calls and how fast they were answered (CALL-09)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.telephony.models import PhoneCall


def calls(*, office_id: UUID | None, client_id: UUID | None) -> Select[PhoneCall]:
    """Select calls; a filter of None lets all through."""
    wanted = {PhoneCall.office_id: office_id, PhoneCall.client_id: client_id}
    return select(PhoneCall).where(*(column == value for column, value in wanted.items() if value is not None))


async def call_statistics(
    session: AsyncSession, *, office_id: UUID | None, since: datetime, until: datetime
) -> Row[Any]:
    """Return counts of incoming calls by how they were answered, of outgoing calls, and the median wait in seconds."""
    incoming = PhoneCall.direction == "in"
    waited = func.extract("epoch", PhoneCall.answered_at - PhoneCall.began_at)
    query = select(
        func.count().filter(incoming).label("incoming"),
        func.count().filter(incoming, PhoneCall.answered_at.is_not(None)).label("answered"),
        func.count().filter(incoming, PhoneCall.answered_at.is_(None), PhoneCall.ended_at.is_not(None)).label("missed"),
        func.count().filter(PhoneCall.in_time.is_(True)).label("in_time"),
        func.count().filter(PhoneCall.in_time.is_(False)).label("late"),
        func.percentile_cont(0.5).within_group(waited).filter(incoming).label("median"),
        func.count().filter(PhoneCall.direction == "out").label("outgoing"),
    ).where(PhoneCall.first_heard_at >= since, PhoneCall.first_heard_at < until)
    if office_id is not None:
        query = query.where(PhoneCall.office_id == office_id)
    return (await session.execute(query)).one()
