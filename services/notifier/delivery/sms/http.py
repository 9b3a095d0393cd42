"""Requests to gateways that answer JSON over HTTP."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from services.notifier.delivery.sms.port import SmsOutcomeUnknown, SmsUnavailable

# Before these the request has not left this machine.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


async def post_form(http: httpx.AsyncClient, path: str, form: Mapping[str, str], timeout: float) -> dict[str, Any]:
    """Return the JSON object that the gateway answers.  Raises SmsUnavailable, SmsOutcomeUnknown."""
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
    """Return the value as an integer, or None."""
    try:
        return int(str(value))
    except ValueError:
        return None


def decimal_or_none(value: object) -> Decimal | None:
    """Return the value as a decimal, or None."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
