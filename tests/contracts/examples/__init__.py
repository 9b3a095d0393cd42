"""One example of every event, taken from one story: the same office, client, order and claim throughout.

The order is that of the story, so that a consumer which builds on an earlier event has had it.
"""

from shared.contracts.base import Event
from tests.contracts.examples import billing, clients, control, notifier, orders, vin

EXAMPLES: tuple[Event, ...] = (
    *control.EXAMPLES,
    *clients.EXAMPLES,
    *vin.EXAMPLES,
    *orders.PLACED,
    *billing.PAID,
    *orders.SUPPLIED,
    *billing.RETURNED,
    *orders.CLAIMED,
    *orders.VISITED,
    *notifier.EXAMPLES,
)
