"""SMS: the port that the notifier sends by, and its adapter for the HTTP protocol of SMSC.ru."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class SmsRejected(Exception):
    """The gateway will never send this message: a wrong number, a forbidden text. Final."""


class SmsUnavailable(Exception):
    """Nothing was sent, and the message is not to blame (connection, money, credentials, limits). Try again later."""


class SmsOutcomeUnknown(Exception):
    """The request left, but no usable answer came: the message may have been sent. Never resend blindly.

    `provider_id` is what its status can be asked by, where the gateway lets us choose the id.
    """

    def __init__(self, text: str, *, gateway: str = "", provider_id: str | None = None) -> None:
        super().__init__(text)
        self.gateway, self.provider_id = gateway, provider_id


class SmsStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """The gateway does not know the message (any more)."""


@dataclass(frozen=True)
class SmsAccepted:
    provider_id: str
    gateway: str
    """Its name: what became of the message is asked there."""
    parts: int | None = None
    """How many SMS the text was cut into; None when an earlier request had been accepted already."""
    cost: Decimal | None = None
    """Roubles."""
    part_ids: tuple[str, ...] = ()
    """Where the gateway tells of every part by itself: their ids, `provider_id` among them."""


class SmsGateway(Protocol):
    name: str
    supports_client_ids: bool
    """Whether the message's id is the provider's id, so that a lost answer can be looked up."""

    async def send(self, message_id: UUID, phone: str, text: str) -> SmsAccepted:
        """`phone` as +7…; raises SmsRejected, SmsUnavailable or SmsOutcomeUnknown."""

    async def status(self, provider_id: str, phone: str) -> SmsStatus:
        """Raises SmsUnavailable."""

    async def aclose(self) -> None: ...


PHONE = re.compile(r"\+[1-9][0-9]{9,14}")


def ensure_allowed(phone: str, prefixes: tuple[str, ...]) -> None:
    """Raises SmsRejected."""
    if not PHONE.fullmatch(phone) or not phone.startswith(prefixes):
        raise SmsRejected("the number is outside the allowed countries")
