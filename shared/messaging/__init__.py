"""Events between services: outbox, relay, inbox, retry, parking."""

from shared.messaging.consumers import Consumers
from shared.messaging.outbox import publish
from shared.messaging.projection import project

__all__ = ["Consumers", "project", "publish"]
