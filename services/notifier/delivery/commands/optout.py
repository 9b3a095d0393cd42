"""Stop advertising to a client: by the link in a letter or by «СТОП» (NTF-04)."""

import re
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.models.sms import StoppedNumber
from services.notifier.people.models.projections import Client
from shared.contracts.notifier import ConsentWithdrawn
from shared.messaging import publish
from shared.runtime.audit import audit

STOP_WORDS = frozenset({"стоп", "stop", "отписка", "отпишите", "отписаться", "unsubscribe"})


def is_stop_word(text: str) -> bool:
    """Return whether the text is a stop word alone («СТОП», «Стоп!»); in a sentence it may mean anything."""
    return re.sub(r"[\W_]+", " ", text).strip().lower() in STOP_WORDS


async def withdraw(
    session: AsyncSession, client: Client, *, source: Literal["link", "stop_word"], at: datetime
) -> None:
    """Withdraw the consent from now on and publish it for `clients`, which keeps it; repeating changes nothing."""
    if "advertising" not in client.consents:
        return
    client.consents = [purpose for purpose in client.consents if purpose != "advertising"]
    await session.flush()
    await publish(
        session,
        ConsentWithdrawn(
            office_id=client.office_id,
            version=client.version,
            occurred_at=at,
            client_id=client.client_id,
            purpose="advertising",
            source=source,
            withdrawn_at=at,
        ),
    )
    subject, details = f"client/{client.client_id}", {"source": source}
    await audit(session, "client.advertising_stopped", subject=subject, office_id=client.office_id, details=details)


async def stop_number(session: AsyncSession, phone: str, *, at: datetime) -> int:
    """Stop advertising to a number and withdraw the consent of every card with it; return how many cards."""
    await session.execute(insert(StoppedNumber).values(phone=phone).on_conflict_do_nothing())
    cards = (await session.execute(select(Client).where(Client.phone == phone).with_for_update())).scalars().all()
    for client in cards:
        await withdraw(session, client, source="stop_word", at=at)
    return len(cards)
