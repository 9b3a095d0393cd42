"""A message as it came from the broker or from the table of failures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5


@dataclass(frozen=True)
class Delivery:
    """A message as it came: bytes and headers, not yet believed."""

    type: str
    """The type its queue is for."""
    body: bytes
    headers: Mapping[str, Any] = field(default_factory=dict)
    message_id: str = ""
    redelivered: bool = False

    @property
    def event_id(self) -> UUID:
        """The message id; for a message without a valid one, an id made of its content."""
        try:
            return UUID(self.message_id)
        except ValueError:
            return uuid5(NAMESPACE_URL, f"{self.type} {self.message_id} {self.body.hex()}")

    def header(self, name: str) -> str:
        value = self.headers.get(name, "")
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
