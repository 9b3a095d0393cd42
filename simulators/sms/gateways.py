"""A simulator of the gateways SMSC.ru and SMS.ru: their HTTP protocols, without a telephone network behind them.

    python -m simulators.sms.gateways --http-port 8026 --login demo --password demo --delay 3

SMS.ru's protocol is in `smsru_protocol`.  SMSC.ru's: `/sys/send.php`, `/sys/status.php`, `/sys/balance.php`, by GET or
POST, answered with `fmt=3` (JSON) only. As with the real gateway the request's character set is windows-1251 unless
`charset` says otherwise; a client's own `id` need not be unique (the status is that of the last message with it); an
identical request within a minute is error 9, and so is the sixth question for one message's status within a minute.

Effects of a phone number's last four digits:

| digits       | effect                                                                                        |
|--------------|-----------------------------------------------------------------------------------------------|
| 9001 … 9009  | sending is answered with error 1 … 9                                                          |
| 9103         | accepted, later expired (status 3)                                                            |
| 9120 … 9125  | accepted, later undeliverable: status 20, 22 (wrong number), 23 (forbidden), 24, 25           |
| 9130         | accepted, stays with the operator (status 0)                                                  |
| 9500         | HTTP 500 without accepting anything                                                           |
| 9600         | accepted, but the answer never comes (until the client gives up)                              |
| 9601         | accepted, but the answer is no JSON                                                           |
"""

import argparse
import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from simulators.embedded_http import serving, until_terminated
from simulators.sms.smsru_protocol import add_smsru

MAX_MESSAGES = 50_000
DUPLICATE_WINDOW = timedelta(minutes=1)
MAX_STATUS_QUERIES_PER_MINUTE = 5
PRICE_OF_A_PART = Decimal("3.20")
MOSCOW = ZoneInfo("Europe/Moscow")
CHARSETS = {"utf-8": "utf-8", "koi8-r": "koi8-r"}
MAX_NUMERIC_ID = 2_147_483_647
CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")
GSM_ALPHABET = re.compile(r"[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà]*")

ERRORS = {
    1: "parameters error",
    2: "authorise error",
    3: "no money",
    4: "IP address is blocked",
    5: "incorrect date",
    6: "message is denied",
    7: "invalid number",
    8: "message can not be delivered",
    9: "duplicate request, wait a minute",
}
STATUS_NAMES = {
    -3: "Сообщение не найдено",
    -1: "Ожидает отправки",
    0: "Передано оператору",
    1: "Доставлено",
    3: "Просрочено",
    20: "Невозможно доставить",
    22: "Неверный номер",
    23: "Запрещено",
    24: "Недостаточно средств",
    25: "Недоступный номер",
}
STATUS_BY_DIGITS = {"9103": 3, "9120": 20, "9122": 22, "9123": 23, "9124": 24, "9125": 25, "9130": 0}


@dataclass
class SimulatedSms:
    id: str
    phone: str
    """Digits only, with the country's code."""
    text: str
    sender: str
    parts: int
    cost: Decimal
    accepted_at: datetime
    delay: timedelta
    status_queries: deque[datetime] = field(default_factory=deque, repr=False)

    def status(self, now: datetime) -> tuple[int, datetime]:
        """Return the protocol's status and the moment since when it holds."""
        passed_on, finished = self.accepted_at + self.delay / 2, self.accepted_at + self.delay
        final = STATUS_BY_DIGITS.get(self.phone[-4:], 1)
        if now < passed_on:
            return -1, self.accepted_at
        if now < finished or final == 0:
            return 0, passed_on
        return final, finished


class ProtocolError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(ERRORS[code])
        self.code = code


