"""Read what belongs to one client: vehicles, priced articles, consents."""

from uuid import UUID

from sqlalchemy import Select, select

from services.clients.models import Consent, PriceCheck, Vehicle


def vehicles_of(client_id: UUID) -> Select[Vehicle]:
    """Return the vehicles in the garage, without removed ones."""
    return select(Vehicle).where(Vehicle.client_id == client_id, Vehicle.removed_at.is_(None))


def price_checks_of(client_id: UUID) -> Select[PriceCheck]:
    """Return the priced articles."""
    return select(PriceCheck).where(PriceCheck.client_id == client_id)


def consents_of(client_id: UUID) -> Select[Consent]:
    """Return the consents, withdrawn ones included."""
    return select(Consent).where(Consent.client_id == client_id)
