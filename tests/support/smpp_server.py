"""A small SMPP 3.4 server over real sockets: binds, accepts messages, answers queries, sends receipts."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

GENERIC_NACK, SUBMIT, DELIVER, QUERY, UNBIND = 0x80000000, 0x04, 0x05, 0x03, 0x06
BIND_TRANSCEIVER, ENQUIRE, ANSWER = 0x09, 0x15, 0x80000000
WRONG_PASSWORD = 0x0E


@dataclass
class Submitted:
    id: str
    phone: str
    sender: str
    coding: int
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-16-be" if self.coding == 8 else "ascii")


@dataclass
class SmppServer:
    port: int = 0
    password: str = "secret"
    submitted: list[Submitted] = field(default_factory=list)
    refuse_with: int = 0
    silent: bool = False
    """Accept the message, then close the connection without a response."""
    acknowledged: list[int] = field(default_factory=list)
    """Statuses with which deliveries were answered."""
    awaited: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    """By the sequence of a delivery."""
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _ids: count[int] = field(default_factory=lambda: count(1001))
    _sequence: count[int] = field(default_factory=lambda: count(1))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length, command, status, sequence = struct.unpack(">4I", await reader.readexactly(16))
                body = await reader.readexactly(length - 16)
                if command == DELIVER | ANSWER:
                    self.acknowledged.append(status)
                    if (waiting := self.awaited.pop(sequence, None)) is not None and not waiting.done():
                        waiting.set_result(status)
                elif not self._answer(writer, command, sequence, body):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            if writer in self._writers:
                self._writers.remove(writer)
            writer.close()

    def _answer(self, writer: asyncio.StreamWriter, command: int, sequence: int, body: bytes) -> bool:
        status, answer = 0, b""
        match command:
            case 0x09:
                _, password, _ = body.split(b"\0", 2)
                status = 0 if password.decode() == self.password else WRONG_PASSWORD
                answer = b"test\0" if not status else b""
                if not status:
                    self._writers.append(writer)
            case 0x04:
                if self.refuse_with:
                    status = self.refuse_with
                else:
                    answer = self._take(body).encode() + b"\0"
                    if self.silent:
                        return False
            case 0x03:
                known = body.split(b"\0", 1)[0].decode() in {message.id for message in self.submitted}
                status = 0 if known else 0x67
                answer = body.split(b"\0", 1)[0] + b"\0\0\x02\0" if known else b""
        write(writer, command | ANSWER, status, sequence, answer)
        return command != UNBIND

    def _take(self, body: bytes) -> str:
        _, rest = body.split(b"\0", 1)
        sender, rest = rest[2:].split(b"\0", 1)
        phone, rest = rest[2:].split(b"\0", 1)
        esm_class, rest = rest[0], rest[3:]
        _, rest = rest.split(b"\0", 1)
        _, rest = rest.split(b"\0", 1)
        coding, length, rest = rest[2], rest[4], rest[5:]
        content = rest[:length]
        content = content[content[0] + 1 :] if esm_class & 0x40 else content
        message = Submitted(str(next(self._ids)), phone.decode(), sender.decode(), coding, content)
        self.submitted.append(message)
        return message.id

    def send_receipt(self, text: str, *, sender: str = "79221234567", receipt: bool = True, to: int = 0) -> int:
        """Deliver to the client that bound first, or as the `to`-th after it; return the delivery's sequence."""
        coding = 0 if text.isascii() else 8
        content = text.encode("ascii" if coding == 0 else "utf-16-be")
        head = b"\0\1\1" + sender.encode() + b"\0\0\0PRODETAL\0"
        middle = bytes([4 if receipt else 0, 0, 0]) + b"\0\0" + bytes([0, 0, coding, 0, len(content)])
        sequence = next(self._sequence)
        write(self._writers[to], DELIVER, 0, sequence, head + middle + content)
        return sequence

    async def outcome(self, sequence: int) -> int:
        """Wait for the response to a delivery and return its status."""
        self.awaited[sequence] = asyncio.get_running_loop().create_future()
        return await self.awaited[sequence]

    @property
    def bound(self) -> int:
        return len(self._writers)


def write(writer: asyncio.StreamWriter, command: int, status: int, sequence: int, body: bytes) -> None:
    writer.write(struct.pack(">4I", 16 + len(body), command, status, sequence) + body)


@asynccontextmanager
async def running_smpp_server() -> AsyncIterator[SmppServer]:
    server = SmppServer()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        server.port = listener.sockets[0].getsockname()[1]
        yield server
