"""Record calls as the telephone exchange reports them; CALL-09 is measured, not timed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.queries.policy import current_policy
from services.notifier.people.models.projections import Client, Office
from services.notifier.telephony.domain import CallEvent, normalize_phone
from services.notifier.telephony.models import PhoneCall
from shared.base.errors import NotFound
from shared.contracts.notifier import PhoneCallEnded
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.persistence.locks import lock_until_commit

DEFAULT_ANSWER_SECONDS = 15


async def record_call_event(session: AsyncSession, call_event: CallEvent, *, at: datetime) -> PhoneCall:
    """Apply an event to its call and return the call.

    Events come twice and out of order: the earliest beginning and answer and the latest end count.  Raises NotFound for
    a line of no office.
    """
    await lock_until_commit(session, f"call/{call_event.provider}/{call_event.external_id}")
    same = select(PhoneCall).where(
        PhoneCall.provider == call_event.provider, PhoneCall.external_id == call_event.external_id
    )
    call = (await session.execute(same)).scalars().one_or_none()
    if call is None:
        office_id = await _office_of_line(session, call_event.line)
        mine = select(Client.client_id).where(Client.office_id == office_id, Client.phone == call_event.phone)
        client_id = (await session.execute(mine.order_by(Client.client_id).limit(1))).scalars().first()
        call = PhoneCall(
            id=new_id(),
            office_id=office_id,
            client_id=client_id,
            provider=call_event.provider,
            external_id=call_event.external_id,
            direction=call_event.direction,
            phone=call_event.phone,
            line=call_event.line,
            first_heard_at=at,
        )
        session.add(call)
    before = (call.began_at, call.answered_at, call.ended_at)
    call.began_at = min(filter(None, (call.began_at, call_event.began_at)), default=None)
    call.answered_at = min(filter(None, (call.answered_at, call_event.answered_at)), default=None)
    call.ended_at = max(filter(None, (call.ended_at, call_event.ended_at)), default=None)
    call.in_time = await _in_time(session, call)
    await session.flush()
    if call.began_at and call.ended_at and (call.began_at, call.answered_at, call.ended_at) != before:
        await publish(
            session,
            PhoneCallEnded(
                office_id=call.office_id,
                # An answer adds to what is known, so the version grows with it.
                version=1 + (call.answered_at is not None),
                occurred_at=at,
                call_id=call.id,
                direction=call.direction,
                client_id=call.client_id,
                began_at=call.began_at,
                answered_at=call.answered_at,
                ended_at=call.ended_at,
                in_time=call.in_time,
            ),
        )
    return call


async def _in_time(session: AsyncSession, call: PhoneCall) -> bool | None:
    """Return whether the call was answered in time by the policy of that moment (CALL-09).

    None for a call that was given up before; one that was given up later was missed.
    """
    if call.direction != "in" or call.began_at is None:
        return None
    policy = await current_policy(session, call.began_at)
    allowed = policy.answer_within_seconds if policy else DEFAULT_ANSWER_SECONDS
    if call.answered_at is not None:
        return (call.answered_at - call.began_at).total_seconds() <= allowed
    if call.ended_at is not None and (call.ended_at - call.began_at).total_seconds() > allowed:
        return False
    return None


async def _office_of_line(session: AsyncSession, line: str) -> UUID:
    rows = (await session.execute(select(Office.office_id, Office.phones).where(Office.active))).all()
    for row in rows:
        if line and line in {normalize_phone(phone) for phone in row.phones}:
            office_id: UUID = row.office_id
            return office_id
    raise NotFound("Эта линия не принадлежит ни одному офису.")