class SmsSimulator:
    def __init__(self, login: str, password: str, delay_seconds: float, balance: Decimal) -> None:
        self.login = login
        self.password = password
        self.delay = timedelta(seconds=delay_seconds)
        self.balance = balance
        self._messages: deque[SimulatedSms] = deque(maxlen=MAX_MESSAGES)
        self._requests: deque[tuple[datetime, tuple[str, ...]]] = deque(maxlen=MAX_MESSAGES)
        self._ids = count(1)

    def messages(self, phone: str = "") -> list[SimulatedSms]:
        """Return messages, newest first; `phone` is a part of the number, in any spelling."""
        digits = re.sub(r"\D", "", phone)
        return [message for message in reversed(self._messages) if digits in message.phone]

    def clear(self) -> None:
        self._messages.clear()
        self._requests.clear()

    def authorise(self, parameters: dict[str, str]) -> None:
        if parameters.get("fmt") != "3":
            raise ProtocolError(1)
        if (parameters.get("login"), parameters.get("psw")) != (self.login, self.password):
            raise ProtocolError(2)

    def send(self, parameters: dict[str, str], now: datetime) -> dict[str, Any]:
        phones = [_phone(part) for part in re.split(r"[,;]", parameters.get("phones", "")) if part.strip()]
        text, client_id, cost_mode = parameters.get("mes", ""), parameters.get("id", ""), parameters.get("cost", "0")
        valid_id = not client_id or (
            CLIENT_ID.fullmatch(client_id) and (not client_id.isdecimal() or 1 <= int(client_id) <= MAX_NUMERIC_ID)
        )
        if not phones or not text or not valid_id or cost_mode not in {"0", "1", "2", "3"}:
            raise ProtocolError(1)
        for phone in phones:
            if re.fullmatch(r"900[1-9]", phone[-4:]):
                raise ProtocolError(int(phone[-1]))

        parts = _parts(text)
        cost = PRICE_OF_A_PART * parts * len(phones)
        if cost_mode == "1":
            return {"cost": str(cost), "cnt": parts * len(phones)}
        request = (*phones, text, client_id, parameters.get("sender", ""))
        if self._is_repetition(request, now):
            raise ProtocolError(9)
        if cost > self.balance:
            raise ProtocolError(3)
        self.balance -= cost
        self._requests.append((now, request))
        message_id = client_id or str(next(self._ids))
        for phone in phones:
            self._messages.append(self._message(message_id, phone, text, parameters.get("sender", ""), now))
        answer: dict[str, Any] = {
            "id": int(message_id) if message_id.isdecimal() else message_id,
            "cnt": parts * len(phones),
        }
        if cost_mode in {"2", "3"}:
            answer["cost"] = str(cost)
        if cost_mode == "3":
            answer["balance"] = str(self.balance)
        return answer

    def status(self, parameters: dict[str, str], now: datetime) -> dict[str, Any]:
        phone, message_id = parameters.get("phone", ""), parameters.get("id", "")
        if not phone or not message_id:
            raise ProtocolError(1)
        phone = _phone(phone)
        message = next((item for item in self.messages() if (item.id, item.phone) == (message_id, phone)), None)
        if message is None:
            return {"status": -3, "last_date": "", "last_timestamp": 0, "flag": 0, "err": 0}
        while message.status_queries and message.status_queries[0] <= now - timedelta(minutes=1):
            message.status_queries.popleft()
        if len(message.status_queries) >= MAX_STATUS_QUERIES_PER_MINUTE:
            raise ProtocolError(9)
        message.status_queries.append(now)
        status, since = message.status(now)
        answer: dict[str, Any] = {
            "status": status,
            "last_date": f"{since.astimezone(MOSCOW):%d.%m.%Y %H:%M:%S}",
            "last_timestamp": int(since.timestamp()),
            "flag": 0,
            "err": 0 if status < 20 else 1,
        }
        if parameters.get("all") in {"1", "2"}:
            answer |= {
                "send_date": f"{message.accepted_at.astimezone(MOSCOW):%d.%m.%Y %H:%M:%S}",
                "send_timestamp": int(message.accepted_at.timestamp()),
                "phone": message.phone,
                "cost": str(message.cost),
                "sender_id": message.sender,
                "status_name": STATUS_NAMES[status],
                "message": message.text,
                "type": 0,
            }
        return answer

    def accept(self, phone: str, text: str, sender: str, now: datetime) -> SimulatedSms | None:
        """Accept a message under an id of SMS.ru's own; None when there is no money left."""
        message = self._message(f"{now:%Y%m}-{1_000_000 + next(self._ids)}", phone, text, sender, now)
        if message.cost > self.balance:
            return None
        self.balance -= message.cost
        self._messages.append(message)
        return message

    def find(self, message_id: str) -> SimulatedSms | None:
        return next((message for message in self.messages() if message.id == message_id), None)

    def _message(self, message_id: str, phone: str, text: str, sender: str, now: datetime) -> SimulatedSms:
        parts = _parts(text)
        cost = PRICE_OF_A_PART * parts
        return SimulatedSms(message_id, phone, text, sender, parts, cost, accepted_at=now, delay=self.delay)

    def _is_repetition(self, request: tuple[str, ...], now: datetime) -> bool:
        while self._requests and self._requests[0][0] <= now - DUPLICATE_WINDOW:
            self._requests.popleft()
        return any(earlier == request for _, earlier in self._requests)


def _phone(text: str) -> str:
    """Read a number as the gateway does: a Russian one without «+» is corrected.  Raises error 7."""
    digits = re.sub(r"[\s()-]", "", text)
    international = digits.startswith("+")
    digits = digits.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        raise ProtocolError(7)
    if not international and len(digits) == 10:
        digits = f"7{digits}"
    elif not international and len(digits) == 11 and digits[0] == "8":
        digits = f"7{digits[1:]}"
    if not 11 <= len(digits) <= 15 or (digits[0] == "7" and len(digits) != 11):
        raise ProtocolError(7)
    return digits


