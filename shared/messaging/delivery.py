"""A message as the broker or the table of failed messages delivers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5


@dataclass(frozen=True)
class Delivery:
    """A message as received: bytes and headers, not validated."""

    type: str
    """The event type of its queue."""
    body: bytes
    headers: Mapping[str, Any] = field(default_factory=dict)
    message_id: str = ""
    redelivered: bool = False

    @property
    def event_id(self) -> UUID:
        """The message id; for a message without a valid one, an id derived from its content."""
        try:
            return UUID(self.message_id)
        except ValueError:
            return uuid5(NAMESPACE_URL, f"{self.type} {self.message_id} {self.body.hex()}")

    def header(self, name: str) -> str:
        """Return a header as text, or an empty string."""
        value = self.headers.get(name, "")
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
