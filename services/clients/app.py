"""Composition root of `clients`."""

from services.clients.api import ROUTERS
from services.clients.consumers import consumers
from services.clients.models import Base
from services.clients.settings import ClientsSettings
from shared.contracts.clients import (
    CallLogged,
    ClientChanged,
    ClientRegistered,
    ContactsCorrected,
    ContactsRequested,
    EmailConfirmationRequested,
    VehicleSaved,
)
from shared.runtime.service import Service

service = Service(
    name="clients",
    title="Клиенты",
    routers=ROUTERS,
    consumers=consumers,
    publishes=[
        ClientRegistered,
        ClientChanged,
        EmailConfirmationRequested,
        ContactsRequested,
        ContactsCorrected,
        CallLogged,
        VehicleSaved,
    ],
    metadata=Base.metadata,
    settings=ClientsSettings,
    signs_in=True,
)
