"""Log a call and update the card by it (CL-05, CL-11, CL-12, CALL-02).

CL-13, in part: the source is free text.
"""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.commands import access, contacts
from services.clients.domain.phones import PhoneSuspicion
from services.clients.models import Call, Client
from services.clients.schemas.work import LogCall
from shared.base.errors import Invalid
from shared.contracts.clients import CallLogged
from shared.identity.roles import Principal
from shared.messaging.outbox import publish

CLOCK_DIFFERENCE = timedelta(minutes=5)
"""How far ahead the caller's own clock may be."""


async def log_call(session: AsyncSession, client: Client, body: LogCall, *, caller: Principal, at: datetime) -> Call:
    """Log a call of a client whose row the caller has locked; the event closes obligations of all its goals (K2).

    A wrong number opens the request for contacts, a later conversation closes it (CL-06).  The first attempt is marked
    in the event, since the information letter follows it (CALL-02).  Raises Invalid.
    """
    called_at = body.called_at or at
    if called_at > at + CLOCK_DIFFERENCE:
        raise Invalid("Звонок не может быть в будущем.", field="called_at")
    if body.rating is not None and body.outcome != "reached":
        raise Invalid("Оценка ставится только по состоявшемуся разговору.", field="rating")
    if body.rating is None and body.outcome == "reached" and "first_call" in body.goals:
        raise Invalid("После первого разговора нужна оценка от 1 до 5.", field="rating")
    call = Call(
        office_id=client.office_id,
        client_id=client.client_id,
        staff_id=caller.id,
        caller=caller.name,
        outcome=body.outcome,
        goals=list(dict.fromkeys(body.goals)),
        order_id=body.order_id,
        rating=body.rating,
        comment=body.comment,
        objection=body.objection,
        source=body.source,
        called_at=called_at,
    )
    session.add(call)
    first_attempt = client.first_call_at is None
    requested_before, active_before = client.contacts_requested_at, client.active
    named = _update_card(client, call, body.full_name)
    if call.outcome == "wrong_number" and client.phone is not None:
        await contacts.flag_phone(session, client, PhoneSuspicion.WRONG_NUMBER, at)
    elif call.outcome == "reached" and client.phone is not None and called_at >= (requested_before or called_at):
        await contacts.accept_phone(session, client)
    await session.flush()
    if named:
        await access.rename(session, client)
    if named or client.active != active_before:
        await publish(session, client.changed(at))
    await publish(
        session,
        CallLogged(
            office_id=client.office_id,
            client_id=client.client_id,
            version=client.version,
            occurred_at=at,
            call_id=call.id,
            staff_id=call.staff_id,
            outcome=body.outcome,
            goals=call.goals,
            order_id=call.order_id,
            rating=call.rating,
            first_attempt=first_attempt,
            called_at=call.called_at,
            client_name=client.full_name,
        ),
        *contacts.contact_events(client, requested_before=requested_before, at=at),
    )
    return call


def _update_card(client: Client, call: Call, full_name: str | None) -> bool:
    """Write what the conversation revealed; return True when the card's event must be published."""
    client.first_call_at = min(call.called_at, client.first_call_at or call.called_at)
    client.rating = call.rating or client.rating
    client.source = call.source or client.source
    if full_name is None or (full_name == client.full_name and client.name_verified):
        return False
    client.full_name, client.name_verified = full_name, True
    return True
