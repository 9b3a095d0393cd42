"""SMS gateways that misbehave on request: a faulty proxy before the HTTP simulator, and a faulty SMPP operator."""

import asyncio
import contextlib
import random
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.smpp_server import ANSWER, SUBMIT, SmppServer, write

LINE_FAULTS = ("400", "429", "500", "503", "dropped", "silent", "taken, dropped", "taken, late", "taken, 500")
"""Faults of a sending; the word before the comma says whether the gateway accepted it."""
SMPP_FAULTS = ("0x58", "0x14", "0x0b", "dropped", "taken, dropped", "taken, silent")
AGAIN_SECONDS = 3.0
"""Seconds after which an operator repeats an unacknowledged receipt."""
_SENDING = (b"/sys/send.php", b"/sms/send")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class FaultyProxy:
    """Stands between the notifier and the simulator; its planned faults apply to requests to send, in order."""

    target: str
    late_seconds: float
    """Delay of a late answer, longer than the client waits."""
    planned_faults: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await _message(reader)
                sending = request.split(b" ", 2)[1].startswith(_SENDING)
                planned_fault = self.planned_faults.pop(0) if sending and self.planned_faults else "ok"
                taken = planned_fault == "ok" or planned_fault.startswith("taken")
                answer = await self._forwarded(request) if taken else b""
                if planned_fault.endswith("dropped"):
                    return
                if planned_fault in ("silent", "taken, late"):
                    await asyncio.sleep(self.late_seconds)
                if planned_fault == "silent":
                    return
                if planned_fault[-3:].isdigit():
                    answer = f"HTTP/1.1 {planned_fault[-3:]} Mood\r\ncontent-length: 4\r\n\r\nmood".encode()
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _forwarded(self, request: bytes) -> bytes:
        parts = urlsplit(self.target)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(request)
            return await _message(reader)
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read head and body of a request or an answer.  Raises IncompleteReadError at the end of the connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


@asynccontextmanager
async def faulty_proxy(target: str, late_seconds: float, planned_faults: Iterable[str]) -> AsyncIterator[FaultyProxy]:
    line = FaultyProxy(target, late_seconds, list(planned_faults))
    listener = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.port = listener.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        listener.close()


@dataclass
class FaultyOperator(SmppServer):
    """An operator with planned faults that sends the receipts of `receipts_for` until each is acknowledged."""

    planned_faults: list[str] = field(default_factory=list)
    receipts_for: Callable[[str], list[str]] = lambda _: ["DELIVRD"]
    """Phone → receipts of one part, in the order of sending; called once per part."""
    receipts_sent: dict[str, list[str]] = field(default_factory=dict)
    """Id of a part → receipts sent about it."""
    _unacknowledged: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def parts(self) -> dict[str, list[str]]:
        """Phone → ids of the parts that were accepted for it."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for message in self.submitted:
            found[f"+{message.phone}"].append(message.id)
        return found

    def _answer(self, writer: asyncio.StreamWriter, command: int, sequence: int, body: bytes) -> bool:
        planned_fault = self.planned_faults.pop(0) if command == SUBMIT and self.planned_faults else "ok"
        if planned_fault == "ok" and command != SUBMIT:
            return super()._answer(writer, command, sequence, body)
        if planned_fault == "dropped":
            return False
        if planned_fault.startswith("0x"):
            write(writer, SUBMIT | ANSWER, int(planned_fault, 16), sequence, b"")
            return True
        part = self._take(body)
        self.receipts_sent[part] = self.receipts_for(f"+{self.submitted[-1].phone}")
        early = random.Random(part).random() < 0.3
        if early:
            self._send_receipts(part)
        if planned_fault == "ok":
            write(writer, SUBMIT | ANSWER, 0, sequence, part.encode() + b"\0")
        if not early:
            self._send_receipts(part)
        return planned_fault != "taken, dropped"

    def _send_receipts(self, part: str) -> None:
        for state in self.receipts_sent[part]:
            self.send_receipt_until_acknowledged(part, state)

    def send_receipt_until_acknowledged(self, part: str, state: str) -> None:
        receipt = f"id:{part} sub:001 dlvrd:001 submit date:2611212330 stat:{state} err:000 text:"
        task = asyncio.create_task(self._send_until_acknowledged(receipt))
        self._unacknowledged.add(task)
        task.add_done_callback(self._unacknowledged.discard)

    async def _send_until_acknowledged(self, receipt: str) -> None:
        while True:
            if self.bound:
                with contextlib.suppress(ConnectionError, TimeoutError):
                    sequence = self.send_receipt(receipt, to=random.randrange(self.bound))
                    async with asyncio.timeout(AGAIN_SECONDS):
                        if await self.outcome(sequence) == 0:
                            return
            await asyncio.sleep(0.1)

    @property
    def unacknowledged_receipts(self) -> int:
        """Return the number of unacknowledged receipts."""
        return len(self._unacknowledged)


@asynccontextmanager
async def faulty_operator(
    planned_faults: Iterable[str], receipts_for: Callable[[str], list[str]]
) -> AsyncIterator[FaultyOperator]:
    operator = FaultyOperator(planned_faults=list(planned_faults), receipts_for=receipts_for)
    listener = await asyncio.start_server(operator.serve, "127.0.0.1", 0)
    operator.port = listener.sockets[0].getsockname()[1]
    try:
        yield operator
    finally:
        for task in tuple(operator._unacknowledged):
            task.cancel()
        listener.close()
