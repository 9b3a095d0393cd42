"""Lists of what belongs to one client."""

from uuid import UUID

from sqlalchemy import Select, select

from services.clients.models import Consent, PriceCheck, Vehicle


def vehicles_of(client_id: UUID) -> Select[Vehicle]:
    return select(Vehicle).where(Vehicle.client_id == client_id, Vehicle.removed_at.is_(None))


def price_checks_of(client_id: UUID) -> Select[PriceCheck]:
    return select(PriceCheck).where(PriceCheck.client_id == client_id)


def consents_of(client_id: UUID) -> Select[Consent]:
    return select(Consent).where(Consent.client_id == client_id)
