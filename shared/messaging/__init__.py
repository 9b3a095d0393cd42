"""Events between services: outbox, relay, inbox, retries, parked messages."""

from shared.messaging.consumers import Consumers
from shared.messaging.outbox import publish
from shared.messaging.projection import NO_OFFICE, project

__all__ = ["NO_OFFICE", "Consumers", "project", "publish"]
