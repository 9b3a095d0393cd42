"""SMS through the HTTP protocol of SMS.ru."""

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

OK = 100
STATUSES: Mapping[int, SmsStatus] = {
    -1: SmsStatus.UNKNOWN,
    100: SmsStatus.QUEUED,
    101: SmsStatus.QUEUED,
    102: SmsStatus.SENT,
    103: SmsStatus.DELIVERED,
    104: SmsStatus.EXPIRED,
    105: SmsStatus.FAILED,
    106: SmsStatus.FAILED,
    107: SmsStatus.FAILED,
    108: SmsStatus.FAILED,
    110: SmsStatus.DELIVERED,  # Read by the recipient.
    150: SmsStatus.FAILED,
}
# Number, text, its length, a stop list, encoding, words. The other codes pass: money, credentials, limits, faults.
FINAL_ERRORS = frozenset({202, 203, 205, 207, 209, 212, 213, 215, 216, 218})
# 500 says that the service failed while it worked on the request: whether it sent is not known.
UNCLEAR_ERRORS = frozenset({500})


class SmsRuGateway:
    """The gateway chooses the ids, so the outcome of a lost answer stays unknown.  Close it with `aclose()`."""

    name = "smsru"
    supports_client_ids = False

    def __init__(
        self,
        url: str,
        api_id: str,
        *,
        sender: str = "",
        phone_prefixes: tuple[str, ...] = ("+7",),
        timeout_seconds: float = 20,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout_seconds)
        self._timeout_seconds = timeout_seconds
        # Sent in the body: an address with a key would appear in every log on the way.
        self._known = {"api_id": api_id, "json": "1"}
        self._sender = {"from": sender} if sender else {}
        self._phone_prefixes = phone_prefixes

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, message_id: UUID, phone: str, text: str) -> SmsAccepted:
        """Send the message.  See SmsGateway.send."""
        ensure_allowed(phone, self._phone_prefixes)
        number = phone.removeprefix("+")
        try:
            answer = await self._call("/sms/send", {"to": number, "msg": text, **self._sender})
        except SmsOutcomeUnknown as unknown:
            unknown.gateway = self.name
            raise
        self._raise_for(answer)
        message = _of(answer, number)
        self._raise_for(message)
        provider_id = message.get("sms_id")
        if not isinstance(provider_id, str) or not provider_id:
            raise SmsOutcomeUnknown("the gateway's answer names no message", gateway=self.name)
        return SmsAccepted(provider_id, self.name, cost=decimal_or_none(message.get("cost")))

    async def status(self, provider_id: str, phone: str) -> SmsStatus:
        """Return what became of a message.  Raises SmsUnavailable."""
        try:
            answer = await self._call("/sms/status", {"sms_id": provider_id})
        except SmsOutcomeUnknown as error:  # A query changes nothing, so it can be repeated.
            raise SmsUnavailable(str(error)) from error
        if integer(answer.get("status_code")) != OK:
            raise SmsUnavailable(_error_text(answer))
        code = integer(_of(answer, provider_id).get("status_code"))
        return SmsStatus.UNKNOWN if code is None else STATUSES.get(code, SmsStatus.UNKNOWN)

    async def _call(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        return await post_form(self._http, path, {**self._known, **parameters}, self._timeout_seconds)

    def _raise_for(self, answer: Mapping[str, Any]) -> None:
        """Raise SmsRejected, SmsUnavailable or SmsOutcomeUnknown for anything but success."""
        code = integer(answer.get("status_code"))
        if code == OK:
            return
        if code is None or code in UNCLEAR_ERRORS:
            raise SmsOutcomeUnknown(_error_text(answer), gateway=self.name)
        raise (SmsRejected if code in FINAL_ERRORS else SmsUnavailable)(_error_text(answer))


def _of(answer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    messages = answer.get("sms")
    message = messages.get(key) if isinstance(messages, dict) else None
    return message if isinstance(message, dict) else {}


def _error_text(answer: Mapping[str, Any]) -> str:
    return f"gateway error {answer.get('status_code')}: {answer.get('status_text', '')}"
