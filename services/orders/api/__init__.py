"""HTTP interface of the orders service."""

from services.orders.api import baskets, claims, inquiries, orders, policies, positions, shipments, suppliers

routers = [
    baskets.router,
    orders.router,
    positions.router,
    suppliers.router,
    shipments.router,
    claims.router,
    inquiries.router,
    policies.router,
]
