"""Composition root of `vin`."""

from services.vin.api import reasons_router, router
from services.vin.consumers import consumers
from services.vin.models import Base
from shared.contracts.vin import VinRequestAnswered, VinRequestSubmitted
from shared.runtime.service import Service

service = Service(
    name="vin",
    title="Запросы по VIN",
    routers=[router, reasons_router],
    consumers=consumers,
    publishes=[VinRequestSubmitted, VinRequestAnswered],
    metadata=Base.metadata,
)
