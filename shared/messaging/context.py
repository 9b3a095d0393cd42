"""Ids that tie a request, its events and their consequences together."""

import re
from contextvars import ContextVar

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
"""Shared by a request, its events and everything that they cause."""

causation_id: ContextVar[str] = ContextVar("causation_id", default="")
"""Id of the event whose consumer is running."""

traceparent: ContextVar[str] = ContextVar("traceparent", default="")
"""The W3C trace context as received; it is passed on unchanged."""

_SAFE = re.compile(r"[\w.:/-]{1,100}", re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def accept(correlation: str, trace: str) -> None:
    """Adopt the ids of a request or message; malformed ones are ignored."""
    correlation_id.set(correlation if _SAFE.fullmatch(correlation) else "")
    traceparent.set(trace if _TRACEPARENT.fullmatch(trace) else "")
