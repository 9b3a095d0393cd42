"""The orders service: routes, consumers, events and tables."""

from services.orders.api import routers
from services.orders.consumers import consumers
from services.orders.models import Base
from shared.contracts import orders as events
from shared.runtime.service import Service

service = Service(
    name="orders",
    title="Заказы",
    routers=routers,
    consumers=consumers,
    publishes=[
        events.OrderPlaced,
        events.ApplicabilityChecked,
        events.OrderProcessed,
        events.PositionRemoved,
        events.PositionOrdered,
        events.PositionRefused,
        events.PositionReceived,
        events.GoodsReady,
        events.PurchaseOrderSent,
        events.GoodsIssued,
        events.ClaimOpened,
        events.ClaimDecided,
        events.InquiryRecorded,
        events.InquiryStatusChanged,
    ],
    metadata=Base.metadata,
)
