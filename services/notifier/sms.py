"""SMS through an HTTP gateway: the port that the notifier sends by, and its adapter for the protocol of SMSC.ru."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import httpx


class SmsRejected(Exception):
    """The gateway will never send this message: a wrong number, a forbidden text. Final."""


class SmsUnavailable(Exception):
    """Nothing was sent, and the message is not to blame (connection, money, credentials, limits). Try again later."""


class SmsOutcomeUnknown(Exception):
    """The request left, but no usable answer came: the message may have been sent. Ask for its status, never resend
    blindly; its provider id is the message id."""


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
    parts: int | None = None
    """How many SMS the text was cut into; None when an earlier request had been accepted already."""
    cost: Decimal | None = None
    """Roubles."""


class SmsGateway(Protocol):
    async def send(self, message_id: UUID, phone: str, text: str) -> SmsAccepted:
        """`phone` as +7…; raises SmsRejected, SmsUnavailable or SmsOutcomeUnknown."""

    async def status(self, provider_id: str, phone: str) -> SmsStatus:
        """Raises SmsUnavailable."""


STATUSES: Mapping[int, SmsStatus] = {
    -3: SmsStatus.UNKNOWN,
    -2: SmsStatus.QUEUED,
    -1: SmsStatus.QUEUED,
    0: SmsStatus.SENT,
    1: SmsStatus.DELIVERED,
    2: SmsStatus.DELIVERED,  # Read by the recipient.
    3: SmsStatus.EXPIRED,
    4: SmsStatus.DELIVERED,  # The link in it was followed.
    20: SmsStatus.FAILED,
    22: SmsStatus.FAILED,
    23: SmsStatus.FAILED,
    24: SmsStatus.FAILED,
    25: SmsStatus.FAILED,
}
# Parameters, date, forbidden text or sender, number, undeliverable. The other codes pass: credentials (2), money (3),
# a blocked address (4), limits (9).
FINAL_ERRORS = frozenset({1, 5, 6, 7, 8})
REPEATED_REQUEST = 9
# Before these the request has not left this machine.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
PHONE = re.compile(r"\+[1-9][0-9]{9,14}")


class _Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"gateway error {code}: {text}")
        self.code = code


class SmscGateway:
    """Close it with `aclose()`. `phone_prefixes` keeps paid messages out of countries where nobody is a client."""

    def __init__(
        self,
        url: str,
        login: str,
        password: str,
        *,
        sender: str = "",
        phone_prefixes: tuple[str, ...] = ("+7",),
        timeout_seconds: float = 20,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout_seconds)
        self._timeout_seconds = timeout_seconds
        # Sent in the body: an address with a password would stand in every log on the way.
        self._known = {"login": login, "psw": password, "fmt": "3", "charset": "utf-8"}
        self._sender = {"sender": sender} if sender else {}
        self._phone_prefixes = phone_prefixes

    async def aclose(self) -> None:
        await self._http.aclose()

    async def send(self, message_id: UUID, phone: str, text: str) -> SmsAccepted:
        """Send under our own id, so that a lost answer can be looked up. See SmsGateway.send."""
        if not PHONE.fullmatch(phone) or not phone.startswith(self._phone_prefixes):
            raise SmsRejected("the number is outside the allowed countries")
        provider_id = str(message_id)
        try:
            answer = await self._call(
                "send", {"phones": phone, "mes": text, "id": provider_id, "cost": "2", **self._sender}
            )
        except _Refused as refused:
            if refused.code in FINAL_ERRORS:
                raise SmsRejected(str(refused)) from refused
            if refused.code == REPEATED_REQUEST and await self._was_accepted(provider_id, phone):
                return SmsAccepted(provider_id)
            raise SmsUnavailable(str(refused)) from refused
        if "id" not in answer:
            raise SmsOutcomeUnknown("the gateway's answer names no message")
        return SmsAccepted(provider_id, parts=_integer(answer.get("cnt")), cost=_decimal(answer.get("cost")))

    async def status(self, provider_id: str, phone: str) -> SmsStatus:
        try:
            answer = await self._call("status", {"phone": phone, "id": provider_id})
        except (_Refused, SmsOutcomeUnknown) as error:  # A question changes nothing, so it can always be asked again.
            raise SmsUnavailable(str(error)) from error
        code = _integer(answer.get("status"))
        return SmsStatus.UNKNOWN if code is None else STATUSES.get(code, SmsStatus.UNKNOWN)

    async def _was_accepted(self, provider_id: str, phone: str) -> bool:
        """The gateway says "repeated" both to our own earlier request and to too many at once."""
        try:
            return await self.status(provider_id, phone) is not SmsStatus.UNKNOWN
        except SmsUnavailable as error:
            raise SmsOutcomeUnknown("a repeated request whose first one cannot be looked up") from error

    async def _call(self, page: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Raises _Refused, SmsUnavailable, SmsOutcomeUnknown."""
        try:
            async with asyncio.timeout(self._timeout_seconds):  # httpx's own counts each read by itself.
                response = await self._http.post(f"/sys/{page}.php", data={**self._known, **parameters})
        except NOT_SENT as error:
            raise SmsUnavailable(f"no connection to the gateway: {type(error).__name__}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise SmsOutcomeUnknown(f"no answer from the gateway: {type(error).__name__}") from error
        if response.status_code in {429, 503} or 300 <= response.status_code < 500:
            raise SmsUnavailable(f"the gateway answered HTTP {response.status_code}")
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status_code != 200 or not isinstance(answer, dict):
            raise SmsOutcomeUnknown(f"the gateway answered HTTP {response.status_code} without a result")
        if "error_code" in answer:
            raise _Refused(_integer(answer["error_code"]) or 0, str(answer.get("error", "")))
        return answer


def _integer(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _decimal(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
