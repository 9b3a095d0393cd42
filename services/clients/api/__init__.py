"""HTTP interface of `clients`."""

from services.clients.api import calls, cards, content, garage, me, registration

ROUTERS = (registration.router, me.router, cards.router, calls.router, garage.router, content.router)
