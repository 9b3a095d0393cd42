"""SMS over SMPP 3.4: the operators' own protocol, by smpplib.

The library is synchronous, so every exchange runs in a thread, one at a time; between them the connection is read for
receipts and incoming messages, which are acknowledged only after they are stored.
"""

import asyncio
import re
import select
import ssl
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import structlog
from smpplib import consts, exceptions
from smpplib.client import Client
from smpplib.gsm import make_parts
from smpplib.smpp import make_pdu

from services.notifier.delivery.sms.port import (
    SmsAccepted,
    SmsOutcomeUnknown,
    SmsRejected,
    SmsStatus,
    SmsUnavailable,
    ensure_allowed,
)

log = structlog.get_logger(__name__)

T = TypeVar("T")

READ_SECONDS = 1.0
"""How often the idle connection is read, and for how long at most."""
KEEP_ALIVE_SECONDS = 30.0
STORE_SECONDS = 10.0
STATES = {
    1: SmsStatus.SENT,
    2: SmsStatus.DELIVERED,
    3: SmsStatus.EXPIRED,
    4: SmsStatus.FAILED,
    5: SmsStatus.FAILED,
    6: SmsStatus.SENT,
    8: SmsStatus.FAILED,
}
WORDS = {
    "ENROUTE": SmsStatus.SENT,
    "ACCEPTD": SmsStatus.SENT,
    "DELIVRD": SmsStatus.DELIVERED,
    "EXPIRED": SmsStatus.EXPIRED,
    "DELETED": SmsStatus.FAILED,
    "UNDELIV": SmsStatus.FAILED,
    "REJECTD": SmsStatus.FAILED,
}
# Length, destination, its type: the message itself is at fault.
FINAL_ERRORS = frozenset({0x01, 0x0B, 0x50, 0x51})
_RECEIPT = re.compile(r"id:(?P<id>\S+).*?stat:(?P<state>\w+)", re.IGNORECASE | re.DOTALL)
_IS_RECEIPT = 0x04


@dataclass(frozen=True)
class Receipt:
    """What the operator reports about a message."""

    gateway: str
    provider_id: str
    status: SmsStatus


@dataclass(frozen=True)
class Incoming:
    """An SMS from a client."""

    gateway: str
    phone: str
    text: str


OnMessage = Callable[[Receipt | Incoming], Coroutine[Any, Any, None]]


