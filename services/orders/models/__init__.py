"""Tables owned by the orders service."""

from services.orders.models.base import Base
from services.orders.models.basket import BasketItem
from services.orders.models.claim import Claim
from services.orders.models.inquiry import Inquiry, InquiryTask
from services.orders.models.order import Order, Position
from services.orders.models.policy import Policy
from services.orders.models.projections import Balance, Client, Office, Staff, Vehicle, VinAnswer
from services.orders.models.purchasing import PurchaseOrder, PurchaseOrderLine, Supplier, SupplierDay
from services.orders.models.shipment import Shipment

__all__ = [
    "Balance",
    "Base",
    "BasketItem",
    "Claim",
    "Client",
    "Inquiry",
    "InquiryTask",
    "Office",
    "Order",
    "Policy",
    "Position",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "Shipment",
    "Staff",
    "Supplier",
    "SupplierDay",
    "Vehicle",
    "VinAnswer",
]
