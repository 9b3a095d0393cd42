"""Transactional outbox: an event is stored in the transaction of the change that it reports."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Event
from shared.messaging.context import causation_id, correlation_id, traceparent
from shared.persistence.database import new_id
from shared.persistence.raw_sql import insert_rows
from shared.persistence.tables import outbox


async def publish(session: AsyncSession, *events: Event) -> None:
    """Queue events for delivery.  Nothing leaves the process before the commit; the insert wakes the relay."""
    await insert_rows(session, outbox, outbox_rows(events))


def outbox_rows(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return the rows of `publish`, for stores that insert them together with other tables' rows."""
    rows = []
    for event in events:
        event_id = new_id()
        rows.append(
            {
                "event_id": event_id,
                "type": event.type,
                "subject": event.subject,
                "office_id": event.office_id,
                "body": event.model_dump_json().encode(),
                "headers": {
                    "correlation-id": correlation_id.get() or str(event_id),
                    "causation-id": causation_id.get(),
                    "traceparent": traceparent.get(),
                    "time": event.occurred_at.isoformat(),
                },
            }
        )
    return rows
