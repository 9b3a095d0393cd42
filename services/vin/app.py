"""The vin service: routes, consumers, events and tables."""

from services.vin.api import routers
from services.vin.consumers import consumers
from services.vin.models import Base
from shared.contracts.vin import VinRequestAnswered, VinRequestSubmitted
from shared.runtime.service import Service

service = Service(
    name="vin",
    title="Запросы по VIN",
    routers=routers,
    consumers=consumers,
    publishes=[VinRequestSubmitted, VinRequestAnswered],
    metadata=Base.metadata,
)
