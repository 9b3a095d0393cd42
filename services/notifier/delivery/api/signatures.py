"""Signatures of webhooks: HMAC over timestamp and raw body, valid for five minutes."""

import hashlib
import hmac
import time
from typing import Annotated

from fastapi import Depends, Header, Request

from shared.base.errors import Unauthenticated

WINDOW_SECONDS = 300


class BadSignature(Unauthenticated):
    code = "bad-signature"
    title = "Подпись не сходится"


def fresh(moment: int) -> bool:
    """Return whether a Unix time in seconds is within the window around now."""
    return abs(time.time() - moment) <= WINDOW_SECONDS


async def _signed(
    request: Request,
    x_timestamp: Annotated[str, Header(pattern=r"^[0-9]{1,12}$", description="секунды Unix")],
    x_signature: Annotated[str, Header(max_length=128, description="HMAC-SHA256 от «timestamp.тело», hex")],
) -> None:
    secret: str = request.app.state.settings.webhook_secret
    content = x_timestamp.encode() + b"." + await request.body()
    expected = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    genuine = hmac.compare_digest(expected.encode(), x_signature.lower().encode())
    if not secret or not fresh(int(x_timestamp)) or not genuine:
        raise BadSignature("Подпись уведомления не сходится или устарела.")


signed = Depends(_signed)
