"""Tables of `clients`."""

from services.clients.models.base import Base
from services.clients.models.cards import Client, Consent, EmailConfirmation
from services.clients.models.head_office import Content, Policy
from services.clients.models.projections import ObligationProjection, Office, StaffMember
from services.clients.models.search import ClientWord
from services.clients.models.work import Call, PriceCheck, Vehicle

__all__ = [
    "Base",
    "Call",
    "Client",
    "ClientWord",
    "Consent",
    "Content",
    "EmailConfirmation",
    "ObligationProjection",
    "Office",
    "Policy",
    "PriceCheck",
    "StaffMember",
    "Vehicle",
]
