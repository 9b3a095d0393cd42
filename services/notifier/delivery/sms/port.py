"""The port that the notifier sends SMS by (NTF-02)."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class SmsRejected(Exception):
    """The gateway will never send this message: a wrong number, a forbidden text.  Final."""


class SmsUnavailable(Exception):
    """Nothing was sent, and the message is not at fault (connection, money, credentials, limits).  Retry later."""


class SmsOutcomeUnknown(Exception):
    """The request left, but no usable answer came: the message may have been sent.  Never resend blindly.

    `provider_id` is what its status can be asked by, where the gateway lets us choose the id.
    """

    def __init__(self, text: str, *, gateway: str = "", provider_id: str | None = None) -> None:
        super().__init__(text)
        self.gateway, self.provider_id = gateway, provider_id


class SmsStatus(StrEnum):
    """What a gateway says about a message."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """The gateway does not know the message (any more)."""


@dataclass(frozen=True)
class SmsAccepted:
    """A gateway's answer that it has taken a message."""

    provider_id: str
    gateway: str
    """The name of the gateway that knows what became of the message."""
    parts: int | None = None
    """How many SMS the text was cut into; None when an earlier request had been accepted already."""
    cost: Decimal | None = None
    """Roubles."""
    part_ids: tuple[str, ...] = ()
    """Where the gateway reports about every part: their ids, `provider_id` among them."""


class SmsGateway(Protocol):
    """What every gateway can do."""

    name: str
    supports_client_ids: bool
    """Whether the message's id is the provider's id, so that a lost answer can be looked up."""

    async def send(self, message_id: UUID, phone: str, text: str) -> SmsAccepted:
        """Send to `phone`, as +7….  Raises SmsRejected, SmsUnavailable or SmsOutcomeUnknown."""

    async def status(self, provider_id: str, phone: str) -> SmsStatus:
        """Return what became of a message.  Raises SmsUnavailable."""

    async def aclose(self) -> None:
        """Close all connections."""


PHONE = re.compile(r"\+[1-9][0-9]{9,14}")


def ensure_allowed(phone: str, prefixes: tuple[str, ...]) -> None:
    """Check that the number is one and begins with an allowed prefix.  Raises SmsRejected."""
    if not PHONE.fullmatch(phone) or not phone.startswith(prefixes):
        raise SmsRejected("the number is outside the allowed countries")
