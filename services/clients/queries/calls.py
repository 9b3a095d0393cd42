"""Read the log of calls."""

from uuid import UUID

from sqlalchemy import Select, select

from services.clients.models import Call


def calls_of(client_id: UUID) -> Select[Call]:
    """Return the calls to one client."""
    return select(Call).where(Call.client_id == client_id)