def _parts(text: str) -> int:
    """Return the number of parts: 160 characters of the GSM alphabet or 70 of any other, fewer in a series."""
    if GSM_ALPHABET.fullmatch(text):
        units, alone, each = len(text), 160, 153
    else:
        units, alone, each = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if units <= alone else -(-units // each)


def simulator_app(simulator: SmsSimulator) -> FastAPI:
    app = FastAPI(title="Симулятор SMS-шлюза")

    async def parameters_in_utf_8(request: Request) -> dict[str, str]:
        return await _parameters(request, "utf-8")

    add_smsru(app, simulator, parameters_in_utf_8)

    @app.api_route("/sys/send.php", methods=["GET", "POST"])
    async def send(request: Request) -> Response:
        parameters = await _parameters(request)
        digits = parameters.get("phones", "")[-4:]
        if digits == "9500":
            return Response("Internal Server Error", 500)
        try:
            simulator.authorise(parameters)
            answer = simulator.send(parameters, datetime.now(UTC))
        except ProtocolError as error:
            refusal: dict[str, Any] = {"error": str(error), "error_code": error.code}
            return JSONResponse(refusal | ({"id": parameters["id"]} if parameters.get("id") else {}))
        if digits == "9600":
            while not await request.is_disconnected():  # noqa: ASYNC110, a disconnection is no event here
                await asyncio.sleep(0.05)
        if digits == "9601":
            return Response("<html>Bad gateway</html>", media_type="text/html")
        return JSONResponse(answer)

    @app.api_route("/sys/status.php", methods=["GET", "POST"])
    async def status(request: Request) -> Response:
        parameters = await _parameters(request)
        try:
            simulator.authorise(parameters)
            return JSONResponse(simulator.status(parameters, datetime.now(UTC)))
        except ProtocolError as error:
            return JSONResponse({"error": str(error), "error_code": error.code})

    @app.api_route("/sys/balance.php", methods=["GET", "POST"])
    async def balance(request: Request) -> Response:
        parameters = await _parameters(request)
        try:
            simulator.authorise(parameters)
        except ProtocolError as error:
            return JSONResponse({"error": str(error), "error_code": error.code})
        currency = {"currency": "RUR"} if parameters.get("cur") == "1" else {}
        return JSONResponse({"balance": str(simulator.balance), **currency})

    @app.get("/api/messages")
    async def list_messages(phone: str = "", limit: int = 100) -> list[dict[str, Any]]:
        now = datetime.now(UTC)
        return [_as_json(message, now) for message in simulator.messages(phone)[: max(limit, 0)]]

    @app.delete("/api/messages", status_code=204)
    async def delete_messages() -> None:
        simulator.clear()

    return app


def _as_json(message: SimulatedSms, now: datetime) -> dict[str, Any]:
    status, since = message.status(now)
    return {
        "id": message.id,
        "phone": f"+{message.phone}",
        "text": message.text,
        "sender": message.sender,
        "parts": message.parts,
        "cost": str(message.cost),
        "accepted_at": message.accepted_at.isoformat(),
        "status": status,
        "status_name": STATUS_NAMES[status],
        "status_since": since.isoformat(),
    }


async def _parameters(request: Request, usual: str = "cp1251") -> dict[str, str]:
    """Return the parameters of query and form, in the character set that they name."""
    encoded = request.url.query
    if request.method == "POST":
        encoded = f"{encoded}&{(await request.body()).decode('latin-1')}"
    charset = parse_qs(encoded).get("charset", [""])[-1].lower()
    values = parse_qs(encoded, encoding=CHARSETS.get(charset, usual), errors="replace")
    return {name: value[-1] for name, value in values.items()}


@dataclass
class RunningSmsSimulator:
    http_url: str
    simulator: SmsSimulator

    @property
    def messages(self) -> list[SimulatedSms]:
        """Newest first."""
        return self.simulator.messages()


@asynccontextmanager
async def running_sms_simulator(
    http_port: int = 0,
    login: str = "demo",
    password: str = "demo",
    delay_seconds: float = 0,
    balance: Decimal = Decimal(10_000),
    host: str = "127.0.0.1",
) -> AsyncIterator[RunningSmsSimulator]:
    """Run the simulator; messages are delivered `delay_seconds` after they were sent.

    Port 0 takes a free one.  Raises OSError on a busy one.
    """
    simulator = SmsSimulator(login, password, delay_seconds, balance)
    async with serving(simulator_app(simulator), host, http_port) as http_url:
        yield RunningSmsSimulator(http_url, simulator)


async def _main(arguments: argparse.Namespace) -> None:
    async with running_sms_simulator(
        arguments.http_port, arguments.login, arguments.password, arguments.delay, host=arguments.host
    ) as running:
        print(f"SMS-шлюз: {running.http_url}", flush=True)
        await until_terminated()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m simulators.sms.gateways", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--http-port", type=int, default=8026, help="0 takes a free one")
    parser.add_argument("--login", default="demo")
    parser.add_argument("--password", default="demo")
    parser.add_argument("--delay", type=float, default=3, help="seconds until a message is delivered")
    asyncio.run(_main(parser.parse_args()))
