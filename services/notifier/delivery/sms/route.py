"""Choose the gateway of an SMS: the first that can take it, by configuration."""

import asyncio
import time
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit
from uuid import UUID

import structlog

from services.notifier.delivery.sms.port import SmsAccepted, SmsGateway, SmsStatus, SmsUnavailable
from services.notifier.delivery.sms.smpp import OnMessage, SmppGateway
from services.notifier.delivery.sms.smsc import SmscGateway
from services.notifier.delivery.sms.smsru import SmsRuGateway
from services.notifier.settings import NotifierSettings

log = structlog.get_logger(__name__)

MAX_GATEWAY_SECONDS = 20.0
COOLDOWN_SECONDS = 60.0
"""A gateway that could not take a message is asked after the others for so long."""


class SmsRoute:
    """Gateways in the order of preference.

    Only SmsUnavailable (surely not sent) goes on to the next; a rejection and an unknown outcome end the attempt, so
    that no message is sent twice.
    """

    def __init__(self, gateways: Sequence[SmsGateway]) -> None:
        self.gateways = {gateway.name: gateway for gateway in gateways}
        self._cooldown_until = dict.fromkeys(self.gateways, 0.0)

    async def send(self, message_id: UUID, phone: str, text: str) -> SmsAccepted:
        """Send by the first gateway that takes the message.  Raises SmsRejected, SmsUnavailable, SmsOutcomeUnknown."""
        refusals = []
        moment = time.monotonic()
        order = sorted(self.gateways.values(), key=lambda gateway: self._cooldown_until[gateway.name] > moment)
        for gateway in order:
            try:
                return await gateway.send(message_id, phone, text)
            except SmsUnavailable as error:
                self._cooldown_until[gateway.name] = time.monotonic() + COOLDOWN_SECONDS
                refusals.append(f"{gateway.name}: {error}")
                log.warning("an SMS gateway cannot take messages", gateway=gateway.name, error=str(error))
        raise SmsUnavailable("; ".join(refusals))

    async def status(self, gateway: str, provider_id: str, phone: str) -> SmsStatus:
        """Return the status of a message that one of our gateways has taken.  Raises SmsUnavailable."""
        return await self.gateways[gateway].status(provider_id, phone)

    def lookup_gateway(self) -> SmsGateway | None:
        """Return the gateway that can be asked by our own id, for messages whose process died."""
        return next((gateway for gateway in self.gateways.values() if gateway.supports_client_ids), None)

    async def listen(self, on_message: OnMessage) -> None:
        """Receive what gateways report by themselves, until cancelled."""
        listening = [
            gateway.listen(on_message) for gateway in self.gateways.values() if isinstance(gateway, SmppGateway)
        ]
        await asyncio.gather(*listening)

    async def aclose(self) -> None:
        """Close all gateways."""
        for gateway in self.gateways.values():
            await gateway.aclose()


def build_route(settings: NotifierSettings) -> SmsRoute:
    """Return the route of the settings.  Raises ValueError for unknown or equal kinds of gateways."""
    urls = [settings.sms_url, *([settings.sms_fallback_url] if settings.sms_fallback_url else [])]
    # The lease covers all of them one after another.
    timeout = min(MAX_GATEWAY_SECONDS, settings.send_timeout_seconds / len(urls))
    gateways = [build_gateway(url, settings, timeout) for url in urls]
    if len({gateway.name for gateway in gateways}) < len(gateways):
        raise ValueError("REGLAMENT_SMS_URL and REGLAMENT_SMS_FALLBACK_URL name gateways of the same kind")
    return SmsRoute(gateways)


def build_gateway(url: str, settings: NotifierSettings, timeout: float) -> SmsGateway:
    """Return the gateway of an address.  Raises ValueError.

    `smsc+https://login:password@smsc.ru`, `smsru+https://api_id@sms.ru`, `smpps://id:password@host`; a plain address is
    SMSC.ru's protocol with REGLAMENT_SMS_LOGIN and REGLAMENT_SMS_PASSWORD.  The policy decides which countries get SMS,
    not the gateway.
    """
    parts = urlsplit(url)
    kind, _, scheme = parts.scheme.rpartition("+")
    if scheme in ("smpp", "smpps") and parts.hostname:
        return SmppGateway(
            parts.hostname,
            parts.port or 2775,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            tls=scheme == "smpps",
            sender=settings.sms_sender,
            phone_prefixes=("+",),
            timeout_seconds=timeout,
        )
    if scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("REGLAMENT_SMS_URL looks like smsc+https://login:password@host or smsru+https://api_id@host")
    bare = f"{scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    login, password = unquote(parts.username or ""), unquote(parts.password or "")
    match kind:
        case "" | "smsc":
            return SmscGateway(
                bare,
                login or settings.sms_login,
                password or settings.sms_password,
                sender=settings.sms_sender,
                phone_prefixes=("+",),
                timeout_seconds=timeout,
            )
        case "smsru":
            return SmsRuGateway(bare, login, sender=settings.sms_sender, phone_prefixes=("+",), timeout_seconds=timeout)
    raise ValueError(f"an SMS gateway of an unknown kind: {kind}")
