"""SMS through the HTTP protocol of SMSC.ru."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx

from services.notifier.delivery.sms.http import decimal_or_none, integer, post_form
from services.notifier.delivery.sms.port import (
    SmsAccepted,
    SmsOutcomeUnknown,
    SmsRejected,
    SmsStatus,
    SmsUnavailable,
    ensure_allowed,
)

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


class _Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"gateway error {code}: {text}")
        self.code = code


class SmscGateway:
    """Close it with `aclose()`.  `phone_prefixes` keeps paid messages out of countries without clients."""

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
        # Sent in the body: an address with a password would appear in every log on the way.
        self._known = {"login": login, "psw": password, "fmt": "3", "charset": "utf-8"}
        self._sender = {"sender": sender} if sender else {}
        self._phone_prefixes = phone_prefixes

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, message_id: UUID, phone: str, text: str) -> SmsAccepted:
        """Send under our own id, so that a lost answer can be looked up.  See SmsGateway.send."""
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
        """Return what became of a message.  Raises SmsUnavailable."""
        try:
            answer = await self._call("status", {"phone": phone, "id": provider_id})
        except (_Refused, SmsOutcomeUnknown) as error:  # A query changes nothing, so it can be repeated.
            raise SmsUnavailable(str(error)) from error
        code = integer(answer.get("status"))
        return SmsStatus.UNKNOWN if code is None else STATUSES.get(code, SmsStatus.UNKNOWN)

    async def _was_accepted(self, provider_id: str, phone: str) -> bool:
        """Look up what "repeated" means: our own earlier request, or too many requests at once."""
        try:
            return await self.status(provider_id, phone) is not SmsStatus.UNKNOWN
        except SmsUnavailable as error:
            raise SmsOutcomeUnknown("a repeated request whose first one cannot be looked up") from error

    async def _call(self, page: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Return the answer of a page.  Raises _Refused, SmsUnavailable, SmsOutcomeUnknown."""
        answer = await post_form(self._http, f"/sys/{page}.php", {**self._known, **parameters}, self._timeout_seconds)
        if "error_code" in answer:
            raise _Refused(integer(answer["error_code"]) or 0, str(answer.get("error", "")))
        return answer
