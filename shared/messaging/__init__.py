"""Events between services: outbox, relay, inbox, retry, parking."""

from shared.messaging.consumers import Consumers
from shared.messaging.outbox import publish
from shared.messaging.projection import NOWHERE, project

__all__ = ["NOWHERE", "Consumers", "project", "publish"]