class SmppGateway:
    """A transceiver bound while it is needed.  Close it with `aclose()`."""

    name = "smpp"
    supports_client_ids = False

    def __init__(
        self,
        host: str,
        port: int,
        system_id: str,
        password: str,
        *,
        tls: bool = False,
        sender: str = "",
        phone_prefixes: tuple[str, ...] = ("+7",),
        timeout_seconds: float = 20,
    ) -> None:
        self._address, self._credentials = (host, port), {"system_id": system_id, "password": password}
        self._ssl = ssl.create_default_context() if tls else None
        self._sender, self._phone_prefixes, self._timeout = sender, phone_prefixes, timeout_seconds
        self._client: Client | None = None
        self._busy = asyncio.Lock()
        self._answers: dict[int, Any] = {}
        self._last_exchange_at = 0.0
        self._storing = 0.0
        """Seconds, in all."""
        self._on_message: OnMessage | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, message_id: UUID, phone: str, text: str) -> SmsAccepted:
        """Send the message; the last part's id stands for it, receipts come for every part.  See SmsGateway.send."""
        ensure_allowed(phone, self._phone_prefixes)
        return await self._in_thread(lambda: self._submit(phone.removeprefix("+"), text))

    async def status(self, provider_id: str, phone: str) -> SmsStatus:
        """Return what became of a message.  Raises SmsUnavailable."""
        return await self._in_thread(lambda: self._query(provider_id))

    async def listen(self, on_message: OnMessage) -> None:
        """Read receipts and incoming messages until cancelled."""
        self._on_message, self._loop = on_message, asyncio.get_running_loop()
        while True:
            try:
                await self._in_thread(self._read)
            except SmsUnavailable as error:
                log.warning("no SMPP connection", error=str(error))
                await asyncio.sleep(KEEP_ALIVE_SECONDS)
            await asyncio.sleep(READ_SECONDS)

    async def aclose(self) -> None:
        """Unbind and disconnect."""
        async with self._busy:
            await asyncio.to_thread(self._close)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread while no other task uses the connection.

        A thread cannot be cancelled, so a cancelled task waits for its end.
        """
        async with self._busy:
            talk = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(talk)
            except asyncio.CancelledError:
                await asyncio.wait([talk])
                raise

    # ── In the thread ──

    def _connected(self) -> Client:
        """Return the bound client.  Raises SmsUnavailable."""
        if self._client is not None:
            return self._client
        client = Client(*self._address, timeout=self._timeout, ssl_context=self._ssl, allow_unknown_opt_params=True)
        client.set_error_pdu_handler(self._on_error)
        client.set_message_sent_handler(self._on_answer)
        client.set_query_resp_handler(self._on_answer)
        client.set_message_received_handler(self._on_pdu)
        self._client = client
        try:
            client.connect()
            client.bind_transceiver(**self._credentials)
        except (exceptions.ConnectionError, exceptions.PDUError, OSError) as error:
            self._close()
            raise SmsUnavailable(f"cannot bind: {error}") from error
        self._last_exchange_at = time.monotonic()
        return client

    def _submit(self, number: str, text: str) -> SmsAccepted:
        client = self._connected()
        parts, coding, esm_class = make_parts(text)
        sequences = []
        try:
            for part in parts:
                pdu = client.send_message(
                    source_addr_ton=consts.SMPP_TON_ALNUM,
                    source_addr_npi=consts.SMPP_NPI_UNK,
                    source_addr=self._sender,
                    dest_addr_ton=consts.SMPP_TON_INTL,
                    dest_addr_npi=consts.SMPP_NPI_ISDN,
                    destination_addr=number,
                    short_message=part,
                    data_coding=coding,
                    esm_class=esm_class,
                    registered_delivery=True,
                )
                sequences.append(pdu.sequence)
            answers = self._answers_to(client, sequences)
        except (exceptions.ConnectionError, exceptions.PDUError, OSError) as error:
            self._close()
            raise SmsOutcomeUnknown(f"the connection broke: {error}", gateway=self.name) from error
        refused = [answer for answer in answers if answer.status]
        if refused and len(refused) < len(answers):
            raise SmsOutcomeUnknown("only a part of the message was taken", gateway=self.name)
        if refused:
            reason = f"gateway error {refused[0].status:#x}: {consts.DESCRIPTIONS.get(refused[0].status, '')}"
            raise (SmsRejected if refused[0].status in FINAL_ERRORS else SmsUnavailable)(reason)
        ids = tuple(_text(answer.message_id) for answer in answers)
        return SmsAccepted(ids[-1], self.name, parts=len(parts), part_ids=ids)

    def _query(self, provider_id: str) -> SmsStatus:
        client = self._connected()
        try:
            pdu = client.query_message(
                message_id=provider_id,
                source_addr_ton=consts.SMPP_TON_ALNUM,
                source_addr_npi=consts.SMPP_NPI_UNK,
                source_addr=self._sender,
            )
            (answer,) = self._answers_to(client, [pdu.sequence])
        except (exceptions.ConnectionError, exceptions.PDUError, OSError) as error:
            self._close()
            raise SmsUnavailable(f"the connection broke: {error}") from error
        # Many operators refuse queries and send receipts only.
        return SmsStatus.UNKNOWN if answer.status else STATES.get(int(answer.message_state), SmsStatus.UNKNOWN)

    def _read(self) -> None:
        """Read what has come, for a second at most: an operator that reports without end must not block sending."""
        client = self._connected()
        end = time.monotonic() + READ_SECONDS
        try:
            while time.monotonic() < end and select.select([client._socket], [], [], 0)[0]:
                client.read_once()
            if time.monotonic() - self._last_exchange_at > KEEP_ALIVE_SECONDS:
                client.send_pdu(make_pdu("enquire_link", client=client))
                self._last_exchange_at = time.monotonic()
        except (exceptions.ConnectionError, exceptions.PDUError, OSError) as error:
            self._close()
            raise SmsUnavailable(f"the connection broke: {error}") from error

    def _answers_to(self, client: Client, sequences: list[int]) -> list[Any]:
        """Return the answers to these requests.

        Raises smpplib's ConnectionError when they do not come in time; the time to store receipts before them is not
        counted.
        """
        deadline = time.monotonic() + self._timeout - self._storing
        while not self._answers.keys() >= set(sequences):
            if time.monotonic() > deadline + self._storing:
                raise exceptions.ConnectionError("no answer in time")
            try:
                client.read_once(auto_send_enquire_link=False)
            except TimeoutError as error:
                raise exceptions.ConnectionError("no answer in time") from error
        self._last_exchange_at = time.monotonic()
        return [self._answers.pop(sequence) for sequence in sequences]

    def _on_answer(self, pdu: Any, **_: Any) -> None:
        self._answers[pdu.sequence] = pdu

    def _on_error(self, pdu: Any) -> None:
        """Keep an error as the answer to its request; `generic_nack` says that it was not understood."""
        self._answers[pdu.sequence] = pdu

    def _on_pdu(self, pdu: Any, **_: Any) -> int:
        incoming = self._parse_incoming(pdu)
        if incoming is None:
            return 0
        if self._on_message is None or self._loop is None:
            return int(consts.SMPP_ESME_RX_T_APPN)  # Keep it for the connection that listens.
        begun = time.monotonic()
        try:
            asyncio.run_coroutine_threadsafe(self._on_message(incoming), self._loop).result(STORE_SECONDS)
        except Exception as error:  # Whatever it was: what is not stored is not acknowledged.
            log.warning("an SMPP message could not be stored", error=repr(error))
            return int(consts.SMPP_ESME_RX_T_APPN)
        finally:
            self._storing += time.monotonic() - begun
        return 0

    def _parse_incoming(self, pdu: Any) -> Receipt | Incoming | None:
        coding = "utf-16-be" if pdu.data_coding == consts.SMPP_ENCODING_ISO10646 else "latin-1"
        text = bytes(pdu.short_message or b"").decode(coding, errors="replace")
        if not (pdu.esm_class or 0) & _IS_RECEIPT:
            return Incoming(self.name, f"+{_text(pdu.source_addr).lstrip('+')}", text)
        found = _RECEIPT.search(text)
        provider_id = _text(pdu.receipted_message_id) or (found["id"] if found else "")
        status = STATES.get(int(pdu.message_state)) if pdu.message_state is not None else None
        status = status or (WORDS.get(found["state"].upper()) if found else None)
        return Receipt(self.name, provider_id, status) if provider_id and status else None

    def _close(self) -> None:
        client, self._client = self._client, None
        self._answers.clear()
        if client is None:
            return
        try:
            client.unbind()
        except (exceptions.ConnectionError, exceptions.PDUError, OSError, AttributeError):
            pass  # It is closed all the same.
        finally:
            client.disconnect()


def _text(value: Any) -> str:
    return value.decode("ascii", errors="replace").rstrip("\0") if isinstance(value, bytes) else str(value or "")
