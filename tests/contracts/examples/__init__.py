"""One example of every event, taken from one story: the same office, client, order and claim throughout.

The order is that of the story: a consumer that builds on an earlier event has applied it before.
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
