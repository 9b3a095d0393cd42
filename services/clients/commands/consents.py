"""Consents per purpose, each to one version of its document."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.clients.domain.content import CONSENT_DOCUMENTS
from services.clients.models import Client, Consent
from services.clients.queries.content import content_at
from shared.contracts.clients import ConsentPurpose
from shared.messaging.outbox import publish
from shared.runtime.audit import audit


async def give_consents(
    session: AsyncSession, client: Client, purposes: Iterable[ConsentPurpose], *, recorded_by: UUID | None, at: datetime
) -> None:
    """Give consents to the documents in force; earlier ones stay as they were given.

    The caller flushes and publishes.
    """
    for purpose in dict.fromkeys(purposes):
        if purpose in client.consents:
            continue
        document = await content_at(session, CONSENT_DOCUMENTS[purpose], at)
        session.add(
            Consent(
                office_id=client.office_id,
                client_id=client.client_id,
                purpose=purpose,
                document_version=document.number,
                given_at=at,
                recorded_by=recorded_by,
            )
        )
        client.consents = [*client.consents, purpose]


async def set_consent(
    session: AsyncSession,
    client: Client,
    purpose: ConsentPurpose,
    *,
    given: bool,
    recorded_by: UUID | None,
    at: datetime,
) -> None:
    """Give or withdraw one consent; a repetition changes nothing."""
    if given == (purpose in client.consents):
        return
    if given:
        await give_consents(session, client, [purpose], recorded_by=recorded_by, at=at)
    else:
        await session.execute(
            update(Consent)
            .where(Consent.client_id == client.client_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None))
            .values(withdrawn_at=at),
            execution_options={"synchronize_session": False},
        )
        client.consents = [other for other in client.consents if other != purpose]
    await session.flush()
    await publish(session, client.changed(at))
    await audit(
        session,
        "client.consent_given" if given else "client.consent_withdrawn",
        subject=f"client/{client.client_id}",
        office_id=client.office_id,
        details={"purpose": purpose},
    )


async def withdraw_unless_given_since(
    session: AsyncSession, client_id: UUID, purpose: ConsentPurpose, *, at: datetime
) -> None:
    """Withdraw a consent for a client who opted out elsewhere at `at`, unless it was given again later."""
    client = await session.scalar(select(Client).where(Client.client_id == client_id).with_for_update())
    if client is None:
        return
    given = select(Consent.given_at).where(
        Consent.client_id == client_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None)
    )
    if any(moment > at for moment in (await session.scalars(given)).all()):
        return
    await set_consent(session, client, purpose, given=False, recorded_by=None, at=at)
