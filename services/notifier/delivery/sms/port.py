"""SMS: the port that the notifier sends by, and its adapter for the HTTP protocol of SMSC.ru."""

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

    name = "smsc"
    supports_client_ids = True

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
        ensure_allowed(phone, self._phone_prefixes)
        provider_id = str(message_id)
        try:
            answer = await self._call(
                "send", {"phones": phone, "mes": text, "id": provider_id, "cost": "2", **self._sender}
            )
        except _Refused as refused:
            if refused.code in FINAL_ERRORS:
                raise SmsRejected(str(refused)) from refused
            if refused.code == REPEATED_REQUEST and await self._was_accepted(provider_id, phone):
                return SmsAccepted(provider_id, self.name)
            raise SmsUnavailable(str(refused)) from refused
        except SmsOutcomeUnknown as unknown:
            unknown.gateway, unknown.provider_id = self.name, provider_id
            raise
        if "id" not in answer:
            raise SmsOutcomeUnknown("the gateway's answer names no message", gateway=self.name, provider_id=provider_id)
        return SmsAccepted(
            provider_id, self.name, parts=integer(answer.get("cnt")), cost=decimal_or_none(answer.get("cost"))
        )

    async def status(self, provider_id: str, phone: str) -> SmsStatus:
        try:
            answer = await self._call("status", {"phone": phone, "id": provider_id})
        except (_Refused, SmsOutcomeUnknown) as error:  # A question changes nothing, so it can always be asked again.
            raise SmsUnavailable(str(error)) from error
        code = integer(answer.get("status"))
        return SmsStatus.UNKNOWN if code is None else STATUSES.get(code, SmsStatus.UNKNOWN)

    async def _was_accepted(self, provider_id: str, phone: str) -> bool:
        """The gateway says "repeated" both to our own earlier request and to too many at once."""
        try:
            return await self.status(provider_id, phone) is not SmsStatus.UNKNOWN
        except SmsUnavailable as error:
            raise SmsOutcomeUnknown("a repeated request whose first one cannot be looked up") from error

    async def _call(self, page: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Raises _Refused, SmsUnavailable, SmsOutcomeUnknown."""
        answer = await post_form(self._http, f"/sys/{page}.php", {**self._known, **parameters}, self._timeout_seconds)
        if "error_code" in answer:
            raise _Refused(integer(answer["error_code"]) or 0, str(answer.get("error", "")))
        return answer


def ensure_allowed(phone: str, prefixes: tuple[str, ...]) -> None:
    """Raises SmsRejected."""
    if not PHONE.fullmatch(phone) or not phone.startswith(prefixes):
        raise SmsRejected("the number is outside the allowed countries")


async def post_form(http: httpx.AsyncClient, path: str, form: Mapping[str, str], timeout: float) -> dict[str, Any]:
    """The JSON object that the gateway answers.  Raises SmsUnavailable, SmsOutcomeUnknown."""
    try:
        async with asyncio.timeout(timeout):  # httpx's own counts each read by itself.
            response = await http.post(path, data=dict(form))
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
    return answer


def integer(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def decimal_or_none(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
