"""Every event of the system, one module per producing service.

Importing this package registers all of them in `EVENT_TYPES`.
"""

from shared.contracts import billing, clients, control, notifier, orders, vin
from shared.contracts.base import EVENT_TYPES, Event, InRoubles, Roubles

__all__ = [
    "EVENT_TYPES",
    "Event",
    "InRoubles",
    "Roubles",
    "billing",
    "clients",
    "control",
    "notifier",
    "orders",
    "vin",
]
